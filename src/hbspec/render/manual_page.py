"""The pages of the manual and their index, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hbspec.manual import Page
from hbspec.render.lines import Line, wrapped

MARGIN = 4
EXPLAINED = "Not reported separately when one of these has the same cause:"
READABLE = 100
"""The widest paragraph in columns, however wide the terminal is."""


def page_lines(page: Page, width: int | None = None) -> Iterator[Line]:
    """The whole page."""
    width = min(width or READABLE, READABLE)
    yield ((page.severity, f"{page.severity}[{page.code}]"), ("title", f" {page.name}"))
    yield ()
    yield from wrapped((("", page.summary),), width)
    yield ()
    yield from wrapped((("", page.why),), width)
    if page.beside:
        yield ()
        yield from wrapped((("", f"{EXPLAINED} {', '.join(page.beside)}"),), width)
    yield from _code("Example", page.example)
    yield from _code("Instead", page.instead)
    if page.references:
        yield ()
        yield (("title", "References"),)
        yield ()
        for reference in page.references:
            yield (("", " " * MARGIN + reference),)


def _code(title: str, text: str) -> Iterator[Line]:
    yield ()
    yield (("title", title),)
    yield ()
    for line in text.strip("\n").split("\n"):
        yield (("help", " " * MARGIN + line if line else ""),)


def index_lines(pages: Iterable[Page], width: int | None = None) -> Iterator[Line]:
    """One line per code, in the order of the codes."""
    pages = sorted(pages, key=lambda page: page.code)
    names = max((len(page.name) for page in pages), default=0)
    for page in pages:
        head: Line = (
            ("title", page.code),
            ("", "  "),
            (page.severity, f"{page.severity:<7}"),
            ("", f"  {page.name:<{names}}  "),
            ("faint", page.summary),
        )
        if width is None or width >= names + 60:
            yield from wrapped(head, width, len(page.code) + names + 13)
        else:
            yield (*head[:3], ("", f"  {page.name}"))
            yield from wrapped((("faint", " " * MARGIN + page.summary),), width, MARGIN)
