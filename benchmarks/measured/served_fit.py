"""What is fitted about engines of a spec: constants of memory by start-up logs, of speed by sweeps.

They make the mean of |log(estimated / measured)| as small as they can, sources weighing the same, plus a small part of
how far they have moved from where the search begins, so that what nobody measured stays there. The ends of intervals
are not fitted: those of memory move with what is expected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from math import log
from typing import Any, TypeVar

from hbspec.diagnostics import NotKnownError, known
from hbspec.estimators.serving.constants import ENGINE, SERVED, EngineConstants, ServedConstants
from hbspec.estimators.serving.memory import gpu_weights, request_cache
from hbspec.estimators.serving.profiled import MORE_OUTSIDE
from hbspec.plan.engine_share import SGLANG
from hbspec.units import GIB, Interval
from measured.product import beside, first_token, held, step
from measured.quantile import quantile
from measured.reason import NotExpressibleError
from measured.served import DEPLOYED, FIRST_V1, KEPT_ASIDE, Point, Start, plan_of, points, starts
from measured.served_score import MEMORY

FIRST_STRIDE, LAST_STRIDE = 0.4, 0.04
FEW = 8
"""Requests at once up to which the time to the first token says something about a prompt, and not about a queue."""
HELD = 0.03
"""What moving a constant by a factor of e costs, in the error of one source."""

ENGINE_START: Mapping[str, float] = {
    "sampled_sorting": 38.0,
    "sampled": 14.0,
}
"""Where the search begins: the buffers of the sampler (logits in 16 and 32 bits, the same over the temperature,
probabilities; with a sort its values, 64-bit places and twice as much beside them, and sums of probabilities). What
one GPU holds outside of PyTorch, and what SGLang's share holds, are those of the median log; graphs and what GPUs that
share a model hold are read off the logs with all in view."""

SERVED_START: Mapping[str, float] = {
    "step": 1e-3,
    "streaming.hbm": 0.85,
    "streaming.gddr": 0.85,
    "prefilling.gddr": 0.7,
    "floor": 5e-3,
}
"""The same of speed. What a request more costs is that of older releases, and what is waited for that of the scheduler:
few sources have many requests at once, and those of one length
stay in step. The share of the peak on GPUs with HBM is assumed: one source alone is long at it."""

ON_CARDS = ("L40S", "RTX 4090")
"""GPUs of the table that no NVLink joins."""

R = TypeVar("R", Start, Point)
Values = dict[str, float]


def engine_constants(values: Mapping[str, float]) -> EngineConstants:
    """Constants of memory with these expected values; the ends are moved by as much."""
    changed = {name: getattr(ENGINE, name) * (value / getattr(ENGINE, name).expected) for name, value in values.items()}
    return ENGINE._replace(**changed)


def served_constants(values: Mapping[str, float]) -> ServedConstants:
    """Constants of speed with these values."""
    changed: dict[str, Any] = {}
    for name, value in values.items():
        field, _, key = name.partition(".")
        changed[field] = {**changed.get(field, getattr(SERVED, field)), key: value} if key else value
    return SERVED._replace(**changed)


@cache
def fitted_engine(left_out: str = "") -> EngineConstants:
    """Constants of memory, fitted to all sources but one."""
    rows = [row for row in _usable(starts(), left_out) if row.version >= FIRST_V1 and row.tensor_parallel == 1]
    rows = [row for row in rows if row.engine in DEPLOYED]
    rows = [row for row in rows if row.tokens is not None and _counted(row)]
    read = {name: found for name, found in _read_off(left_out).items() if found is not None}
    searched = _search(rows, ENGINE_START, lambda tried: _memory_errors(rows, engine_constants({**read, **tried})))
    return engine_constants({**read, **searched})


def _read_off(left_out: str) -> dict[str, float | None]:
    """What the median log says by constant, in bytes of a GPU; sources weigh the same."""
    found: dict[str, list[tuple[str, float]]] = {}
    for row in starts():
        if row.source == left_out:
            continue
        if row.engine == SGLANG:
            found.setdefault("static" if row.tensor_parallel == 1 else "static_joined", []).append(_taken(row))
        elif row.outside_gib is not None and (name := _outside(row)) is not None:
            found.setdefault(name, []).append((row.source, row.outside_gib * GIB))
    return {name: _median(values) for name, values in found.items()}


def _outside(row: Start) -> str | None:
    """The constant of which a log's memory outside of PyTorch is one; that of GPUs that NVLink joins is not fitted."""
    newer = row.version >= MORE_OUTSIDE
    if row.tensor_parallel == 1:
        return "outside" if newer else "outside_older"
    return None if newer or row.gpu not in ON_CARDS else "outside_cards"


