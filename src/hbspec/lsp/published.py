"""Findings as an editor shows them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path

from hbspec.diagnostics import Diagnostic, Position, Severity, Span, route_text
from hbspec.lsp.opened import OpenText, elsewhere
from hbspec.lsp.outline import Outline
from hbspec.lsp.positions import TextPlaces
from hbspec.showing import shown
from hbspec.source.layers import EXTENDS

SEVERITIES: Mapping[Severity, types.DiagnosticSeverity] = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}
SOURCE = "hbspec"


def published(one: OpenText, encoding: str) -> Iterator[types.Diagnostic]:
    """What was found in the judged state of a text; a finding in a file that it extends is at its `extends`."""
    if one.report is None or one.judged is None:
        return
    places, entries = TextPlaces(one.judged, encoding), one.report.diagnostics
    placeless = any(entry.span is None or elsewhere(one, entry) for entry in entries)
    otherwise = _place(Outline(one.judged if placeless else ""), places)
    for entry in entries:
        away = elsewhere(one, entry)
        yield types.Diagnostic(
            range=otherwise if away or entry.span is None else places.range_of(entry.span),
            message=_message(entry, away=away),
            severity=SEVERITIES[entry.severity],
            code=entry.code,
            source=SOURCE,
            related_information=_related(entry, encoding) if away and entry.span else None,
        )


def _place(outline: Outline, places: TextPlaces) -> types.Range:
    """Where something is said that has no place in the text: at `extends`, or at its beginning."""
    found = next((one for one in outline.entries if one.route == (EXTENDS,)), None)
    return places.range_on(found.line, found.start, found.end) if found else places.range_on(0, 0, 1)


def _message(entry: Diagnostic, *, away: bool) -> str:
    where = f"{entry.file}: " if away else ""
    also = f"\nalso: {entry.also_text}" if entry.also else ""
    key = f"{route_text(entry.route)}: " if entry.span is None and entry.route else ""
    return shown_lines(f"{where}{key}{entry.message}\n{entry.help}{also}")


def shown_lines(text: str) -> str:
    """The lines of a text, each made safe to show."""
    return "\n".join(map(shown, text.split("\n")))


def _related(entry: Diagnostic, encoding: str) -> list[types.DiagnosticRelatedInformation] | None:
    """The place in another file, where that can be read."""
    span = entry.span
    uri = from_fs_path(os.path.realpath(entry.file))
    if span is None or uri is None:
        return None
    place = _in_file(span, encoding)
    return [types.DiagnosticRelatedInformation(types.Location(uri, place), shown(entry.message))]


def _in_file(span: Span, encoding: str) -> types.Range:
    try:
        text = Path(span.file).read_text(encoding="utf-8")
    except (OSError, ValueError):
        start = Position(span.start.line, 1)
        return TextPlaces("", encoding).range_of(span._replace(start=start, end=start))
    return TextPlaces(text, encoding).range_of(span)
