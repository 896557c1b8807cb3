"""Aligned rows: a label, a value, a remark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hbspec.render.lines import Line, cells, wrapped

Row = tuple[str, str, str]
"""Label, value and remark; the remark may be empty."""

NARROW = 60
LEAD = "  "
WIDEST_VALUE = 36


def rows(entries: Iterable[Row], width: int | None) -> Iterator[Line]:
    """Rows below one another, aligned in columns where the width allows."""
    entries = tuple(entries)
    labels = max((cells(label) for label, _, _ in entries), default=0)
    values = min(max((cells(value) for _, value, _ in entries), default=0), WIDEST_VALUE)
    columns = width is None or width >= NARROW
    for label, value, remark in entries:
        name = f"{_padded(label, labels)}{LEAD}" if columns else f"{label}: "
        shown = _padded(value, values) if columns and remark else value
        gap = LEAD if columns else "; " if value else ""
        line: Line = (("", f"{LEAD}{name}"), ("title", shown), ("faint", f"{gap}{remark}" if remark else ""))
        yield from wrapped(line, width, 2 * len(LEAD))


def section(title: str, width: int | None, verdict: str = "", style: str = "") -> Iterator[Line]:
    """An empty line and a heading."""
    yield ()
    yield from wrapped((("title", title), *((("", ": "), (style, verdict)) if verdict else ())), width, 2 * len(LEAD))


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - cells(text))
