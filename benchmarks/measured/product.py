"""The product's own words on each row of the tables."""

from __future__ import annotations

from hbspec.diagnostics import known
from hbspec.estimators.serving.decoding import prefill_seconds, step_of
from hbspec.estimators.serving.profiled import EngineSettings
from hbspec.estimators.serving.room import cache_tokens
from hbspec.units import Interval
from measured.served import Point, Start, plan_of, points, starts
from measured.served_score import CACHE, FIRST, STEP, Compared, compared

MILLISECONDS = 1000.0


def judged() -> list[Compared]:
    """Every value of the tables beside its estimate."""
    found = [compared(row, CACHE, row.tokens, held) for row in starts()]
    for point in points():
        if point.ttft_ms is not None:
            found.append(compared(point, FIRST, point.ttft_ms, first_token))
        if point.tpot_ms is not None:
            found.append(compared(point, STEP, point.tpot_ms, step))
    return found


def held(row: Start) -> Interval:
    """The tokens that the cache holds, with the settings of the row's engine."""
    settings = EngineSettings(row.max_num_batched_tokens, row.max_num_seqs, row.version, row.eager)
    return known(cache_tokens(plan_of(row), settings), "a cache without windows on a known GPU")


def first_token(row: Point) -> Interval:
    """Milliseconds to the first token."""
    return prefill_seconds(plan_of(row), row.prompt) * MILLISECONDS


def step(row: Point) -> Interval:
    """Milliseconds of each further token."""
    return step_of(plan_of(row), row.prompt + row.answer / 2, row.concurrency).interval() * MILLISECONDS
