"""A spec as read: plain values, and the place of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hbspec.diagnostics import Route, Span
from hbspec.source import excerpts
from hbspec.source.allowances import Allowance
from hbspec.source.translated import Translated


@dataclass(frozen=True, slots=True)
class Document:
    """The values of a spec after `extends` and `--set`, with tables of where each was written.

    Attributes:
        file: the spec's name as the user would write it; `-` for standard input, `<mapping>` for a mapping.
        values: plain data only (dict, list, str, int, float, bool, None); numbers are finite.
        spans: the span of each value; that of an aliased value is the alias, those of its parts are the originals.
        key_spans: the span of the key before each value.
        spellings: each scalar as the author wrote it, without quotes: `1e-4` stays `1e-4`.
        directory: the folder of the spec; None for standard input and mappings.
        origins: the folder that a relative path at a route is resolved against: that of the file with the value.
        texts: the text of every spec file and of every `--set`, by the name that spans use.
        allowed: the `# hbspec: allow …` comments of every spec file.
        root: the project folder; files outside it are not read.
        allow_outside: whether the user has lifted that restriction.
        translated: what is known of a file of another program; None for a spec.
    """

    file: str
    values: dict[str, Any]
    spans: Mapping[Route, Span]
    key_spans: Mapping[Route, Span]
    spellings: Mapping[Route, str]
    directory: Path | None
    origins: Mapping[Route, Path]
    texts: Mapping[str, str]
    allowed: tuple[Allowance, ...]
    root: Path
    allow_outside: bool = False
    translated: Translated | None = None

    def span(self, route: Route) -> Span | None:
        """The span to point at for a route; None if the document has no text.

        This is a scalar itself, the key of a section, or, for a missing value, the nearest section that exists.
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
        """The folder that a relative path at a route is resolved against; for a missing value, that of its section."""
        while route not in self.origins:
            route = route[:-1]
        return self.origins[route]

    def excerpt(self, span: Span) -> str | None:
        """The line on which the span starts, with control characters pictured, secrets starred and long lines clipped.

        None if the document does not hold the text of the span's file.
        """
        text = self.texts.get(span.file)
        return None if text is None else excerpts.excerpt(text, span)
