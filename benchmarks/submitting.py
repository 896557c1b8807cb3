"""How long `hbspec submit --dry-run` takes until it says what it would create.

    python benchmarks/submitting.py [--rounds 3] [SPEC]

Each round is a process of its own, from its start to the last line. Wall time is the fastest of the rounds, since other
programs on the machine only add to it; so is the processor's time. Exit code 1: more than 2 seconds of the processor.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
SPEC = ROOT / "specs/heartbeat.yaml"
AIM_SECONDS = 2.0


class DryRun(NamedTuple):
    """Seconds on the wall and of the processor, and what was printed last."""

    wall: float
    processor: float
    last: str


def dry_run(spec: Path) -> DryRun:
    """A submission that asks AWS nothing.

    Raises:
        RuntimeError: it fails.
    """
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    words = [sys.executable, "-m", "hbspec", "submit", str(spec), "--dry-run"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    wall, after = perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stderr)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return DryRun(wall, processor, done.stdout.splitlines()[-1])


def main() -> int:
    """Print what a dry run takes, and return 1 if the aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", nargs="?", type=Path, default=SPEC)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    found = [dry_run(given.spec) for _ in range(given.rounds)]
    wall, processor = min(one.wall for one in found), min(one.processor for one in found)
    print(f"submit --dry-run: {wall:.2f} s wall, {processor:.2f} s processor (aim: {AIM_SECONDS:g} s)")
    print(found[0].last)
    return int(processor > AIM_SECONDS)


if __name__ == "__main__":
    raise SystemExit(main())
