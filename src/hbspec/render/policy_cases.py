"""The cases of a policy's cases as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hbspec.policy.cases import JudgedCase
from hbspec.render.lines import Line, wrapped
from hbspec.units import counted


def case_lines(cases: Sequence[JudgedCase], width: int | None = None) -> Iterator[Line]:
    """One line for each case that holds, several for one that does not, and a summary, within a width."""
    for line in _lines(cases):
        yield from wrapped(line, width, indent=12)


def _lines(cases: Sequence[JudgedCase]) -> Iterator[Line]:
    for case in cases:
        style, word = ("good", "ok") if case.ok else ("error", "failed")
        yield ((style, word), ("", f"  {case.expected.file}"))
        if not case.ok:
            yield (("", f"  {case.expected.place}"),)
            yield (("", f"  expected: {_listed(case.expected.breaks)}"),)
            yield (("", f"  broken:   {'not judged: ' + case.why if case.broke is None else _listed(case.broke)}"),)
    failed = sum(not case.ok for case in cases)
    yield (("error" if failed else "", f"{counted(len(cases), 'case')}, {failed} failed"),)


def _listed(lines: frozenset[str]) -> str:
    return ", ".join(sorted(lines)) or "no line"
