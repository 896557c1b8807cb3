"""The size of the page that `hbspec report` writes, and the CPU time that it takes.

    python benchmarks/report.py SPEC…

Each run is a process of its own: from its start to its end, user and system time together. The first run of each spec
is not counted, since it compiles Python's files. Aims: 1.5 MB and 3 s for one spec.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

MOST_BYTES, MOST_SECONDS = 1.5e6, 3.0
RUNS = 3


class Written(NamedTuple):
    """A page: its size in bytes, the least CPU time of `RUNS` in seconds, and whether all runs wrote the same."""

    size: int
    seconds: float
    same: bool

    @property
    def within(self) -> bool:
        """Whether it keeps to both aims."""
        return self.size <= MOST_BYTES and self.seconds <= MOST_SECONDS


def written(specs: list[str]) -> Written:
    """The page of some specs.

    Raises:
        CalledProcessError: they cannot be reported.
    """
    pages, seconds = [], []
    with TemporaryDirectory() as folder:
        place = Path(folder) / "report.html"
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}
        for _ in range(RUNS + 1):
            before = os.times()
            command = [sys.executable, "-m", "hbspec", "report", *specs, "-o", str(place)]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL, env=environment)
            after = os.times()
            seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
            pages.append(place.read_bytes())
    return Written(len(pages[0]), min(seconds[1:]), len(set(pages)) == 1)


def main() -> int:
    """Prints a line for each spec, and one for all together; 1 where the page of one spec does not keep to the aims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", nargs="+")
    specs = parser.parse_args().specs
    alone = [(spec, written([spec])) for spec in specs]
    together = [(f"{len(specs)} specs", written(specs))] if len(specs) > 1 else []
    for name, found in (*alone, *together):
        same = "the same each time" if found.same else "NOT the same each time"
        print(f"{name}: {found.size / 1e6:.2f} MB, {found.seconds:.2f} s of CPU time, {same}")
    print(f"aims for one spec: {MOST_BYTES / 1e6:g} MB, {MOST_SECONDS:g} s")
    return 0 if all(found.within and found.same for _, found in alone) else 1


if __name__ == "__main__":
    sys.exit(main())
