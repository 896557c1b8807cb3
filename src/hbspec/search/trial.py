"""A change that is tried: the changed spec, and the time and the cost that it leads to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from hbspec.analysis.analysis import Analysis
from hbspec.analysis.change import Change
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.cost import Cost, cost
from hbspec.estimators.job.time import Time
from hbspec.estimators.training.memory import fullness

WORTH_SAYING = 0.01
"""Share of cost or time that a use of the headroom has to save: less is lost in the width of the estimates."""

WORTH_A_CHANGE = 0.05
"""Share of cost or time that a second change has to save: below it, the first alone is the better advice."""


class Burden(NamedTuple):
    """Time and cost of a job, None where they are not known.

    `whole` is the cost without the runtime limit, where the limit may stop the job: being stopped early saves nothing.
    """

    time: Time | None = None
    cost: Cost | None = None
    whole: Cost | None = None

    @property
    def seconds(self) -> float | None:
        """Expected seconds of the whole job."""
        return self.time.total_seconds.expected if self.time else None

    @property
    def amount(self) -> float | None:
        """Expected cost of the whole job, in its currency."""
        bill = self.whole or self.cost
        return float(bill.expected) if bill else None


@dataclass(frozen=True, eq=False)
class Trial:
    """A change, and the analysis of the changed spec."""

    change: Change
    analysis: Analysis

    @cached_property
    def burden(self) -> Burden:
        """What the changed job takes."""
        try:
            time = self.analysis.time
        except NotKnownError:
            return Burden()
        try:
            whole = cost(self.analysis.plan, time.to_the_end) if time.may_be_stopped else None
            return Burden(time, self.analysis.cost, whole)
        except NotKnownError:
            return Burden(time)

    @cached_property
    def fullness(self) -> float:
        """The largest share of a GPU's usable memory that its tensors may take.

        Raises:
            NotKnownError: the memory that is needed or usable is not known.
        """
        return fullness(self.analysis.plan)

    @property
    def rank(self) -> tuple[float, float, int]:
        """Expected cost, expected time, number of settings; an unknown value ranks last."""
        factor = 1 + WORTH_A_CHANGE * self.change.kind.count("+")
        amount, seconds = _rounded(self.burden.amount, factor), _rounded(self.burden.seconds, factor)
        return amount, seconds, len(self.change.settings)


def saves(now: Burden, then: Burden) -> bool:
    """Whether a change saves money, or saves time and costs no more."""
    cost, time = _saved(now.amount, then.amount), _saved(now.seconds, then.seconds)
    if cost is not None and cost >= WORTH_SAYING:
        return True
    return time is not None and time >= WORTH_SAYING and (cost is None or cost >= 0)


def _saved(now: float | None, then: float | None) -> float | None:
    """The share saved; None where either value is not known."""
    return None if now is None or then is None or not now else 1 - then / now


def _rounded(value: float | None, factor: float) -> float:
    """The value times the factor, to three digits: smaller differences count as none, and the simpler change wins."""
    return float("inf") if value is None else float(f"{value * factor:.3g}")
