"""The bounds of `monitoring`, and that a loss is a number, watched line by line: which broke, when, and by how much.

A loss that must decrease over N updates is watched in halves of N: the mean loss of each N/2 updates must be below that
of the N/2 before it. A single loss says little, since every update sees other examples. Metric lines that are means of
several updates count as so many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite, isnan
from typing import Any, NamedTuple

from hbspec.spec.monitoring import Monitoring
from hbspec.units import bytes_text, seconds_text, significant
from hbspec.watching.events import LoggedUpdate

ROUNDING = 1e-9
"""Relative difference of two means that is one of rounding: losses are logged with six digits."""

LOSS_IS_NUMBER = "loss"
LOSS_DECREASES = "monitoring.loss.decreasing_over"
GPU_MEMORY = "monitoring.gpu_memory.max"
FASTEST = "monitoring.step_time.min"
SLOWEST = "monitoring.step_time.max"
GRADIENT = "monitoring.gradient_norm.max"


def number_text(value: float) -> str:
    """A number to four significant digits; `nan` and `inf` as they are."""
    return significant(value, 4) if isfinite(value) else str(value)


TEXTS: dict[str, Callable[[float], str]] = {
    GPU_MEMORY: bytes_text,
    FASTEST: seconds_text,
    SLOWEST: seconds_text,
    GRADIENT: number_text,
    LOSS_DECREASES: number_text,
    LOSS_IS_NUMBER: number_text,
}
"""How a bound's values are written."""


class Breach(NamedTuple):
    """A bound that broke.

    Attributes:
        bound: its key in the spec, or `loss`.
        limit: the bound; for a loss, the mean of the updates before.
        step: the update at which it broke first, and `value` is what was measured there.
        worst: what was measured farthest from it, at update `worst_step`.
        lines: metric lines (of a loss that must decrease: halves of its window) that broke it.
    """

    bound: str
    limit: float | None
    step: int
    value: float
    worst_step: int
    worst: float
    lines: int

    @property
    def text(self) -> str:
        """What broke, in words and two numbers."""
        show = TEXTS[self.bound]
        if self.bound == LOSS_IS_NUMBER:
            return f"the loss is {self.value} at update {self.step:,}"
        if self.bound == LOSS_DECREASES:
            last = f"the mean loss up to update {self.step:,} is {show(self.value)}"
            return f"{last}, and that of as many updates before {show(self.limit or 0)}"
        side = "below" if self.bound == FASTEST else "above"
        first = f"{show(self.value)} at update {self.step:,} is {side} {show(self.limit or 0)}"
        more = f", in {self.lines:,} metric lines" if self.lines > 1 else ""
        return f"{first}; at worst {show(self.worst)} at update {self.worst_step:,}{more}" if more else first

    def to_dict(self) -> dict[str, Any]:
        """One entry of `broken` in JSON; a number that JSON does not have is a string."""
        return {
            "bound": self.bound,
            "limit": self.limit,
            "first": {"update": self.step, "value": plain(self.value)},
            "worst": {"update": self.worst_step, "value": plain(self.worst)},
            "lines": self.lines,
        }


def plain(value: float) -> float | str:
    """A number as JSON has it; NaN and infinities as strings."""
    return value if isfinite(value) else str(value)


