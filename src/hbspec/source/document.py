"""A spec as read: plain values, and where each was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hbspec.diagnostics import Route, Span
from hbspec.source import excerpts


@dataclass(frozen=True, slots=True)
class Document:
    """The values of a spec after `extends` and `--set`, with tables that tell where each comes from.

    Attributes:
        file: the spec's name as the user would write it; `-` for standard input, `<mapping>` for a mapping.
        values: plain data only (dict, list, str, int, float, bool, None); numbers are finite.
        spans: the stretch of text of each value; an aliased value's own is the alias, its parts' are where they stand.
        key_spans: the stretch of the key that introduces a value.
        spellings: the author's text of each scalar, quotes removed: `1e-4` stays `1e-4`.
        directory: the folder of the spec; None for standard input and mappings.
        origins: the folder against which a relative path at a route resolves: that of the file that wrote the value.
        texts: the text of every spec file read and of every `--set`, by the name that spans use.
        allowed: by file and line, the codes and names in `# hbspec: allow …` comments that speak for the line.
        root: the project folder, outside of which nothing is read.
        allow_outside: whether the user has lifted that restriction.
    """

    file: str
    values: dict[str, Any]
    spans: Mapping[Route, Span]
    key_spans: Mapping[Route, Span]
    spellings: Mapping[Route, str]
    directory: Path | None
    origins: Mapping[Route, Path]
    texts: Mapping[str, str]
    allowed: Mapping[str, Mapping[int, frozenset[str]]]
    root: Path
    allow_outside: bool = False

    def span(self, route: Route) -> Span | None:
        """Where to point for a route; None if no text was read.

        That is a scalar itself, the key above a section, and for what is missing the nearest section that is there.
        """
        if span := self.spans.get(route):
            key = self.key_spans.get(route)
            if key and key.file == span.file and key.start.line < span.start.line and route not in self.spellings:
                return key
            return span
        while route:
            route = route[:-1]
            if span := self.key_spans.get(route) or self.spans.get(route):
                return span
        return None

    def origin(self, route: Route) -> Path:
        """The folder that a relative path at a route resolves against, the route's nearest section's if it has none."""
        while route not in self.origins:
            route = route[:-1]
        return self.origins[route]

    def excerpt(self, span: Span) -> str | None:
        """The line on which the span starts: control characters pictured, secrets starred, long lines clipped.

        None if the span is in no text that this document knows.
        """
        text = self.texts.get(span.file)
        return None if text is None else excerpts.excerpt(text, span)
