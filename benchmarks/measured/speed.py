"""What is fitted about the speed of a step: six constants and the width of the error, by what sources measured.

One observation a row that states a rate: what one micro-batch asks of the GPU and of the host, and the seconds that an
update took. The constants make the mean of |log(estimated / measured)| as small as they can, sources weighing the same,
and stay where they were believed to be unless a good part of a source says otherwise; the width is a pair of quantiles
of measured / estimated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import inf, log
from typing import Any, NamedTuple

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.constants import STEP, StepConstants
from hbspec.estimators.step.duration import MicroBatch, micro_batch, update
from hbspec.units import Interval
from measured.mapping import express
from measured.quantile import quantile
from measured.reason import NotExpressibleError
from measured.row import Row
from measured.timing import data_of

QUANTILES = (0.01, 0.965)
"""Of the weight of the observations, below low and high of the error: more than the 90 % that are to be inside for
sources that were not seen."""

START = {
    "products": 0.9,
    "attention": 0.9,
    "crossings": 2.5,
    "unpacking": 2.5,
    "launch": 15e-6,
    "exposed": 0.75,
}
"""What is believed before any observation: products nearly as good as one alone; a write and one and a half reads; a
byte written and a quarter read, at half the bandwidth; an operator of eager PyTorch with its autograd and modules; a
quarter of what is sent hidden behind work, on whose GPU and memory it draws."""

MOST = {"exposed": 1.0}
"""What a constant cannot be above."""

BELIEF = 0.2
"""How much of a source's weight it takes to move a constant away from that."""

FIRST_STRIDE, LAST_STRIDE = 0.3, 0.003
"""How far a constant is moved to see whether that is better, as a share of it, first and last."""

FEW = 5
"""Rows below which a source weighs less than others: one row says little about how far rows are spread."""

LAUNCH_SPREAD = Interval(0.45, 1.0, 2.5)
"""Hosts differ: low and high of a launch around what is expected. Assumed; laptops' and old servers' cores are half as
fast, and Colab's T4 rows below 0.4B parameters take 1.5 to 2.5 times what Qwen's servers do."""


Values = dict[str, float]
"""The constants that are fitted, as numbers, since a search computes with them thousands of times."""


class Observation(NamedTuple):
    """What one row says.

    Attributes:
        accumulation: micro-batches of an update.
        update: seconds of the update itself, as computed.
        seconds: of an update, as measured.
        asked: what a micro-batch asks for.
    """

    id: str
    source: str
    accumulation: int
    update: float
    seconds: float
    asked: MicroBatch

    @classmethod
    def of(cls, values: dict[str, Any]) -> Observation:
        """As `to_dict` has it."""
        sent, known = Interval.exact(values["asked"]["sent"]), Interval.exact(1.0)
        return cls(**{**values, "asked": MicroBatch(**{**values["asked"], "sent": sent, "unknown": known})})

    def to_dict(self) -> dict[str, Any]:
        """As on disk."""
        asked = {name: value for name, value in self.asked._asdict().items() if name != "unknown"}
        return {**self._asdict(), "asked": {**asked, "sent": self.asked.sent.expected}}

    def estimated(self, values: Values) -> float:
        """Seconds of an update by some constants."""
        asked, sent = self.asked, self.asked.sent.expected
        on_gpu = self.work(values) + values["exposed"] * sent
        batch = max(on_gpu, self._launched(values), sent, asked.streamed) * asked.handover
        return self.accumulation * batch + self.update

    def work(self, values: Values) -> float:
        """Seconds of the GPU's kernels in a micro-batch."""
        asked = self.asked
        work = asked.products / values["products"] + asked.attention / values["attention"] + asked.weights
        return work + asked.written * values["crossings"] + asked.unpacked * values["unpacking"]

    def bound_by_work(self, values: Values) -> bool:
        """Whether neither the host nor the links take longest."""
        return self.work(values) > max(self._launched(values), self.asked.sent.expected, self.asked.streamed)

    def _launched(self, values: Values) -> float:
        return values["launch"] * (self.asked.launches + STEP.unit * self.asked.units)


