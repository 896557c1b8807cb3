"""The DeepSpeed JSON sets another value than the spec.

Why: The estimate would describe another job than the one that runs. transformers refuses to train where a batch size, a
precision, a learning rate or the clipping of the JSON differs from its own arguments; it takes the stage and the
offload from the JSON. `auto` in the JSON takes the value of the spec.

Example:

    instance: {parallelism: zero2, deepspeed: ./zero3.ds.json}

Instead:

    instance: {parallelism: zero2, deepspeed: ./ds.json}

References:

    https://huggingface.co/docs/transformers/deepspeed
    https://www.deepspeed.ai/docs/config-json/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import ceil
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.catalog.deepspeed import AUTO
from hbspec.diagnostics import Finding, NotKnownError, Severity
from hbspec.plan.deepspeed import deepspeed
from hbspec.rules.rule import Rule, plain

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("instance", "deepspeed")


class Shared(NamedTuple):
    """A value that both files set: its key in the JSON, its name in the spec, and the spec's value."""

    key: str
    name: str
    value: Any


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the JSON with the spec: what transformers compares (`trainer_config_process`), stage and offload."""
    values, way = analysis.deepspeed_json, analysis.plan.way
    if values is None:
        return
    if way.zero_stage is None:
        yield RULE.at(
            ROUTE,
            f"parallelism: {way.name} does not run DeepSpeed, but deepspeed names a JSON",
            "use parallelism: zero1, zero2 or zero3, or delete instance.deepspeed",
            instead=(None,),
        )
        return
    zero = _at(values, "zero_optimization")
    stage = zero.get("stage", 0) if isinstance(zero, Mapping) else 0
    if stage != way.zero_stage:
        message = f"`zero_optimization.stage` is {_shown(stage)}, but parallelism is {way.name}"
        yield RULE.at(ROUTE, message, f"set `zero_optimization.stage` to {way.zero_stage}", instead=(None,))
    wanted, written = analysis.spec.instance.offload, deepspeed(values, way.zero_stage, None).offload
    if wanted is not None and wanted != written:
        message = f"the JSON offloads {_noun(written)}, but instance.offload is {wanted}"
        yield RULE.at(ROUTE, message, "delete instance.offload, which is then what the JSON says", instead=(None,))
    for shared in _shared(analysis):
        found = _at(values, shared.key)
        if found not in (None, AUTO) and found != shared.value:
            yield RULE.at(
                ROUTE,
                f"`{shared.key}` is {_shown(found)}, but {shared.name} is {_shown(shared.value)}",
                f'set `{shared.key}` to "auto"',
                instead=(None,),
            )


def _shared(analysis: Analysis) -> Iterator[Shared]:
    """What transformers 5.23.0 compares with its arguments (`integrations/deepspeed.py`)."""
    given, training = analysis.spec.hyperparameters, analysis.plan.training
    yield Shared("train_micro_batch_size_per_gpu", "per_device_batch_size", training.micro_batch)
    yield Shared("gradient_accumulation_steps", "gradient_accumulation_steps", training.gradient_accumulation)
    batch = analysis.plan.effective_batch_size
    if batch is not None:
        yield Shared("train_batch_size", "the effective batch", batch)
    clipping = 1.0 if given.max_grad_norm is None else given.max_grad_norm
    yield Shared("gradient_clipping", "max_grad_norm", clipping)
    yield Shared("bf16.enabled", "bf16", training.compute_dtype == "bfloat16")
    yield Shared("fp16.enabled", "fp16", training.compute_dtype == "float16")
    yield Shared("optimizer.params.lr", "learning_rate", given.learning_rate)
    yield Shared("optimizer.params.weight_decay", "weight_decay", given.weight_decay or 0.0)
    if analysis.spec.shipped:
        yield Shared("optimizer.params.betas", "the shipped script's betas", [0.9, 0.999])
        yield Shared("optimizer.params.eps", "the shipped script's epsilon", 1e-8)
    yield Shared("scheduler.params.warmup_max_lr", "learning_rate", given.learning_rate)
    with suppress(NotKnownError):
        updates = analysis.plan.updates
        yield Shared("scheduler.params.total_num_steps", "the number of updates", updates)
        warmup = training.warmup_steps or ceil(updates * (training.warmup_ratio or 0))
        yield Shared("scheduler.params.warmup_num_steps", "the warm-up in updates", max(1, warmup))


def _at(values: Mapping[str, Any], path: str) -> Any:
    found: Any = values
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _noun(offload: str) -> str:
    return {"none": "nothing", "optimizer": "optimizer states", "all": "optimizer states and weights"}[offload]


def _shown(value: Any) -> str:
    text = plain(value) if isinstance(value, float) else json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
