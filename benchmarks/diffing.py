"""How long `hbspec diff` takes between two revisions of a repository with many specs.

    python benchmarks/diffing.py [--specs 100] [--changed 10]

A repository is made in a temporary folder: specs that all differ (`benchmarks/many_specs.py`) and all extend one base.
The second revision changes some of them; the third changes the base, and with it every spec. One process each, from its
start to its end, on one core.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import perf_counter
from typing import Any

from many_specs import specs

AIM = 10.0
HBSPEC = Path(sys.executable).parent / "hbspec"
IDENTITY = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.com", "-c", "commit.gpgsign=false")


def main() -> None:
    """Prints one line for each pair of revisions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--specs", type=int, default=100)
    parser.add_argument("--changed", type=int, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hbspec-diffing-") as name:
        folder = Path(name)
        made(folder, asked.specs, asked.changed)
        for old, new, what in (
            ("HEAD", "HEAD", "nothing"),
            ("HEAD~2", "HEAD~1", f"{asked.changed} of {asked.specs} specs"),
            ("HEAD~1", "HEAD", "the base of all of them"),
        ):
            print(f"{what} changed: {seconds(folder, f'{old}..{new}')}")


def made(folder: Path, number: int, changed: int) -> None:
    """Three revisions of a repository with so many specs."""
    git(folder, "init", "--quiet")
    (folder / "base.yaml").write_text(json.dumps({"budget": {"max_cost": "900 USD"}}))
    found: list[dict[str, Any]] = [{"extends": "./base.yaml", **spec} for spec in islice(specs(), number)]
    write(folder, found)
    for spec in found[:changed]:
        spec["hyperparameters"]["learning_rate"] = 2e-4
        spec["hyperparameters"]["per_device_batch_size"] += 1
    write(folder, found)
    (folder / "base.yaml").write_text(json.dumps({"budget": {"max_cost": "800 USD"}}))
    write(folder, found)


def write(folder: Path, found: list[dict[str, Any]]) -> None:
    """Write the specs, and commit them."""
    for number, spec in enumerate(found):
        (folder / f"spec-{number:03}.yaml").write_text(json.dumps(spec, indent=1))
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "specs")


def git(folder: Path, *words: str) -> None:
    """Run git, which must succeed."""
    subprocess.run(["git", *IDENTITY, *words], cwd=folder, check=True)


def seconds(folder: Path, revisions: str) -> str:
    """The seconds of one diff, on the clock and of the processor, and what it found."""
    start, before = perf_counter(), used()
    command = [str(HBSPEC), "diff", revisions, "--format", "json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    took, cpu = perf_counter() - start, used() - before
    if done.returncode > 1:
        sys.exit(done.stderr.decode())
    found = json.loads(done.stdout)
    judged = f"{len(found['specs'])} judged twice, {found['unchanged']} not judged"
    return f"{took:.1f} s, {cpu:.1f} s of the processor ({judged}; aim: {AIM:.0f} s)"


def used() -> float:
    """Seconds of the processor that all processes that this one has started took."""
    found = getrusage(RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


if __name__ == "__main__":
    main()
