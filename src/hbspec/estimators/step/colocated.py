"""What a vLLM takes that generates completions on the GPUs that train."""

from __future__ import annotations

from hbspec.diagnostics import Missing, known
from hbspec.plan import Plan
from hbspec.plan.rollouts import COLOCATED


def engine_bytes(plan: Plan) -> int:
    """Bytes of each GPU that a colocated vLLM takes: its share of all of it, whatever its model needs.

    What it does not need for weights and activations it fills with its cache, of `gpu_memory_utilization` x the GPU's
    memory (docs.vllm.ai, Engine Arguments; TRL 1.16.0, `generation/vllm_generation.py`, `_init_vllm`).

    Raises:
        NotKnownError: the GPU's memory is not known.
    """
    rollouts = plan.training.rollouts
    if rollouts is None or rollouts.engine != COLOCATED:
        return 0
    gpu = plan.require("hardware").gpu
    return round(rollouts.share * known(gpu.usable_bytes, Missing(f"the memory of {gpu.name}", ("instance",))))
