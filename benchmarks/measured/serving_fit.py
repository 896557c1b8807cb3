"""What is fitted about the speed of serving: `ServingConstants`, by the rates that sources measured.

Engines that launch kernels one by one and engines with graphs are fitted apart:
they share what is not fitted, `compute` and `prefill`. The constants make the mean of |log(estimated / measured)| as
small as they can, sources weighing the same, plus a small part of how far they have moved from `START`, so that what
nobody measured stays there; the width is a pair of quantiles of measured / estimated.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log
from typing import Any, NamedTuple

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.serving.constants import ServingConstants
from hbspec.estimators.serving.decoding import DecodingStep, step_of
from hbspec.estimators.serving.prefill import prompt_seconds
from hbspec.units import Interval
from measured.quantile import quantile
from measured.reason import NotExpressibleError
from measured.row import Row
from measured.serving import at_once, express_serving
from measured.serving_rows import run_of

QUANTILES = (0.03, 0.97)
"""Of the weight of the observations, below low and high of the error."""

FIRST_STRIDE, LAST_STRIDE = 0.3, 0.02
"""How far a constant is moved to see whether that is better, as a share of it, first and last."""

HELD = 0.03
"""What moving a constant by a factor of e costs, in the error of one source."""

UNSEEN = 1.13
"""How much farther a source that was not fitted to may lie, at either end: leaving sources out shows it."""

UNFITTED = Interval(0.65, 1.0, 1.5)
"""The error of a family of engines that no source measured: an assumption."""

START = ServingConstants(
    layer=0.8e-3,
    launches={"gptq": 1.1, "gptq8": 1.3, "awq": 1.25, "nf4": 1.5, "int8": 3.0},
    host={"desktop": 0.6, "old": 1.4},
    eager_bandwidth=0.75,
    old_cache=3.0,
    old_cache_group=4.0,
    unpacked={"nf4": 4.5, "gptq": 2.0, "gptq8": 2.0, "awq": 2.0},
    step=2.5e-3,
    steps={"tensorrt-llm": 0.8, "llama.cpp": 0.8, "autoawq": 0.8, "fused": 0.8},
    request=50e-6,
    graph_layer=10e-6,
    quantised_layer=30e-6,
    bandwidth=0.85,
    reduction=20e-6,
    compute=0.5,
    prefill=0.45,
    error={"eager": UNFITTED, "graph": UNFITTED},
)
"""Where the search begins, and what a constant is where no observation says anything about it: what engines' own
documentation and profiles say of launches (5 to 10 microseconds a kernel, about a hundred a layer), of schedulers
(milliseconds a step), of NCCL (tens of microseconds a sum), of bandwidth (the best products reach 85 %)."""

EAGER = ("layer", "launches", "host", "eager_bandwidth", "old_cache", "old_cache_group", "unpacked")
GRAPH = ("step", "steps", "request", "graph_layer", "quantised_layer", "bandwidth", "reduction")


class Observation(NamedTuple):
    """What one row says.

    Attributes:
        answer: tokens, which is steps.
        prompts: operations of reading all prompts over the GPUs' peak, seconds; 0 where the rate leaves them out.
        seconds: of all requests, as measured.
        step: what a step in the middle of the answers asks for.
    """

    id: str
    source: str
    answer: int
    prompts: float
    seconds: float
    step: DecodingStep

    @classmethod
    def of(cls, values: dict[str, Any]) -> Observation:
        """As `to_dict` has it."""
        return cls(**{**values, "step": DecodingStep(*values["step"])})

    def to_dict(self) -> dict[str, Any]:
        """As on disk, without the sums over PCIe and the kind of memory, which are not fitted here."""
        return {**self._asdict(), "step": list(self.step[: DecodingStep._fields.index("over_pcie")])}

    def estimated(self, constants: ServingConstants) -> float:
        """Seconds of all requests by some constants."""
        step = max(self.step.seconds(constants), self.step.least)
        return self.answer * step + (max(self.prompts / constants.prefill, step) if self.prompts else 0.0)


def observations(rows: Iterable[Row]) -> tuple[Observation, ...]:
    """Every row of serving that states a rate."""
    return tuple(found for row in rows if row["kind"] == "infer" and (found := _observation(row)) is not None)


def _observation(row: Row) -> Observation | None:
    try:
        run = run_of(row)
        if run.rate is None:
            return None
        case = express_serving(run)
        requests = at_once(case)
        step = step_of(case.plan, run.prompt + run.answer / 2, requests)
        prompts = 0.0 if run.decode_only else prompt_seconds(case.plan, run.prompt, requests)
    except (NotExpressibleError, NotKnownError):
        return None
    tokens = requests * (run.answer + run.prompt * run.counts_prompts)
    rounded = DecodingStep._make(float(f"{value:.4g}") if isinstance(value, float) else value for value in step)
    return Observation(
        row["id"], row.source, run.answer, float(f"{prompts:.4g}"), float(f"{tokens / run.rate:.5g}"), rounded
    )


def fit(found: Sequence[Observation]) -> ServingConstants:
    """The constants that some observations give; the rest as assumed."""
    constants = START
    for family, names, eager in (("eager", EAGER, True), ("graph", GRAPH, False)):
        members = [one for one in found if one.step.eager == eager]
        if members:
            constants = _search(members, constants, names)
            constants = constants._replace(error={**constants.error, family: _error(members, constants)})
    return constants


def _search(found: Sequence[Observation], constants: ServingConstants, names: Sequence[str]) -> ServingConstants:
    weights, stride = _weights(found), FIRST_STRIDE
    keys = [(name, key) for name in names for key in _keys(START, name)]
    best = _distance(found, weights, constants, keys)
    while stride > LAST_STRIDE:
        before = best
        for name, key in keys:
            for factor in (1 + stride, 1 / (1 + stride)):
                tried = _with(constants, name, key, _get(constants, name, key) * factor)
                if tried.bandwidth > 1 or tried.eager_bandwidth > 1:
                    continue
                distance = _distance(found, weights, tried, keys)
                if distance < best:
                    constants, best = tried, distance
        if best == before:
            stride /= 2
    for name, key in keys:
        constants = _with(constants, name, key, float(f"{_get(constants, name, key):.3g}"))
    return constants


def _keys(constants: ServingConstants, name: str) -> tuple[str, ...]:
    value = getattr(constants, name)
    return ("",) if isinstance(value, float) else tuple(value)


def _get(constants: ServingConstants, name: str, key: str) -> float:
    value = getattr(constants, name)
    return float(value[key] if key else value)


def _with(constants: ServingConstants, name: str, key: str, value: float) -> ServingConstants:
    changed: Any = {**getattr(constants, name), key: value} if key else value
    return constants._replace(**{name: changed})


def _weights(found: Sequence[Observation]) -> list[float]:
    sizes = Counter(one.source for one in found)
    return [1 / sizes[one.source] for one in found]


def _distance(
    found: Sequence[Observation],
    weights: Sequence[float],
    constants: ServingConstants,
    keys: Sequence[tuple[str, str]],
) -> float:
    errors = (abs(log(one.estimated(constants) / one.seconds)) for one in found)
    moved = sum(abs(log(_get(constants, name, key) / _get(START, name, key))) for name, key in keys)
    return sum(error * weight for error, weight in zip(errors, weights, strict=True)) + HELD * moved


def _error(found: Sequence[Observation], constants: ServingConstants) -> Interval:
    """Measured over estimated."""
    ratios = [one.seconds / one.estimated(constants) for one in found]
    low, high = (quantile(ratios, _weights(found), share) or 1.0 for share in QUANTILES)
    return Interval(round(min(low, 1.0) / UNSEEN, 2), 1.0, round(max(high, 1.0) * UNSEEN, 2))


def constants_text(constants: ServingConstants) -> str:
    """As source code."""
    said = []
    for name, value in constants._asdict().items():
        if name == "served":
            continue
        if name == "error":
            value = (
                "{" + ", ".join(f'"{key}": Interval({a.low}, {a.expected}, {a.high})' for key, a in value.items()) + "}"
            )
        said.append(f"    {name}={json.dumps(value) if isinstance(value, dict) else value},")
    return "\n".join(said)
