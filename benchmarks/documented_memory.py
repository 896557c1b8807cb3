"""Estimated memory beside what projects document for their own example files.

    python benchmarks/documented_memory.py DIR [DIR …]

A row of `documented_memory.csv` is a file of a repository at a commit, the hardware, the memory of one GPU that a page
of the repository documents for it, and the words of that page. A folder holds a checkout whose folder is called
`OWNER+NAME`, as is the repository `OWNER/NAME`. Nothing of a file is run. `settings` name what the file does not say: a
model of the same architecture that the catalog has, where it does not have the file's, and the release of accelerate
that axolotl had when the figure was written, where a later one accumulates gradients otherwise. Files whose number of
GPUs is not documented are left out.

Documented figures are what the framework's log calls reserved (axolotl's `device_mem_reserved`) where a page says so;
where it does not, they are compared with the same. "GB" is taken for GiB, in which the logs count.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from hbspec.api import InvalidSpecError, estimate
from hbspec.cli.foreign import asked
from hbspec.diagnostics import NotKnownError
from hbspec.units import Interval

TABLE = Path(__file__).with_suffix(".csv")
GIB = 2**30


class Compared(NamedTuple):
    """One row: its file, the documented GiB, the estimate in GiB, and the keys that were not understood."""

    file: str
    documented: float
    estimated: Interval | None
    unread: tuple[str, ...]
    why: str = ""

    @property
    def error(self) -> float:
        """The share by which the estimate lies above the documented figure."""
        return 0.0 if self.estimated is None else self.estimated.expected / self.documented - 1


def main() -> int:
    """Prints every row, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    found = list(_compared(parser.parse_args().folders))
    sys.stdout.writelines(f"{line}\n" for line in _lines(found))
    return 0


def _compared(folders: list[Path]) -> Iterator[Compared]:
    checkouts = {folder.name: folder for folder in folders}
    with TABLE.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            folder = checkouts.get(row["repository"].replace("/", "+"))
            if folder is not None:
                yield _row(row, folder / row["file"])


def _row(row: dict[str, str], file: Path) -> Compared:
    settings = ("data.train.examples=10000", *row["settings"].split())
    options = asked(settings, program=None, on=row["gpus"], beside=(), region=None, parallelism=None)
    documented = float(row["gib"])
    try:
        found = estimate(str(file), **options)
        reserved = found.memory.fullest.peak_reserved if found.memory is not None else None
        translated = found.analysis.document.translated
    except (InvalidSpecError, NotKnownError) as refused:
        return Compared(row["file"], documented, None, (), f"{refused}".partition("\n")[0])
    unread = tuple(key for key, _ in translated.unread) if translated else ()
    return Compared(row["file"], documented, reserved and reserved.map(lambda size: size / GIB), unread)


def _lines(found: list[Compared]) -> Iterator[str]:
    for row in found:
        if row.estimated is None:
            yield f"{row.documented:6.1f}  not estimated: {row.why or 'the model is not known'}  {row.file}"
            continue
        low, expected, high = row.estimated.low, row.estimated.expected, row.estimated.high
        verdict = "held" if low <= row.documented <= high else "missed"
        not_read = f"  (not estimated: {', '.join(row.unread)})" if row.unread else ""
        numbers = f"{row.documented:6.1f}  {expected:6.1f} ({low:.1f} to {high:.1f})  {row.error:+5.0%}  {verdict}"
        yield f"{numbers}  {row.file}{not_read}"
    estimated = [row for row in found if row.estimated is not None]
    for name, rows in (("all", estimated), ("read fully", [row for row in estimated if not row.unread])):
        if rows:
            errors = [abs(row.error) for row in rows]
            near = sum(error <= 0.1 for error in errors)
            held = sum(row.estimated.low <= row.documented <= row.estimated.high for row in rows if row.estimated)
            yield (
                f"{name}: {len(rows)} rows, median error {median(errors):.0%}, {near} within 10 %, {held} within the "
                f"interval; {sum(row.error < 0 for row in rows)} estimated below"
            )


if __name__ == "__main__":
    sys.exit(main())
