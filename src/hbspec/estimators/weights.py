"""Bytes of a model's weights on GPUs, while training and while serving."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from hbspec.catalog import Architecture
from hbspec.catalog.dtypes import BYTES
from hbspec.catalog.parameters import (
    NESTED_BLOCK,
    NESTED_CODE_BYTES,
    NF4_BLOCK,
    NF4_CODE_BYTES,
    Weight,
    nf4_bytes,
    weights,
)
from hbspec.diagnostics import NotKnownError
from hbspec.plan import Training
from hbspec.plan.epochs import EXACT_LINEAR, FUSED_EXPERTS

EMBEDDING, HEAD = "embedding", "output_head"

TOWER, QUANTIZED_TOWER = "tower", "quantized_tower"
"""A tower for images or sound beside the language model, which no text goes through: what of it is quantised, and the
rest. Its scales are among the scales of all."""


def training_weights(architecture: Architecture, training: Training) -> Mapping[str, int]:
    """Bytes of the base model while training, by term, with `embedding` and `output_head` as separate terms.

    Quantised (`method: qlora`): linear modules in 4 or 8 bits, everything else in `weights_dtype`. Otherwise:
    everything in `weights_dtype`.

    Source of the 4-bit sizes: `hbspec.catalog.parameters.nf4_bytes`. 8-bit: a byte a weight and an fp32 scale a row
    (bitsandbytes 0.50.2, `nn.Int8Params`). Left out: the allocator's rounding to 512 bytes, buffers of rotary
    embeddings (under 1 kB). Biases of quantised modules are 16-bit again after the first forward pass
    (`nn.Linear4bit.forward`), but for those of a tower, which does not run.
    """
    return _training_weights(
        architecture,
        training.quantization,
        training.double_quant,
        BYTES[training.weights_dtype],
        quantised_kinds(training),
    )


def quantised_kinds(training: Training) -> frozenset[str]:
    """Kinds of weights that are quantised, if the method quantises.

    They are what the version of transformers hands to bitsandbytes, and fused experts where the spec asks for it.
    """
    return _given(not training.has(EXACT_LINEAR), training.quantize_experts or not training.has(FUSED_EXPERTS))


@lru_cache(maxsize=4)
def _given(subclasses: bool, experts: bool) -> frozenset[str]:
    kinds = {"linear": True, "own_linear": subclasses, "expert": experts}
    return frozenset(kind for kind, given in kinds.items() if given)


@lru_cache(maxsize=256)
def _training_weights(
    architecture: Architecture, quantization: str | None, double_quant: bool, kept_bytes: int, given: frozenset[str]
) -> Mapping[str, int]:
    kept = {EMBEDDING: 0, HEAD: 0, "experts": 0, "linear_weights": 0, "norms_and_biases": 0}
    names = {"embedding": EMBEDDING, "head": HEAD, "expert": "experts", "linear": "linear_weights"}
    packed = scales = 0
    quantized = {weight.name for weight in weights(architecture) if weight.kind in given - {"expert"}}
    for weight in weights(architecture):
        if quantization and weight.kind in given:
            small, extra = quantized_bytes(weight, quantization, double_quant)
            packed, scales = packed + small, scales + extra
        else:
            narrow = quantization is not None and weight.name.removesuffix(".bias") in quantized
            size = min(2, kept_bytes) if narrow else kept_bytes
            kept[names.get(weight.kind, "norms_and_biases")] += weight.parameters * weight.element(size)
    found = {**kept, "quantized_weights": packed, "quantization_scales": scales}
    if not architecture.tower:
        return found
    beside, packed_beside = 0, 0
    for weight in architecture.tower:
        if quantization and weight.kind == "linear":
            small, extra = quantized_bytes(weight, quantization, double_quant)
            packed_beside, found["quantization_scales"] = packed_beside + small, found["quantization_scales"] + extra
        else:
            beside += weight.parameters * weight.element(kept_bytes)
    return {**found, TOWER: beside, QUANTIZED_TOWER: packed_beside}


def quantized_bytes(weight: Weight, quantization: str, double_quant: bool) -> tuple[int, int]:
    """Bytes of the codes, and bytes of the scales and constants, of one kind of weight.

    Raises:
        NotKnownError: training does not support the quantisation.
    """
    modules, elements = weight.count * weight.copies, weight.rows * weight.columns
    if quantization == "int8":
        return modules * elements, modules * 4 * weight.rows
    if quantization not in ("nf4", "fp4"):
        raise NotKnownError(f"the size of weights in {quantization}")
    blocks = -(-elements // NF4_BLOCK)
    if not double_quant:
        return modules * -(-elements // 2), modules * (4 * blocks + NF4_CODE_BYTES)
    nested = blocks + 4 * -(-blocks // NESTED_BLOCK)
    return modules * -(-elements // 2), modules * (nested + NF4_CODE_BYTES + NESTED_CODE_BYTES)


GROUP = 128
"""Weights that share a scale and a zero point under AWQ and GPTQ (the usual `group_size`)."""

GROUP_BYTES = 2.5
"""Bytes per group: a 16-bit scale and a 4-bit zero point."""

GROUPED_BYTES = {"awq": 0.5, "gptq": 0.5, "gptq8": 1.0, "q4_k_m": 4.85 / 8 - GROUP_BYTES / GROUP}
"""Bytes per weight without its share of the group. The last two are measured but cannot be named in a spec: GPTQ with 8
bits, and llama.cpp's mixture of 4 and 6 bits, 4.85 on average (ggml-org/llama.cpp, tools/quantize/README.md)."""


