"""The spec of a job as it runs on the machine at hand: its GPUs, or its CPU, instead of those that the spec names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hbspec.measure.gpus import GpuAtHand, MachineAtHand
from hbspec.plan import Plan
from hbspec.plan.calibration import gpus_used

HARDWARE = (
    "type", "alternatives", "count", "region", "spot", "max_wait", "price", "volume", "keep_alive", "gpu", "gpus",
    "gpu_memory", "network",
)  # fmt: skip
"""Keys of `instance` that say on what a job runs, and what that costs."""

SHARING = ("sharding", "fsdp_version", "reshard_after_forward", "offload", "deepspeed", "tensor_parallel")
"""Keys of `instance` that say how GPUs share a job, of which one process on a CPU knows nothing."""

ON_CPU = ("bf16", "fp16", "activation_offloading", "liger", "attn_implementation")
"""Hyperparameters that need a GPU."""


def used(machine: MachineAtHand, plan: Plan | None) -> tuple[GpuAtHand, ...]:
    """The GPUs that the job uses here: as many as the spec's host has for it, as far as they are there."""
    wanted = gpus_used(plan) if plan is not None else None
    return machine.gpus[: wanted or len(machine.gpus)]


def on_gpus(values: Mapping[str, Any], gpus: tuple[GpuAtHand, ...]) -> tuple[str, ...]:
    """Overrides, as after `--set`, that put the job of a spec on these GPUs of one host."""
    first = gpus[0]
    named = {"gpu": first.called, "gpus": len(gpus)}
    if first.called == first.name:  # outside the catalog
        named["gpu_memory"] = f"{first.total} B"
    return (
        *_without(values, "instance", HARDWARE),
        *(f"instance.{key}={json.dumps(value)}" for key, value in named.items()),
        *_as_any(values),
    )


def on_cpu(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Overrides that run the job in one process on a CPU, in float32."""
    return (
        *_without(values, "instance", SHARING),
        "instance.parallelism=single",
        *_without(values, "hyperparameters", ON_CPU),
        "hyperparameters.bf16=false",
        *_as_any(values),
    )


def _as_any(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Without an earlier record, which must not decide what is predicted, and with the measured job's own template."""
    calibrated = ("calibration=null",) if "calibration" in values else ()
    return (*calibrated, *_without(values, "data", ("chat_template",)))


def _without(values: Mapping[str, Any], section: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    held = values.get(section)
    return tuple(f"{section}.{key}=null" for key in keys if isinstance(held, Mapping) and key in held)
