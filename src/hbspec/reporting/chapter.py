"""What a report says, before it is written as HTML or as Markdown.

Every text here is plain, as an author or the catalog wrote it: the writers escape it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hbspec.language import is_english, phrase, spoken
from hbspec.render.rows import Row


class Statement(NamedTuple):
    """A sentence, in one of the styles "good", "open" and "bad", or in none."""

    text: str
    style: str = ""


class Listing(NamedTuple):
    """A table. The first cell of a row names it.

    Attributes:
        caption: what the table holds.
        headings: of all columns.
        rows: as many cells in each as there are headings.
    """

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


class Drawing(NamedTuple):
    """A chart, whose numbers stand in the table after it.

    Attributes:
        title: what is drawn.
        description: what to read off it, in a sentence for somebody who does not see it.
        vega_lite: the chart in Vega-Lite, https://vega.github.io/vega-lite/docs/
    """

    title: str
    description: str
    vega_lite: Mapping[str, Any]


class Chapter(NamedTuple):
    """A part of a report under its heading, with parts of its own.

    Attributes:
        name: of its anchor; unique within its parent.
        title: its heading.
        blocks: what it says, in order.
        parts: chapters below it.
    """

    name: str
    title: str
    blocks: Sequence[Statement | Listing | Drawing] = ()
    parts: Sequence[Chapter] = ()


def untranslated() -> tuple[Statement, ...]:
    """That the texts of findings and sources are English, where the report is in another language."""
    return () if is_english() else (Statement(phrase("The texts of findings and of sources are in English.")),)


def listing_of(caption: str, rows: Iterable[Row]) -> Listing:
    """The table of rows that a terminal shows, too."""
    shown = tuple((spoken(label), value, spoken(remark)) for label, value, remark in rows)
    return Listing(caption, (phrase("Quantity"), phrase("Value"), phrase("Remark")), shown)
