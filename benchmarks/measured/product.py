"""The product's own words on each row of the tables."""

from __future__ import annotations

from hbspec.diagnostics import known
from hbspec.estimators.serving.constants import CONTEXT_BYTES
from hbspec.estimators.serving.decoding import prefill_seconds, step_of
from hbspec.estimators.serving.memory import request_cache, room_bytes
from hbspec.units import Interval
from measured.served import Point, Start, plan_of, points, starts
from measured.served_score import CACHE, FIRST, STEP, Compared, compared

MILLISECONDS = 1000.0


def judged() -> list[Compared]:
    """Every value of the tables beside its estimate."""
    found = [compared(row, CACHE, row.tokens, cache_tokens) for row in starts()]
    for point in points():
        if point.ttft_ms is not None:
            found.append(compared(point, FIRST, point.ttft_ms, first_token))
        if point.tpot_ms is not None:
            found.append(compared(point, STEP, point.tpot_ms, step))
    return found


def cache_tokens(row: Start) -> Interval:
    """The tokens that the cache holds."""
    plan = plan_of(row)
    each = request_cache(plan, 1)
    low, expected, high = (
        known(room_bytes(plan, engine), "the GPU's memory") / each
        for engine in (CONTEXT_BYTES.high, CONTEXT_BYTES.expected, CONTEXT_BYTES.low)
    )
    return Interval(low, expected, high)


def first_token(row: Point) -> Interval:
    """Milliseconds to the first token."""
    return prefill_seconds(plan_of(row), row.prompt) * MILLISECONDS


def step(row: Point) -> Interval:
    """Milliseconds of each further token."""
    return step_of(plan_of(row), row.prompt + row.answer / 2, row.concurrency).interval() * MILLISECONDS
