"""A spec, or a file of another program, opened: its document and its analysis, or the report that says why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from hbspec.analysis import Analysis, analyse
from hbspec.catalog import catalog_with
from hbspec.diagnostics import Finding, Report
from hbspec.frontends.reading.front import ForeignReader
from hbspec.rules.engine import place
from hbspec.source import Document, SourceError, load, load_mapping
from hbspec.source.load import NOTHING
from hbspec.spec import read

SpecLike = str | Path | Mapping[str, Any]
"""A path (`-` for standard input) or the spec itself as a mapping."""

NOT_ESTIMATED = "HB027"
"""The finding at a training that no estimate describes, so that none is made."""


class InvalidSpecError(ValueError):
    """A spec that cannot be estimated or compiled; `report` holds every reason."""

    def __init__(self, report: Report) -> None:
        super().__init__("; ".join(f"{entry.code} {entry.message}" for entry in report.diagnostics[:3]))
        self.report = report


def strict(
    spec: SpecLike,
    overrides: Sequence[str],
    allow_outside: bool,
    as_of: date | None,
    stdin: TextIO | None,
    prices: Path | None,
    program: str | None = None,
    beside: Sequence[str] = (),
) -> Analysis:
    """The analysis of a spec; the arguments are those of `hbspec.api.check`.

    Raises:
        InvalidSpecError: the spec cannot be read or validated, or trains what is not estimated.
    """
    try:
        document = document_of(spec, overrides, allow_outside, stdin, program=program, beside=beside)
        return analysed(document, as_of, prices)
    except SourceError as invalid:
        raise InvalidSpecError(_unread(spec, invalid)) from invalid


def document_of(
    spec: SpecLike,
    overrides: Sequence[str],
    allow_outside: bool,
    stdin: TextIO | None,
    text: str | None = None,
    unsaved: Mapping[Path, str] = NOTHING,
    program: str | None = None,
    beside: Sequence[str] = (),
) -> Document:
    """The document of a spec; the arguments are those of `hbspec.api.check`.

    Raises:
        SourceError: the spec cannot be read.
    """
    given: dict[str, Any] = {"overrides": overrides, "allow_outside": allow_outside}
    if isinstance(spec, Mapping):
        return load_mapping(spec, **given)
    given |= {"stdin": stdin, "text": text, "unsaved": unsaved, "beside": beside}
    return load(spec, **given, reader=ForeignReader(program, allow_outside=allow_outside))


def analysed(document: Document, as_of: date | None, prices: Path | None) -> Analysis:
    """The analysis of a document.

    Raises:
        InvalidSpecError: it is not a spec, or trains what is not estimated.
    """
    typed = read(document)
    if isinstance(typed, list):
        raise InvalidSpecError(place(document, [*typed, *_of_program(document)]))
    _refuse(document)
    return analyse(document, typed, catalog_with(prices), day_of(as_of))


def day_of(as_of: date | None) -> date:
    """The day from which ages are counted: today, where the user is, unless another is asked for."""
    return as_of or date.today()  # noqa: DTZ011 - a calendar day


def _refuse(document: Document) -> None:
    """Raise `InvalidSpecError` where the file of another program describes a training that is not estimated."""
    refused = [finding for finding in _of_program(document) if finding.code == NOT_ESTIMATED]
    if refused:
        raise InvalidSpecError(place(document, refused))


def _of_program(document: Document) -> tuple[Finding, ...]:
    """What was not understood of a file of another program."""
    return document.translated.findings if document.translated else ()


def _unread(spec: SpecLike, invalid: SourceError) -> Report:
    """The report on a spec that cannot be read."""
    return Report(("<mapping>" if isinstance(spec, Mapping) else str(spec),), invalid.diagnostics)


def imported(
    file: str | Path,
    *,
    overrides: Sequence[str] = (),
    allow_outside: bool = False,
    program: str | None = None,
    beside: Sequence[str] = (),
) -> Document:
    """A file of another program as the document of a spec; `translated` is None where the file is a spec.

    Raises:
        InvalidSpecError: the file cannot be read, or what it trains is not estimated.
    """
    try:
        document = document_of(file, overrides, allow_outside, None, program=program, beside=beside)
    except SourceError as invalid:
        raise InvalidSpecError(_unread(file, invalid)) from invalid
    _refuse(document)
    typed = read(document)
    if isinstance(typed, list):
        raise InvalidSpecError(place(document, [*typed, *_of_program(document)]))
    return document
