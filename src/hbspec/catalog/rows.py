"""Reads the shipped tables: one row per line, column names in the first line, empty cells for unknown values."""

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
    """The rows by column, from lines of comma-separated cells (no cell spans two lines)."""
    columns = header.split(",")
    for cells in csv.reader(lines):
        yield dict(zip(columns, cells, strict=True))


def lines(name: str) -> Iterator[str]:
    """The lines of `data/NAME` that are not comments."""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield line


def number(cell: str, scale: float = 1.0) -> float | None:
    """The number in a cell, in base units; None where the cell is empty."""
    return float(cell) * scale if cell else None


def whole(cell: str, scale: float = 1) -> int | None:
    """The number in a cell, in base units and rounded down; None where the cell is empty."""
    return int(float(cell) * scale) if cell else None


def flag(cell: str) -> bool | None:
    """True for `yes`, False for `no`, None where the cell is empty."""
    return cell == "yes" if cell else None


def day(cell: str) -> date | None:
    """The day of an ISO date, or the first day of an ISO month; None where the cell is empty.

    >>> day("2026-08")
    datetime.date(2026, 8, 1)
    """
    return date.fromisoformat(cell if len(cell) > len("2026-08") else f"{cell}-01") if cell else None