def observations(rows: Iterable[Row]) -> tuple[Observation, ...]:
    """Every row that states a rate, whose lengths are known, and of whose GPU it is known what products reach."""
    return tuple(found for row in rows if (found := _observation(row)) is not None)


def _observation(row: Row) -> Observation | None:
    measured = row.measured("tokens_per_second_per_gpu")
    if measured is None:
        return None
    try:
        case = express(row)
        plan = case.with_values(data=data_of(case))
        asked, once = micro_batch(plan, plan.padded_row_tokens.expected), update(plan).seconds().expected
    except (NotExpressibleError, NotKnownError):
        return None
    if plan.hardware is None or plan.effective_batch_size is None or not asked.unknown.is_exact:
        return None
    seconds = plan.effective_batch_size * plan.row_tokens.expected / plan.hardware.gpus / measured
    rounded = asked._replace(
        products=_rounded(asked.products),
        attention=_rounded(asked.attention),
        weights=_rounded(asked.weights),
        written=_rounded(asked.written),
        unpacked=_rounded(asked.unpacked),
        streamed=_rounded(asked.streamed),
        sent=Interval.exact(_rounded(asked.sent.expected)),
    )
    return Observation(
        row["id"], row.source, plan.training.gradient_accumulation, round(once, 6), round(seconds, 5), rounded
    )


def _rounded(seconds: float) -> float:
    return float(f"{seconds:.4g}")


def values_of(constants: StepConstants) -> Values:
    """What is fitted of some constants, as numbers."""
    found = {name: getattr(constants, name) for name in START}
    return {name: value.expected if isinstance(value, Interval) else value for name, value in found.items()}


def fit(found: Sequence[Observation]) -> StepConstants:
    """The constants that some observations give; the rest as assumed."""
    if not found:
        return STEP
    values, stride = dict(START), FIRST_STRIDE
    best = _distance(found, values)
    while stride > LAST_STRIDE:
        before = best
        for name in START:
            for factor in (1 + stride, 1 / (1 + stride)):
                tried = {**values, name: min(values[name] * factor, MOST.get(name, inf))}
                distance = _distance(found, tried)
                if distance < best:
                    values, best = tried, distance
        if best == before:
            stride /= 2
    low, high = _error(found, values)
    return STEP._replace(
        products=float(f"{values['products']:.3g}"),
        attention=float(f"{values['attention']:.3g}"),
        crossings=float(f"{values['crossings']:.3g}"),
        unpacking=float(f"{values['unpacking']:.3g}"),
        launch=_spread(values["launch"]),
        exposed=Interval(0.0, float(f"{values['exposed']:.3g}"), 1.0),
        error=Interval(round(min(low, 1.0), 2), 1.0, round(max(high, 1.0), 2)),
    )


def _spread(launch: float) -> Interval:
    ends = LAUNCH_SPREAD * launch
    return Interval(*(float(f"{end:.3g}") for end in (ends.low, ends.expected, ends.high)))


def _weights(found: Sequence[Observation]) -> list[float]:
    sizes = Counter(one.source for one in found)
    return [1 / max(FEW, sizes[one.source]) for one in found]


def _distance(found: Sequence[Observation], values: Values) -> float:
    errors = (abs(log(one.estimated(values) / one.seconds)) for one in found)
    moved = sum(abs(log(value / START[name])) for name, value in values.items())
    return sum(error * weight for error, weight in zip(errors, _weights(found), strict=True)) + BELIEF * moved


def _error(found: Sequence[Observation], values: Values) -> tuple[float, float]:
    """Measured over estimated, where neither the host nor the links are what takes longest."""
    bound = [one for one in found if one.bound_by_work(values)]
    ratios = [one.seconds / one.estimated(values) for one in bound]
    low, high = (quantile(ratios, _weights(bound), share) or 1.0 for share in QUANTILES)
    return low, high
