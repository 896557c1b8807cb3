"""How many of the models that people name are known, by name and with their architecture.

    python benchmarks/names.py NAMES.csv

The file has the columns `name` and `files`: a name as training configurations spell it, and how many of them do. A name
is recognised if the catalog has its architecture. What is not recognised is listed, with its type where the shape is
known.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import NamedTuple

from hbspec.catalog import catalog

MISSING = "not in the catalog"


class Name(NamedTuple):
    """A name, how many files have it, and what the catalog lacks of it: nothing, its family, or all of it."""

    name: str
    files: int
    lacking: str


def read(path: Path) -> list[Name]:
    """The names of a file."""
    with path.open(encoding="utf-8", newline="") as table:
        return [Name(row["name"], int(row["files"]), lacking(row["name"])) for row in csv.DictReader(table)]


def lacking(name: str) -> str:
    """What the catalog lacks of a model; empty if it has its architecture.

    >>> lacking("Qwen/Qwen2.5-7B-Instruct"), lacking("nobody/knows")
    ('', 'not in the catalog')
    """
    model = catalog().models.get(name)
    if model is None:
        return MISSING
    return "" if model.architecture else model.model_type


def share(names: list[Name]) -> float:
    """The share of the files whose model is recognised."""
    return sum(name.files for name in names if not name.lacking) / sum(name.files for name in names)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", type=Path)
    names = read(parser.parse_args().names)
    files = sum(name.files for name in names)
    known = [name for name in names if not name.lacking]
    print(f"{len(known)} of {len(names)} names, {share(names):.1%} of {files} files recognised (aim 90 %)")
    for name in names:
        if name.lacking:
            print(f"{name.files:4}  {name.name}: {name.lacking}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