def _taken(row: Start) -> tuple[str, float]:
    """What SGLang's share lacks beside weights and cache."""
    plan = plan_of(row)
    share = known(known(plan.hardware, "a GPU").gpu.usable_bytes, "its memory") * plan.utilization
    cache = known(row.tokens, "the tokens of a log") * request_cache(plan, 1) / row.tensor_parallel
    return row.source, share - gpu_weights(plan) - cache


def _median(values: Sequence[tuple[str, float]]) -> float | None:
    sizes = Counter(source for source, _ in values)
    return quantile([size for _, size in values], [1 / sizes[source] for source, _ in values], 0.5)


def fitted_served(left_out: str = "") -> ServedConstants:
    """Constants of speed, fitted to all sources but one; those without a part in them share one fit."""
    return _served(left_out if left_out in {point.source for point in points()} - KEPT_ASIDE else "")


@cache
def _served(left_out: str) -> ServedConstants:
    rows = _usable(points(), left_out)
    return served_constants(_search(rows, SERVED_START, lambda values: _speed_errors(rows, served_constants(values))))


def _usable(rows: Sequence[R], left_out: str) -> list[R]:
    unseen = {left_out, *KEPT_ASIDE}
    return [row for row in rows if row.source not in unseen and _expressed(row)]


def _expressed(row: Start | Point) -> bool:
    try:
        plan_of(row)
    except NotExpressibleError:
        return False
    return True


def _counted(row: Start) -> bool:
    """Whether one number of tokens is the whole cache's, as it is where no layer has a window."""
    try:
        return held(row, ENGINE).expected > 0
    except NotKnownError:
        return False


def _memory_errors(rows: Sequence[Start], constants: EngineConstants) -> Iterator[float]:
    for row in rows:
        found = [abs(log(max(held(row, constants).expected, 1.0) / known(row.tokens, "the tokens of a log")))]
        if row.total_gib is not None:
            found.append(abs(log(beside(row, constants)[MEMORY].expected / row.total_gib)))
        yield sum(found) / len(found)


def _speed_errors(rows: Sequence[Point], constants: ServedConstants) -> Iterator[float]:
    for row in rows:
        of: list[tuple[float | None, Callable[[Point, ServedConstants], Interval]]] = [
            (row.ttft_ms if row.concurrency <= FEW else None, first_token),
            (row.tpot_ms, step),
        ]
        errors = [abs(log(says(row, constants).expected / value)) for value, says in of if value is not None]
        yield sum(errors) / len(errors) if errors else 0.0


def _search(
    rows: Sequence[Start] | Sequence[Point], start: Mapping[str, float], errors: Callable[[Values], Iterator[float]]
) -> Values:
    sizes = Counter(row.source for row in rows)
    weights = [1 / sizes[row.source] for row in rows]

    def distance(values: Values) -> float:
        moved = sum(abs(log(values[name] / start[name])) for name in start)
        return sum(error * weight for error, weight in zip(errors(values), weights, strict=True)) + HELD * moved

    values, stride = dict(start), FIRST_STRIDE
    best = distance(values)
    while stride > LAST_STRIDE:
        before = best
        for name in start:
            for factor in (1 + stride, 1 / (1 + stride)):
                tried = {**values, name: values[name] * factor}
                if tried[name] > 1 and name.startswith(("streaming", "prefilling")):
                    continue
                found = distance(tried)
                if found < best:
                    values, best = tried, found
        if best == before:
            stride /= 2
    return {name: float(f"{value:.3g}") for name, value in values.items()}
