"""How near serving estimates come to what people measured: a row as a `ServingPlan`, its rate and its memory.

Every source weighs the same. Constants of a source that they were fitted to are those fitted without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.serving.constants import SERVING, ServingConstants
from hbspec.estimators.serving.decoding import step_of
from hbspec.estimators.serving.memory import request_cache
from hbspec.estimators.serving.prefill import prefill_seconds
from hbspec.estimators.serving.room import room_bytes
from hbspec.plan import Hardware, ServingPlan
from hbspec.units import Interval
from measured.models import NoArchitectureError, architecture_of
from measured.reason import NotExpressibleError
from measured.row import Row
from measured.serving_gpus import gpu_of
from measured.serving_memory import memory_of
from measured.serving_rows import ANY_NUMBER, Run, run_of

RATE, MEMORY = "decode_tokens_per_second", "serving_memory"
METRICS = (RATE, MEMORY)

PAGED = ("vllm", "vllm-v0", "tensorrt-llm", "sglang", "tgi", "lmdeploy")
"""Engines that answer no more requests at once than their cache holds, and let the others wait."""


USUAL_SEQS = 256
"""Requests that vLLM samples at once (`--max-num-seqs`), unless it is told."""


class ServingJudged(NamedTuple):
    """One value that a row states beside its estimate; without one, `reason` says why."""

    row: Row
    metric: str
    measured: float
    estimate: Interval | None
    reason: str | None
    stand_ins: tuple[str, ...] = ()


class Expressed(NamedTuple):
    """A run as a plan. Where layers take turns, the plan is of one GPU: the time is the same."""

    run: Run
    plan: ServingPlan
    stand_ins: tuple[str, ...]
    same_memory: bool


def express_serving(run: Run) -> Expressed:
    """The plan of a run.

    Raises:
        NotExpressibleError: with the reason.
    """
    try:
        found = architecture_of(run.model, None)
    except NoArchitectureError as reason:
        raise NotExpressibleError(str(reason)) from reason
    said = (*gpu_of(run.gpu)[1], *([found.stand_in] if found.stand_in else []))
    return Expressed(run, _plan(run, found.architecture), said, not found.stand_in)


@cache
def _plan(run: Run, architecture: Architecture) -> ServingPlan:
    gpu, _ = gpu_of(run.gpu)
    return ServingPlan(
        architecture=architecture,
        hardware=Hardware(run.gpu, None, gpu, run.gpus, 1, None),
        region=None,
        price=None,
        engine=run.engine,
        quantization=run.quantization,
        dtype=run.dtype,
        kv_cache_dtype=run.cache_dtype,
        adapters="merged",
        lora_r=0,
        lora_parameters=None,
        max_lora_rank=0,
        tensor_parallel=run.shared,
        max_model_len=run.prompt + run.answer,
        concurrency=min(run.requests, USUAL_SEQS),
        utilization=0.9,
        input_tokens=float(run.prompt),
        output_tokens=float(run.answer),
        scaling=(1, 1),
        assumptions=(),
    )


def at_once(case: Expressed) -> float:
    """Requests that are answered at once: all, or as many as the cache of a paged engine holds."""
    run, plan = case.run, case.plan
    room = room_bytes(plan) if run.engine in PAGED else None
    if room is None or plan.architecture is None:
        if run.requests == ANY_NUMBER:
            raise NotExpressibleError("as many requests as an engine without a paged cache takes")
        return run.requests
    return max(1.0, min(run.requests, room.expected / request_cache(plan, run.prompt + run.answer)))


def rate_of(case: Expressed, constants: ServingConstants = SERVING) -> Interval:
    """What the row's rate would be, of all GPUs together.

    Raises:
        NotKnownError: a figure of the GPU is not known.
    """
    run, requests = case.run, at_once(case)
    seconds = step_of(case.plan, run.prompt + run.answer / 2, requests).interval(constants) * run.answer
    if not run.decode_only:
        seconds = seconds + prefill_seconds(case.plan, run.prompt, requests, constants)
    tokens = requests * (run.answer + run.prompt * run.counts_prompts)
    return Interval(tokens / seconds.high, tokens / seconds.expected, tokens / seconds.low)


def judge_serving(row: Row, constants: ServingConstants = SERVING) -> Sequence[ServingJudged]:
    """Every value of a serving row beside its estimate."""
    stated = memory_of(row)
    try:
        case = express_serving(run_of(row))
    except NotExpressibleError as reason:
        values = {RATE: row.number("tokens_per_s_per_gpu"), MEMORY: stated and stated.value}
        return [ServingJudged(row, name, value, None, str(reason)) for name, value in values.items() if value]
    judged = []
    if case.run.rate:
        judged.append(_entry(row, RATE, case.run.rate, lambda: rate_of(case, constants), case))
    if stated is not None and case.same_memory:
        judged.append(_entry(row, MEMORY, stated.value, lambda: stated.estimate(case.run, case.plan), case))
    elif stated is not None:
        judged.append(ServingJudged(row, MEMORY, stated.value, None, "a model that stands for another: time only"))
    return judged


def _entry(row: Row, metric: str, measured: float, estimate: Callable[[], Interval], case: Expressed) -> ServingJudged:
    try:
        return ServingJudged(row, metric, measured, estimate(), None, case.stand_ins)
    except (NotKnownError, NotExpressibleError) as reason:
        return ServingJudged(row, metric, measured, None, str(reason))
