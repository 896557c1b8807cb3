"""A report as one HTML page without scripts, which asks nothing of any other place.

Every text passes through `text`, so that what an author wrote is shown and never read as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from html import escape
from typing import Any

from hbspec.language import English, Phrase, phrase, speaking
from hbspec.reporting.chapter import Chapter, Drawing, Listing, Statement
from hbspec.reporting.charts import svg
from hbspec.reporting.contents import Contents
from hbspec.reporting.marks import HTML
from hbspec.reporting.safe_values import shown_values
from hbspec.reporting.stylesheet import POLICY, STYLESHEET
from hbspec.showing import shown

Draw = Callable[[Any, str], str]
"""Draws a chart in Vega-Lite as SVG, with ids that begin with a text."""
HIGHEST = 2
"""The level of the headings of chapters; the page's title has the first."""


def text(words: str) -> str:
    """A text as HTML: without credentials and control characters, and without meaning as markup; English is marked."""
    if isinstance(words, English):
        return f'<span lang="en">{_escaped(words)}</span>'
    if isinstance(words, Phrase) and any(isinstance(piece, English) for piece in words.pieces):
        return "".join(text(piece) for piece in words.pieces)
    return _escaped(words)


def _escaped(words: str) -> str:
    return escape(shown(words), quote=True)


def page(report: Contents) -> str:
    """The whole page, with a line break at its end.

    Raises:
        ImportError: vl-convert is not installed (the extra `report`).
    """
    with speaking(report.language):
        return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Contents) -> Iterator[str]:
    yield "<!doctype html>"
    yield f'<html lang="{report.language.code if report.language else "en"}">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY, quote=False)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield HTML
    yield f"<title>{text(phrase('{title}: hbspec report', title=report.title))}</title>"
    yield f"<style>{STYLESHEET}</style>"
    yield "</head>"
    yield "<body>"
    yield f'<a class="skip" href="#content">{text(phrase("Skip to the content"))}</a>'
    yield f"<header><h1>{text(report.title)}</h1></header>"
    yield from _navigation(report.chapters)
    yield '<main id="content" tabindex="-1">'
    yield from (_statement(said) for said in report.lead)
    drawn = partial(svg, axes=report.language.axes if report.language else None)
    for chapter in report.chapters:
        yield from _chapter(chapter, chapter.name, HIGHEST, drawn)
    yield "</main>"
    yield f'<footer><p class="made">{text(report.made)}</p></footer>'
    yield "</body>"
    yield "</html>"


def _navigation(chapters: Iterable[Chapter]) -> Iterator[str]:
    yield f'<nav aria-label="{text(phrase("Contents"))}"><ol>'
    yield from (f'<li><a href="#{chapter.name}">{text(chapter.title)}</a></li>' for chapter in chapters)
    yield "</ol></nav>"


def _chapter(chapter: Chapter, anchor: str, level: int, drawn: Draw) -> Iterator[str]:
    """A chapter under a heading of a level, and those below it one level deeper.

    Only the first level has landmarks: with one for each chapter of each spec, nobody would find the way by them.
    """
    region = level == HIGHEST
    yield f'<section id="{anchor}" aria-labelledby="{anchor}-title">' if region else f'<div id="{anchor}">'
    yield f'<h{level} id="{anchor}-title">{text(chapter.title)}</h{level}>'
    for number, block in enumerate(chapter.blocks, 1):
        yield from _block(block, f"{anchor}-{number}", drawn)
    for part in chapter.parts:
        yield from _chapter(part, f"{anchor}-{part.name}", level + 1, drawn)
    yield "</section>" if region else "</div>"


def _block(block: Statement | Listing | Drawing, anchor: str, drawn: Draw) -> Iterator[str]:
    if isinstance(block, Statement):
        yield _statement(block)
    elif isinstance(block, Drawing):
        yield from _figure(block, anchor, drawn(shown_values(block.vega_lite), anchor))
    else:
        yield from _table(block, anchor)


def _statement(said: Statement) -> str:
    style = f' class="{said.style}"' if said.style else ""
    return f"<p{style}>{text(said.text)}</p>"


def _figure(drawing: Drawing, anchor: str, drawn: str) -> Iterator[str]:
    """The drawing is hidden from screen readers: its caption describes it, and the table after it has its numbers."""
    yield f'<figure aria-labelledby="{anchor}-caption">'
    caption = f"<strong>{text(drawing.title)}.</strong> {text(drawing.description)}"
    yield f'<figcaption id="{anchor}-caption">{caption}</figcaption>'
    yield _scrolled(f"{anchor}-caption", drawn)
    yield "</figure>"


def _table(table: Listing, anchor: str) -> Iterator[str]:
    headings = "".join(f'<th scope="col">{text(heading)}</th>' for heading in table.headings)
    rows = "\n".join(_row(row) for row in table.rows)
    caption = f'<caption id="{anchor}-caption">{text(table.caption)}</caption>'
    body = f"<table>{caption}\n<thead><tr>{headings}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>"
    yield _scrolled(f"{anchor}-caption", body)


def _row(cells: Iterable[str]) -> str:
    first, *others = cells
    return f'<tr><th scope="row">{text(first)}</th>{"".join(f"<td>{text(cell)}</td>" for cell in others)}</tr>'


def _scrolled(label: str, content: str) -> str:
    """What may be wider than the screen, in a region that the keyboard can scroll."""
    return f'<div class="wide" role="group" tabindex="0" aria-labelledby="{label}">{content}</div>'
