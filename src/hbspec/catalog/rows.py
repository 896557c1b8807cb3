"""Reading the shipped tables: one row a line, the first line names the columns, an empty cell is not known."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

DATA = Path(__file__).parent / "data"

MIB = 2**20
GIB = 2**30
GIGA = 1e9
TERA = 1e12


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of `data/NAME` by column."""
    header, *cells = (DATA / name).read_text(encoding="utf-8").splitlines()
    return parse(header, cells)


def parse(header: str, lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Rows by column, from lines of comma-separated cells (no cell spans two lines)."""
    columns = header.split(",")
    for cells in csv.reader(lines):
        yield dict(zip(columns, cells, strict=True))


def lines(name: str) -> Iterator[str]:
    """The lines of `data/NAME` that are no comment."""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield line


def number(cell: str, scale: float = 1.0) -> float | None:
    """A number in base units; None where the cell is empty."""
    return float(cell) * scale if cell else None


def whole(cell: str, scale: float = 1) -> int | None:
    """A whole number in base units, rounded down; None where the cell is empty."""
    return int(float(cell) * scale) if cell else None


def flag(cell: str) -> bool | None:
    """`yes`, `no`, or None where the cell is empty."""
    return cell == "yes" if cell else None


def day(cell: str) -> date | None:
    """The first day that an ISO date of day or month precision can mean; None where the cell is empty.

    >>> day("2026-08")
    datetime.date(2026, 8, 1)
    """
    return date.fromisoformat(cell if len(cell) > len("2026-08") else f"{cell}-01") if cell else None
