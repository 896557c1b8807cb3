"""What `hbspec check` says of jobs whose end is known, from public reports written as specs.

    python benchmarks/reports.py FOLDER

Every `*.yaml` of the folder is checked. Its first line is a comment that begins with `# expect:` and says what
happened: `does_not_fit`, `fits` or `tight`, or somewhere in it `save out of memory`, `runs out of memory` or `training
ran`; whatever else it says counts as other. A
spec that ran out of memory must not be called "fits"; one that ran must not have an error of a rule whose summary names
memory. A spec that cannot be read has no verdict, and is listed with the first of its errors.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from hbspec import InvalidSpecError, check, estimate
from hbspec.diagnostics import Severity
from hbspec.manual.rules import read, stems

WRONG_INPUT = 2

Happened = Literal["ran out of memory", "ran", "other"]
HAPPENED: tuple[Happened, ...] = ("ran out of memory", "ran", "other")

WORDS: tuple[tuple[str, Happened], ...] = (
    (r"does_not_fit\b|.*\bsave out of memory\b|.*\bruns out of memory\b", "ran out of memory"),
    (r"(fits|tight)\b|.*\btraining ran\b", "ran"),
)
"""How the comment goes on after `# expect:`; the first that matches counts."""

ERROR, NOT_READ = "an error about memory", "not read"


class Case(NamedTuple):
    """One report.

    Attributes:
        said: `ERROR`, `NOT_READ`, or the verdict on the GPU's memory.
        codes: the errors about memory, or the first one of a spec that is not read.
    """

    name: str
    happened: Happened
    said: str
    codes: tuple[str, ...]


def happened(comment: str) -> Happened:
    """What the first line of a spec says that happened.

    >>> happened("# expect: does_not_fit (dies while loading). https://…")
    'ran out of memory'
    >>> happened("# expect: HB204 (qproj is not a module)")
    'other'
    """
    expected = comment.partition("expect:")[2].strip()
    return next((kind for pattern, kind in WORDS if re.match(pattern, expected)), "other")


def case_of(path: Path) -> Case:
    """A report beside what is said of it."""
    comment = path.read_text(encoding="utf-8").partition("\n")[0]
    found = [entry.code for entry in check(path).diagnostics if entry.severity is Severity.ERROR]
    about_memory = tuple(dict.fromkeys(code for code in found if code in memory_rules()))
    if about_memory:
        return Case(path.stem, happened(comment), ERROR, about_memory)
    try:
        memory = estimate(path).memory
    except InvalidSpecError:
        return Case(path.stem, happened(comment), NOT_READ, tuple(found[:1]))
    return Case(path.stem, happened(comment), memory.verdict if memory else "unknown", ())


def memory_rules() -> frozenset[str]:
    """The codes of the rules whose summary names memory."""
    pages = (read(stem) for stem in stems())
    return frozenset(page.code for page in pages if re.search(r"\bmemory\b", page.summary))


def lines(cases: Sequence[Case]) -> Iterator[str]:
    """Counts by what happened and what is said, and the names behind all that is not the plain right answer."""
    yield f"{len(cases)} reports"
    for kind, aim in zip(HAPPENED, ("   (aim: 0 fits)", f"   (aim: 0 {ERROR})", ""), strict=True):
        members = [case for case in cases if case.happened == kind]
        counts = [f"{sum(case.said == said for case in members)} {said}" for said in _order(members)]
        yield ""
        yield f"{kind}: {len(members)}, called {', '.join(counts) or 'nothing'}{aim}"
        right = ERROR if kind == "ran out of memory" else "fits"
        for case in sorted(members, key=lambda one: (one.said, one.name)):
            if case.said != right:
                yield f"  {case.said:<22}{case.name}{''.join(f'  {code}' for code in case.codes)}"


def _order(cases: Iterable[Case]) -> tuple[str, ...]:
    said = {case.said for case in cases}
    return tuple(name for name in ("fits", "tight", "does_not_fit", ERROR, "unknown", NOT_READ) if name in said)


def main() -> int:
    """Prints the table of a folder; 2 where it holds no spec."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        print(f"reports.py: {folder} holds no *.yaml", file=sys.stderr)
        return WRONG_INPUT
    print("\n".join(lines([case_of(path) for path in paths])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