class WatchedBounds:
    """The bounds of one spec, and what broke so far.

    Args:
        monitoring: the section of the spec; without one only the loss is watched for being a number.

    Attributes:
        limits: each bound that is watched, and its value.
        unsaid: metric lines that do not say what a bound is about.
    """

    def __init__(self, monitoring: Monitoring | None) -> None:
        self.broken: dict[str, Breach] = {}
        step = monitoring.step_time if monitoring else None
        self._fastest, self._slowest = (step.min, step.max) if step else (None, None)
        self._memory = monitoring.gpu_memory.max if monitoring and monitoring.gpu_memory else None
        self._gradient = monitoring.gradient_norm.max if monitoring and monitoring.gradient_norm else None
        window = monitoring.loss.decreasing_over if monitoring and monitoring.loss else None
        self._half = max(1, window // 2) if window else None
        self._sum, self._weight = 0.0, 0
        self._before: float | None = None
        limits = {GPU_MEMORY: self._memory, FASTEST: self._fastest, SLOWEST: self._slowest, GRADIENT: self._gradient}
        self.limits: dict[str, float | None] = {
            **{name: float(limit) for name, limit in limits.items() if limit is not None},
            **({LOSS_DECREASES: float(window)} if window else {}),
        }
        self.unsaid = dict.fromkeys(self.limits, 0)
        self.active = bool(self.limits)
        self.compared = False

    def take(self, update: LoggedUpdate, memory: int, weight: int, *, again: bool) -> None:
        """Look at a metric line.

        Args:
            update: the line.
            memory: bytes in use on the fullest GPU; 0 where the line does not say.
            weight: updates that the line is the mean of.
            again: whether its update was seen before.
        """
        step, loss, seconds = update.step, update.loss, update.seconds
        if not isfinite(loss):
            self._break(LOSS_IS_NUMBER, None, step, loss)
        if not self.active:
            return
        self._count_unsaid(memory, update)
        if self._memory is not None and memory > self._memory:
            self._break(GPU_MEMORY, self._memory, step, memory)
        if self._gradient is not None and update.gradient is not None and not update.gradient <= self._gradient:
            self._break(GRADIENT, self._gradient, step, update.gradient)  # NaN breaks it too
        if seconds is not None:
            if self._fastest is not None and seconds < self._fastest:
                self._break(FASTEST, self._fastest, step, seconds)
            if self._slowest is not None and seconds > self._slowest:
                self._break(SLOWEST, self._slowest, step, seconds)
        if self._half is not None and not again and isfinite(loss):
            self._add(step, loss, weight)

    def _count_unsaid(self, memory: int, update: LoggedUpdate) -> None:
        """Count what a line does not say: a metric may stop while others go on."""
        unsaid = {GPU_MEMORY: not memory, GRADIENT: update.gradient is None}
        unsaid |= dict.fromkeys((FASTEST, SLOWEST), update.seconds is None)
        for bound, is_unsaid in unsaid.items():
            if is_unsaid and bound in self.unsaid:
                self.unsaid[bound] += 1

    def admits(self, memory: int, gradients: tuple[float, float], seconds: tuple[float, float]) -> bool:
        """Whether no bound but that of the loss can break between these extremes: the most memory, and both ends."""
        return (
            (self._memory is None or memory <= self._memory)
            and (self._gradient is None or gradients[1] <= self._gradient)
            and (self._fastest is None or seconds[0] >= self._fastest)
            and (self._slowest is None or seconds[1] <= self._slowest)
        )

    def take_losses(self, first: int, losses: Sequence[float]) -> None:
        """Look at the finite losses of single updates in a row, of which the first is that of update `first`."""
        at = 0
        while self._half is not None and at < len(losses):
            part = losses[at : at + self._half - self._weight]
            at += len(part)
            self._sum += sum(part)
            self._weight += len(part)
            self._compare(first + at - 1)

    def _add(self, step: int, loss: float, weight: int) -> None:
        """Count a loss towards the half of the window that is under way."""
        self._sum += loss * weight
        self._weight += weight
        self._compare(step)

    def _compare(self, step: int) -> None:
        """Compare a half that is complete with the one before."""
        if self._half is None or self._weight < self._half:
            return
        mean = self._sum / self._weight
        if self._before is not None:
            self.compared = True
            if mean > self._before - ROUNDING * abs(self._before):
                self._break(LOSS_DECREASES, self._before, step, mean)
        self._sum, self._weight, self._before = 0.0, 0, mean

    def _break(self, bound: str, limit: float | None, step: int, value: float) -> None:
        known = self.broken.get(bound)
        if known is None:
            self.broken[bound] = Breach(bound, limit, step, value, step, value, 1)
            return
        worse = isnan(value) or (value < known.worst if bound == FASTEST else value > known.worst)
        worst = (step, value) if worse and not isnan(known.worst) else (known.worst_step, known.worst)
        self.broken[bound] = known._replace(worst_step=worst[0], worst=worst[1], lines=known.lines + 1)
