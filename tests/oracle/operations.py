"""hbspec's floating-point operations for a case, beside those that its trace counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from hbspec.catalog import Architecture
from hbspec.estimators.step.flops import Flops, micro_batch_flops
from oracle.agreement import plan_of
from oracle.case import Case

LIMIT, MEDIAN = 0.01, 0.001
"""How far the closed form may be from any trace, in total and on each side, and in the median."""

SIDES = ("forward", "recompute", "backward")


@dataclass(frozen=True, slots=True)
class Operations:
    """A case's operations twice; `traced` by side."""

    case: Case
    traced: Mapping[str, int]
    closed: Flops

    @property
    def error(self) -> float:
        """Of the closed form in total, as a fraction of the trace."""
        return self.closed.total / sum(self.traced.values()) - 1

    @property
    def errors(self) -> dict[str, float]:
        """The same by side; where the trace has no operations, any at all are an error of 1."""
        found = {}
        for side in SIDES:
            closed, traced = getattr(self.closed, side).total, self.traced.get(side, 0)
            found[side] = closed / traced - 1 if traced else float(closed != 0)
        return found

    @property
    def worst(self) -> float:
        """The largest of all these errors, without its sign."""
        return max(abs(self.error), *(abs(error) for error in self.errors.values()))


def operations(case: Case, entry: Mapping[str, Any]) -> Operations:
    """A trace's count beside the closed form's."""
    architecture, training = Architecture.from_config(case.values), plan_of(case).training
    scored = None if training.loss == "standard" else case.scored
    return Operations(case, entry["flops"], micro_batch_flops(architecture, training, case.tokens, scored=scored))


def table(found: list[Operations]) -> Iterator[str]:
    """Those that differ by more than the median may, the worst first, then the quantiles."""
    for one in sorted(found, key=lambda one: -one.worst):
        if one.worst > MEDIAN:
            by_side = ", ".join(f"{side} {error:+.3%}" for side, error in one.errors.items())
            yield f"{one.error:>+9.3%} {sum(one.traced.values()):>20,}  {one.case.text}\n{'':>32}{by_side}"
    errors = sorted(abs(one.error) for one in found)
    close = sum(error <= LIMIT for error in errors)
    worst = max(one.worst for one in found)
    yield (
        f"FLOPs: {len(errors)} cases, {close} within {LIMIT:.0%}: median {median(errors):.6%}, worst {errors[-1]:.6%}; "
        f"worst of any pass {worst:.6%}"
    )
