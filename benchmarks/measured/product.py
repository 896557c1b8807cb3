"""The product's own words on each row of the tables, by constants that never saw the row's source."""

from __future__ import annotations

from collections.abc import Callable

from hbspec.diagnostics import known
from hbspec.estimators.serving.constants import ENGINE, SERVED, SERVING, EngineConstants, ServedConstants
from hbspec.estimators.serving.prefill import first_token_seconds, token_seconds
from hbspec.estimators.serving.profiled import EngineSettings
from hbspec.estimators.serving.room import cache_tokens
from hbspec.units import Interval
from measured.served import Point, Start, plan_of, points, starts
from measured.served_score import CACHE, FIRST, STEP, Compared, compared

MILLISECONDS = 1000.0


def judged(
    engine: Callable[[str], EngineConstants] = lambda _: ENGINE,
    served: Callable[[str], ServedConstants] = lambda _: SERVED,
) -> list[Compared]:
    """Every value of the tables beside its estimate.

    Args:
        engine: for each source the constants of memory; those shipped unless given.
        served: for each source the constants of speed; likewise.
    """
    found = [compared(row, CACHE, row.tokens, lambda one: held(one, engine(one.source))) for row in starts()]
    for point in points():
        if point.ttft_ms is not None:
            found.append(compared(point, FIRST, point.ttft_ms, lambda one: first_token(one, served(one.source))))
        if point.tpot_ms is not None:
            found.append(compared(point, STEP, point.tpot_ms, lambda one: step(one, served(one.source))))
    return found


def held(row: Start, constants: EngineConstants) -> Interval:
    """The tokens that the cache holds, with the settings of the row's engine."""
    settings = EngineSettings(row.max_num_batched_tokens, row.max_num_seqs, row.version, row.eager)
    return known(cache_tokens(plan_of(row), settings, constants), "a cache without windows on a known GPU")


def first_token(row: Point, constants: ServedConstants) -> Interval:
    """Milliseconds to the first token."""
    speed = SERVING._replace(served=constants)
    return first_token_seconds(plan_of(row), row.prompt, row.concurrency, speed) * MILLISECONDS


def step(row: Point, constants: ServedConstants) -> Interval:
    """Milliseconds of each further token."""
    speed, plan = SERVING._replace(served=constants), plan_of(row)
    return token_seconds(plan, row.prompt, row.answer, row.concurrency, speed, cached=row.cached) * MILLISECONDS
