"""A report as Markdown: the same contents without charts, whose numbers stand in the tables."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.language import phrase, speaking
from hbspec.render.markdown import escaped, table
from hbspec.reporting.chapter import Chapter, Listing, Statement
from hbspec.reporting.contents import Contents
from hbspec.reporting.marks import MARKDOWN


def markdown(report: Contents) -> str:
    """The whole file, with a line break at its end."""
    with speaking(report.language):
        return "\n".join(_lines(report)) + "\n"


def _lines(report: Contents) -> Iterator[str]:
    yield MARKDOWN
    yield f"# {escaped(report.title)}"
    yield ""
    yield from (f"- {_emphasised(said)}" for said in report.lead)
    for chapter in report.chapters:
        yield from _chapter(chapter, 2)
    yield ""
    yield f"*{escaped(report.made)}*"


def _chapter(chapter: Chapter, level: int) -> Iterator[str]:
    yield ""
    yield f"{'#' * level} {escaped(chapter.title)}"
    for block in chapter.blocks:
        if isinstance(block, Statement):
            yield ""
            yield _emphasised(block)
        elif isinstance(block, Listing):
            yield from _listing(block)
    for part in chapter.parts:
        yield from _chapter(part, level + 1)


def _listing(block: Listing) -> Iterator[str]:
    yield ""
    yield escaped(phrase("{caption}:", caption=block.caption))
    yield ""
    yield from table([escaped(heading) for heading in block.headings], ([*map(escaped, row)] for row in block.rows))


def _emphasised(said: Statement) -> str:
    return f"**{escaped(said.text)}**" if said.style else escaped(said.text)
