"""The file of `accelerate launch`: processes, machines, and how they share the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.analysis import Analysis
from hbspec.plan import Plan
from hbspec.plan.parallelism import Engine
from hbspec.targets.lowering.needs import Needs

FILE = "accelerate.yaml"
DEEPSPEED = "deepspeed.json"
PRECISION = {"bfloat16": "bf16", "float16": "fp16", "float32": "no"}
STRATEGIES = {
    ("full", True): "FULL_SHARD",
    ("full", False): "SHARD_GRAD_OP",
    ("hybrid", True): "HYBRID_SHARD",
    ("hybrid", False): "HYBRID_SHARD_ZERO2",
    ("none", True): "NO_SHARD",
    ("none", False): "NO_SHARD",
}
"""FSDP 1's names, by sharding and by whether gathered weights are freed (accelerate 1.15.0, `utils/constants.py`)."""


def accelerate_file(analysis: Analysis, needs: Needs) -> dict[str, Any]:
    """The values of accelerate's file (1.15.0, `commands/config/config_args.py`, `ClusterConfig`)."""
    plan = analysis.plan
    machine = plan.require("hardware")
    engine = plan.way.engine
    kinds = {Engine.NONE: "NO", Engine.DDP: "MULTI_GPU", Engine.FSDP: "FSDP", Engine.DEEPSPEED: "DEEPSPEED"}
    values: dict[str, Any] = {
        "compute_environment": "LOCAL_MACHINE",
        "debug": False,
        "distributed_type": kinds[engine],
        "machine_rank": 0,
        "main_training_function": "main",
        "num_machines": machine.instances,
        "num_processes": plan.require("processes"),
        "rdzv_backend": "static",
        "same_network": True,
        "use_cpu": False,
    }
    if engine is Engine.DEEPSPEED:  # accelerate refuses what the JSON says, too
        zero3 = plan.parallelism == "zero3"
        return values | {"deepspeed_config": {"deepspeed_config_file": DEEPSPEED, "zero3_init_flag": zero3}}
    values["mixed_precision"] = PRECISION[plan.training.compute_dtype]
    return values | ({"fsdp_config": _fsdp(analysis, needs)} if engine is Engine.FSDP else {})


def _fsdp(analysis: Analysis, needs: Needs) -> dict[str, Any]:
    plan, asked = analysis.plan, analysis.plan.fsdp
    if asked is None:
        raise ValueError("the plan has no FSDP")
    sharding = plan.sharding or "full"
    shards = "accelerate's file for FSDP 2 shards over all GPUs"
    needs.leave_out(
        asked.version == 2 and sharding != "full",
        ("instance", "sharding"),
        shards,
        "set it to full, or fsdp_version to 1",
    )
    needs.leave_out(
        plan.offload == "optimizer", ("instance", "offload"), "FSDP offloads all or nothing", "set it to all or none"
    )
    return {
        "fsdp_version": asked.version,
        "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
        "fsdp_reshard_after_forward": asked.reshards if asked.version == 2 else STRATEGIES[sharding, asked.reshards],
        "fsdp_activation_checkpointing": plan.training.gradient_checkpointing,
        "fsdp_offload_params": plan.offload == "all",
        "fsdp_cpu_ram_efficient_loading": plan.training.method != "qlora",
        "fsdp_state_dict_type": "FULL_STATE_DICT",
    }


def deepspeed_file(plan: Plan, given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """DeepSpeed's JSON: the author's, or the one that the shipped script hands over; None without DeepSpeed."""
    if plan.way.engine is not Engine.DEEPSPEED:
        return None
    if given is not None:
        return dict(given)
    parts = {"none": (), "optimizer": ("optimizer",), "all": ("optimizer", "param")}[plan.offload]
    return {
        "zero_optimization": {
            "stage": int(plan.parallelism.removeprefix("zero")),
            **{f"offload_{part}": {"device": "cpu"} for part in parts},
        },
        "bf16": {"enabled": "auto"},
        "fp16": {"enabled": "auto"},
        "gradient_clipping": "auto",
        "train_batch_size": "auto",
        "train_micro_batch_size_per_gpu": "auto",
        "gradient_accumulation_steps": "auto",
    }
