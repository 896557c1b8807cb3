"""How long `hbspec check --fix` takes over many files of which a few have something to fix.

    python benchmarks/fixing.py [--files 1000] [--data 5]

The files are the starter spec, each with another name and number of examples, on one of a few sets of data with
lengths of their own; every twentieth has a key without effect. Lengths decide the most: the claim about memory replays
the allocator once for each set. One process; what is imported is included. Aim: 10 s for 1,000 files.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory
from time import perf_counter

STARTER = Path(__file__).parents[1] / "src" / "hbspec" / "cli" / "starter.yaml"
EVERY = 20
AIM = 10


def spec(number: int, data: int) -> str:
    """One of the files, on one of so many sets of data."""
    text = STARTER.read_text(encoding="utf-8")
    changes = {
        "name: my-first-job": f"name: job-{number}",
        "examples: 2000": f"examples: {2000 + number % 500}",
        "mean: 400": f"mean: {300 + number % data}",
        "instance:\n": "instance:\n  max_wait: 9h # never\n" if number % EVERY == 0 else "instance:\n",
    }
    for old, new in changes.items():
        text = text.replace(old, new, 1)
    return text


def main() -> None:
    """Prints the time of two runs: the second finds nothing to fix."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--data", type=int, default=5)
    given = parser.parse_args()
    files = given.files
    with TemporaryDirectory() as folder:
        for number in range(files):
            (Path(folder) / f"job-{number:05}.yaml").write_text(spec(number, given.data), encoding="utf-8")
        for _ in range(2):
            start, before = perf_counter(), getrusage(RUSAGE_CHILDREN).ru_utime
            command = [sys.executable, "-m", "hbspec", "check", ".", "--fix", "--exit-zero", "--statistics"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ}, check=True)
            took, worked = perf_counter() - start, getrusage(RUSAGE_CHILDREN).ru_utime - before
            fixed = done.stderr.count("fixed ")
            print(f"{files:,} files, {fixed:,} fixed: {took:.1f} s, {worked:.1f} s of a processor (aim: {AIM} s)")


if __name__ == "__main__":
    main()