def serving_weights(architecture: Architecture, quantization: str) -> Mapping[str, int]:
    """Bytes of the model as served, by term; unquantised weights take 16 bits.

    nf4 and fp4: with double quantisation, as in training. awq and gptq: 4 bits, and 2.5 bytes for every 128 weights.
    fp8 and int8: one byte per weight and an fp32 scale per row. None of them quantises the embedding, head, norms or
    biases; experts are quantised by awq, gptq and fp8 (their checkpoints contain quantised experts) and not by
    bitsandbytes. A tower for images or sound is loaded with the language model, in 16 bits.

    Raises:
        NotKnownError: the quantisation is not listed here.
    """
    beside = tower_bytes(architecture)
    if quantization in ("nf4", "fp4"):
        sizes = nf4_bytes(architecture._replace(tower=()), kinds=LINEAR)
        return {"quantized_weights": sizes.quantized, "kept_weights": 2 * sizes.kept_parameters + beside}
    quantized, kept = 0, beside
    for weight in weights(architecture):
        if weight.kind in served_kinds(quantization):
            quantized += _served(weight, quantization)
        else:
            kept += 2 * weight.parameters
    return {"quantized_weights": quantized, "kept_weights": kept}


def tower_bytes(architecture: Architecture) -> int:
    """Bytes of a tower for images or sound as served, in 16 bits; 0 without one."""
    return 2 * sum(weight.parameters for weight in architecture.tower)


LINEAR = ("linear", "own_linear")
"""An engine has layers of its own, so that a subclass in transformers makes no difference."""

KINDS: Mapping[str, tuple[str, ...]] = {"none": (), **dict.fromkeys(("nf4", "fp4", "int8"), LINEAR)}
"""The kinds of weights that are served quantised, for quantisations that leave out experts."""


def served_kinds(quantization: str) -> tuple[str, ...]:
    """The kinds of weights that are served quantised."""
    return KINDS.get(quantization, (*LINEAR, "expert"))


@lru_cache(maxsize=256)
def served_experts(architecture: Architecture, quantization: str) -> int:
    """Bytes of all experts of all layers as served, included in `serving_weights`; 0 for a dense model.

    Raises:
        NotKnownError: as `serving_weights`.
    """
    kinds = served_kinds(quantization)
    experts = (weight for weight in weights(architecture) if weight.copies > 1)
    return sum(_served(one, quantization) if one.kind in kinds else 2 * one.parameters for one in experts)


def _served(weight: Weight, quantization: str) -> int:
    if quantization in GROUPED_BYTES:
        return int(weight.parameters * (GROUPED_BYTES[quantization] + GROUP_BYTES / GROUP))
    if quantization in ("fp8", "int8"):
        return weight.parameters + 4 * weight.count * weight.copies * weight.rows
    raise NotKnownError(f"the size of weights in {quantization}")


@lru_cache(maxsize=256)
def largest_linear(architecture: Architecture) -> int:
    """The number of elements in the largest weight of a linear module."""
    return max((weight.rows * weight.columns for weight in weights(architecture) if weight.kind == "linear"), default=0)


@lru_cache(maxsize=256)
def largest_experts(architecture: Architecture) -> int:
    """The number of elements in the largest fused parameter of experts; 0 for a dense model."""
    fused = (one.copies * one.rows * one.columns for one in weights(architecture) if one.kind == "expert")
    return max(fused, default=0)
