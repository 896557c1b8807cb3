"""The model that a training job trains, as the engine of its rollouts answers with it."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.diagnostics import Missing, known
from hbspec.estimators.serving.memory import request_cache, served_weights
from hbspec.plan import Plan
from hbspec.plan.rollouts import COLOCATED, Rollouts
from hbspec.plan.serving import ServingPlan


class EngineRoom(NamedTuple):
    """Bytes of each GPU in a vLLM that generates on the GPUs that train.

    Attributes:
        share: all that it takes.
        weights: of it, its weights.
        longest: the keys and values of the longest request that it makes room for, which it refuses to start without
            (vLLM, `vllm/v1/core/kv_cache_utils.py`, `check_enough_kv_cache_memory`).
        window: tokens of that request.
    """

    share: int
    weights: int
    longest: int
    window: int

    @property
    def cache(self) -> int:
        """What its weights leave; its activations are left out."""
        return self.share - self.weights


def engine_room(plan: Plan, rollouts: Rollouts) -> EngineRoom:
    """What a colocated vLLM has, and what it needs to start.

    Raises:
        NotKnownError: the GPU's memory or the model is not known, or the cache of its layers is not counted.
    """
    served, gpu = generating_plan(plan, rollouts, 1), plan.require("hardware").gpu
    total = known(gpu.usable_bytes, Missing(f"the memory of {gpu.name}", ("instance",)))
    window = rollouts.window or plan.require("architecture").max_position_embeddings
    return EngineRoom(
        share=round(rollouts.share * total),
        weights=-(-served_weights(served) // rollouts.parts),
        longest=round(request_cache(served, window) / rollouts.parts),
        window=window,
    )


def generating_plan(plan: Plan, rollouts: Rollouts, rows: int) -> ServingPlan:
    """The model as the engine of a rollout answers with it."""
    training, colocated = plan.training, rollouts.engine == COLOCATED
    return ServingPlan(
        architecture=plan.architecture,
        hardware=plan.hardware,
        region=None,
        price=None,
        engine="vllm" if colocated else "transformers",
        quantization=training.quantization or "none",
        dtype=training.compute_dtype,
        kv_cache_dtype="auto",
        adapters="merged",
        lora_r=0,
        lora_parameters=None,
        max_lora_rank=0,
        tensor_parallel=rollouts.parts if colocated else plan.tensor_parallel,
        max_model_len=None,
        concurrency=rows,
        utilization=rollouts.share,
        input_tokens=0.0,
        output_tokens=None,
        scaling=(1, 1),
        assumptions=(),
    )
