"""The endpoint as it will run: every choice made."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from hbspec.catalog import Architecture, Catalog
from hbspec.diagnostics import NotKnownError
from hbspec.plan.hardware import Hardware, hardware
from hbspec.plan.money import UnitPrice, unit_price
from hbspec.plan.training import Assumption
from hbspec.spec import Spec

T = TypeVar("T")

DEFAULT_ENGINE = "vllm"
DEFAULT_MAX_LORA_RANK = 16
"""vLLM's `--max-lora-rank` (docs.vllm.ai, Engine Arguments)."""
DEFAULT_UTILIZATION = 0.9
"""vLLM's `--gpu-memory-utilization` (docs.vllm.ai, Engine Arguments)."""


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """What the endpoint holds and how; a part that cannot be known is None."""

    architecture: Architecture | None
    hardware: Hardware | None
    region: str | None
    price: UnitPrice | None
    engine: str
    quantization: str
    dtype: str
    kv_cache_dtype: str
    adapters: str
    lora_r: int
    lora_parameters: int | None
    max_lora_rank: int
    tensor_parallel: int
    max_model_len: int | None
    concurrency: int
    utilization: float
    input_tokens: float | None
    output_tokens: float | None
    assumptions: tuple[Assumption, ...]


def build_serving_plan(
    spec: Spec, catalog: Catalog, architecture: Architecture | None, trainable: int | None, mean_tokens: float | None
) -> ServingPlan | None:
    """The plan of `deployment`; None where the spec has no such section.

    Args:
        spec: the typed spec.
        catalog: what is true of the world.
        architecture: of the model, None where not known.
        trainable: adapter parameters, None where not known.
        mean_tokens: tokens of the mean training example, the prompt's length where none is given.
    """
    section = spec.deployment
    if section is None:
        return None
    assumptions: list[Assumption] = []

    def assume(name: str, value: T | None, default: T, source: str) -> T:
        if value is not None:
            return value
        assumptions.append(Assumption(("deployment", name), default, source))
        return default

    machine = None
    where = section.instance
    with suppress(NotKnownError):  # the rules name the instance that is not known
        machine = hardware(catalog, where.type, where.gpu, where.gpus, where.count, None)
    adapted = spec.hyperparameters.method != "full"
    region = section.region or spec.instance.region
    bf16 = machine.gpu.bf16 if machine else None
    dtype = assume("dtype", section.dtype, "float16" if bf16 is False else "bfloat16", "what the GPU computes in")
    input_tokens = section.typical_input_tokens
    if input_tokens is None and mean_tokens is not None:
        input_tokens = assume("typical_input_tokens", None, round(mean_tokens), "the mean training example")
    return ServingPlan(
        architecture=architecture,
        hardware=machine,
        region=region,
        price=unit_price(catalog, where.price, where.type, region, "hosting"),
        engine=assume("engine", section.engine, DEFAULT_ENGINE, "the maintained SageMaker serving container"),
        quantization=section.quantization,
        dtype=dtype,
        kv_cache_dtype=section.kv_cache_dtype or "auto",
        adapters=assume("adapters", section.adapters, "merged", "no adapters at request time") if adapted else "merged",
        lora_r=(spec.hyperparameters.lora_r or 16) if adapted else 0,
        lora_parameters=trainable if adapted else None,
        max_lora_rank=section.max_lora_rank or DEFAULT_MAX_LORA_RANK,
        tensor_parallel=section.tensor_parallel or 1,
        max_model_len=section.max_model_len,
        concurrency=assume("concurrency", section.concurrency, 1, "one request at a time"),
        utilization=section.gpu_memory_utilization or DEFAULT_UTILIZATION,
        input_tokens=input_tokens,
        output_tokens=section.typical_output_tokens,
        assumptions=tuple(assumptions),
    )
