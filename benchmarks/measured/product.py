"""The product's own words on each row of the tables, by constants that never saw the row's source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from hbspec.diagnostics import known
from hbspec.estimators.serving.constants import ENGINE, SERVED, SERVING, EngineConstants, ServedConstants
from hbspec.estimators.serving.held import activations_of, engine_of, fixed_terms
from hbspec.estimators.serving.memory import served_model
from hbspec.estimators.serving.prefill import first_token_seconds, token_seconds
from hbspec.estimators.serving.profiled import EngineSettings, graph_bytes, outside_bytes
from hbspec.estimators.serving.room import cache_tokens
from hbspec.estimators.step.communication import on_nvlink
from hbspec.plan import ServingPlan
from hbspec.units import GIB, Interval
from measured.served import Point, Start, plan_of, points, starts
from measured.served_score import CACHE, FIRST, MEMORY, PARTS, STEP, Compared, compared

MILLISECONDS = 1000.0
GRAPHED = 256
"""Requests of the largest CUDA graph of SGLang, at most, on one GPU of 80 GB."""


def judged(
    engine: Callable[[str], EngineConstants] = lambda _: ENGINE,
    served: Callable[[str], ServedConstants] = lambda _: SERVED,
) -> list[Compared]:
    """Every value of the tables beside its estimate.

    Args:
        engine: for each source the constants of memory; those shipped unless given.
        served: for each source the constants of speed; likewise.
    """
    found = [one for row in starts() for one in _started(row, engine(row.source))]
    for point in points():
        if point.ttft_ms is not None:
            found.append(compared(point, FIRST, point.ttft_ms, lambda one: first_token(one, served(one.source))))
        if point.tpot_ms is not None:
            found.append(compared(point, STEP, point.tpot_ms, lambda one: step(one, served(one.source))))
    return found


def _started(row: Start, constants: EngineConstants) -> Iterator[Compared]:
    """What one start of an engine printed: the tokens of its cache, and what it holds beside the cache."""
    if row.tokens is not None:
        yield compared(row, CACHE, row.tokens, lambda one: held(one, constants))
    parts = dict(zip(PARTS, (row.weights_gib, row.activations_gib, row.outside_gib, row.graphs_gib), strict=True))
    for name, logged in {MEMORY: row.total_gib, **parts}.items():
        if logged is not None:
            yield compared(row, name, logged, partial(_part, name, constants))


def held(row: Start, constants: EngineConstants) -> Interval:
    """The tokens that the cache holds, with the settings of the row's engine."""
    return known(cache_tokens(plan_of(row), settings_of(row), constants), "a cache without windows on a known GPU")


def settings_of(row: Start) -> EngineSettings:
    """The settings of the row's engine."""
    return EngineSettings(row.max_num_batched_tokens, row.max_num_seqs or GRAPHED, row.version, row.eager)


def on_cards(plan: ServingPlan) -> bool:
    """Whether no NVLink joins the GPUs."""
    return not on_nvlink(known(plan.hardware, "a GPU"))


def _part(name: str, constants: EngineConstants, row: Start) -> Interval:
    return beside(row, constants)[name]


def beside(row: Start, constants: EngineConstants) -> dict[str, Interval]:
    """GiB of each GPU beside its cache: all that counts against its share, and each part that a log names."""
    plan = plan_of(row)
    settings, parts = settings_of(row), row.tensor_parallel
    fixed = fixed_terms(plan)
    weights = Interval.exact(float(fixed["weights"] + fixed["adapters"]))
    activations = activations_of(plan, settings, constants)
    found = {
        MEMORY: weights + activations + engine_of(plan, settings, constants),
        "weights": weights,
        "activations": activations,
        "outside of PyTorch": outside_bytes(settings, parts, constants, cards=on_cards(plan)),
        "CUDA graphs": graph_bytes(served_model(plan), settings, constants),
    }
    return {name: size * (1 / GIB) for name, size in found.items()}


def first_token(row: Point, constants: ServedConstants) -> Interval:
    """Milliseconds to the first token."""
    speed = SERVING._replace(served=constants)
    return first_token_seconds(plan_of(row), row.prompt, row.concurrency, speed) * MILLISECONDS


def step(row: Point, constants: ServedConstants) -> Interval:
    """Milliseconds of each further token."""
    speed, plan = SERVING._replace(served=constants), plan_of(row)
    return token_seconds(plan, row.prompt, row.answer, row.concurrency, speed, cached=row.cached) * MILLISECONDS
