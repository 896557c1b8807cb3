"""GPU memory while an engine quantises weights as it loads them.

vLLM makes an fp8 module on the GPU in 16 bits when its tensors arrive, and quantises it as soon as it is whole
(vllm-project/vllm pull request 31914; layers/quantization/online/fp8.py); of fused experts the module is all experts of
a layer. bitsandbytes' loader moves one tensor of the checkpoint at a time (model_loader/bitsandbytes_loader.py).

Left out: what else a module's quantised weights replace, and older releases, which held all weights in 16 bits first
(pull request 32773 names 0.13 and 0.14); AWS's images that are compiled have later ones. How long quantising takes is
not known, as no measurement is published: the time that an endpoint may take to start assumes a rate.
"""

from __future__ import annotations

from collections.abc import Mapping

from hbspec.catalog import Architecture
from hbspec.catalog.parameters import Weight, weights
from hbspec.estimators.serving.constants import CONTEXT_BYTES
from hbspec.estimators.serving.memory import gpu_weights, served_model
from hbspec.plan import ServingPlan
from hbspec.units import Interval

AT_LOAD = ("nf4", "fp8")
"""What 16-bit weights are quantised to while they are loaded."""
QUANTISING = "a published measurement of how long weights are quantised while they are loaded"
"""Why the time of loading is not calculated."""
LINEAR = ("linear", "own_linear", "expert")
FUSED: Mapping[str, str] = {
    **dict.fromkeys(("q_proj", "k_proj", "v_proj"), "qkv_proj"),
    **dict.fromkeys(("gate_proj", "up_proj"), "gate_up_proj"),
}
"""vLLM's module of several tensors of a checkpoint (`packed_modules_mapping` of its models)."""


def loading_bytes(plan: ServingPlan) -> Interval | None:
    """Bytes per GPU at the end of loading, with the engine's overhead; None where weights are stored as served.

    Low: only what is served. Expected: the largest unit beside it in 16 bits. High: all units of a layer, where the
    checkpoint's files cut a layer, so that parts wait for each other.

    Raises:
        NotKnownError: as for `served_weights`.
    """
    if plan.quantization not in AT_LOAD or plan.stored is not None:
        return None
    sizes = unit_bytes(served_model(plan), plan.quantization)
    parts = plan.tensor_parallel
    beside = Interval(0, max(sizes.values()) / parts, sum(sizes.values()) / parts)
    return CONTEXT_BYTES + beside + gpu_weights(plan)


def unit_bytes(architecture: Architecture, quantization: str) -> dict[str, int]:
    """Bytes in 16 bits of what is on the GPUs at once, by name, over all GPUs; one of each that a layer has."""
    sizes: dict[str, int] = {}
    for weight in weights(architecture):
        if weight.kind in LINEAR:
            size, name = 2 * weight.rows * weight.columns, weight.place
            if quantization == "fp8":
                size, name = size * weight.copies, _module(weight)
            sizes[name] = sizes.get(name, 0) + size
    return sizes


def _module(weight: Weight) -> str:
    """The name of vLLM's module that holds a weight."""
    above, _, leaf = weight.place.rpartition(".")
    return above if weight.kind == "expert" else f"{above}.{FUSED.get(leaf, leaf)}"
