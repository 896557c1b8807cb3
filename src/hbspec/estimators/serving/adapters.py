"""GPU memory that vLLM reserves for adapters beside the weights."""

from __future__ import annotations

from hbspec.catalog import Architecture
from hbspec.catalog.parameters import weights

ADAPTED = ("linear", "own_linear", "expert")
SPLIT_INPUTS = ("o_proj", "down_proj")
"""Modules whose inputs are spread over the GPUs that share a layer (vLLM's `RowParallelLinear`); of all others the
outputs are."""


def slot_bytes(architecture: Architecture, rank: int, parts: int) -> int:
    """Bytes per GPU of one adapter's place, in 16 bits, of the engine's largest rank.

    vLLM reserves a place for every linear module of the decoder, whichever an adapter has, and for every expert's
    (vllm/lora/model_manager.py, `_create_lora_modules`; layers/fused_moe.py). Of the two matrices of a module the one
    on the side that is spread over GPUs is spread too, the other is on each (docs.vllm.ai, "LoRA Adapters",
    `fully_sharded_loras`). Left out: the places of the embedding and of the head, a few MB.

    Args:
        architecture: the model.
        rank: `max_lora_rank`, or the adapter's if larger.
        parts: GPUs that share every layer.
    """
    held = 0.0
    for weight in weights(architecture):
        if weight.kind not in ADAPTED:
            continue
        inputs, outputs = weight.columns, weight.rows
        spread, whole = (inputs, outputs) if weight.place.endswith(SPLIT_INPUTS) else (outputs, inputs)
        held += weight.modules * weight.copies * (spread / parts + whole)
    return round(2 * rank * held)
