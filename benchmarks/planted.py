"""How many planted mistakes are found, at the key that is wrong, and what else is said about them.

    python benchmarks/planted.py DIR [--good DIR] [--as-of DAY]

DIR holds specs whose first line is `# planted: MISTAKE | expect: ROUTE|ROUTE | base: NAME`, and lists: a YAML file with
`cases`, each with `name`, `planted`, `base`, `set` (overrides as `--set` takes them) and `expect` (one route or more).
A base is a good spec of `--good`, by default the folder `good` beside DIR. What the base is told too is not counted,
and neither is a note. A mistake is found if a finding is at an expected route or below it; it is elsewhere if there are
findings, but none there; every further finding is a second one.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from hbspec.api import check
from hbspec.diagnostics import Diagnostic, Severity, route_text

HEADER = "# planted: "
FOUND, ELSEWHERE, MISSED = "found", "elsewhere", "missed"


class Planted(NamedTuple):
    """A mistake: the spec that has it with its overrides, the good spec it was made from, and where it is expected."""

    name: str
    mistake: str
    spec: Path
    overrides: tuple[str, ...]
    base: Path
    expected: tuple[str, ...]


class Outcome(NamedTuple):
    """What was said about a mistake: at its key or not, and the second findings."""

    case: Planted
    verdict: str
    said: tuple[Diagnostic, ...]

    @property
    def second(self) -> int:
        """How many findings there are beyond the first."""
        return max(0, len(self.said) - 1)


def read(folder: Path, good: Path) -> list[Planted]:
    """The planted mistakes of a folder, those of its subfolders included."""
    return [case for path in sorted(folder.rglob("*.yaml")) for case in _cases(path, good)]


def _cases(path: Path, good: Path) -> Iterator[Planted]:
    text = path.read_text(encoding="utf-8")
    if text.startswith(HEADER):
        mistake, routes, made_from = text.partition("\n")[0].removeprefix(HEADER).rsplit(" | ", 2)
        expected = routes.removeprefix("expect: ").split("|")
        yield Planted(path.stem, mistake, path, (), good / f"{made_from.removeprefix('base: ')}.yaml", tuple(expected))
        return
    for case in yaml.safe_load(text)["cases"]:
        spec = good / f"{case['base']}.yaml"
        expected = case["expect"] if isinstance(case["expect"], list) else [case["expect"]]
        yield Planted(case["name"], case["planted"], spec, tuple(case["set"]), spec, tuple(expected))


@cache
def said(spec: Path, overrides: tuple[str, ...], as_of: date) -> tuple[Diagnostic, ...]:
    """The errors and warnings of a spec."""
    report = check(spec, overrides=overrides, as_of=as_of)
    return tuple(entry for entry in report.diagnostics if entry.severity is not Severity.NOTE)


def outcome(case: Planted, as_of: date) -> Outcome:
    """What is said about a mistake beyond what its base is told."""
    known = {(entry.code, entry.route) for entry in said(case.base, (), as_of)}
    added = tuple(entry for entry in said(case.spec, case.overrides, as_of) if (entry.code, entry.route) not in known)
    if not added:
        return Outcome(case, MISSED, ())
    right = any(at_or_below(route_text(entry.route), route) for entry in added for route in case.expected)
    return Outcome(case, FOUND if right else ELSEWHERE, added)


def at_or_below(found: str, expected: str) -> bool:
    """Whether a finding is at an expected route or below it.

    >>> at_or_below("instance.alternatives.0", "instance.alternatives"), at_or_below("instance.type", "instance.t")
    (True, False)
    """
    return found == expected or found.startswith((f"{expected}.", f"{expected}["))


def main() -> int:
    """The command line; 1 if a mistake is missed, elsewhere or has a second finding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--good", type=Path)
    parser.add_argument("--as-of", type=date.fromisoformat, default=date.today())  # noqa: DTZ011 - a calendar day
    given = parser.parse_args()
    cases = read(given.folder, given.good or given.folder.parent / "good")
    outcomes = [outcome(case, given.as_of) for case in cases]
    for result in outcomes:
        if result.verdict != FOUND or result.second:
            findings = " ".join(f"{entry.code}@{route_text(entry.route)}" for entry in result.said)
            print(f"{result.verdict:<10}{result.case.name:<34}{result.case.mistake}")
            print(f"{'':10}expected at {' or '.join(result.case.expected)}; said: {findings or 'nothing'}")
    totals = Counter(result.verdict for result in outcomes)
    second = sum(result.second for result in outcomes)
    share = totals[FOUND] / len(outcomes) if outcomes else 0
    print(
        f"{len(outcomes)} mistakes: {totals[FOUND]} found ({share:.1%}), {totals[ELSEWHERE]} elsewhere, "
        f"{totals[MISSED]} missed; {second} second findings"
    )
    return int(totals[FOUND] < len(outcomes) or second > 0)


if __name__ == "__main__":
    raise SystemExit(main())
