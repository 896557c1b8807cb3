"""Exact counts for an architecture: parameters, LoRA parameters, bytes of NF4 weights, bytes of KV cache.

Each is a sum over `hbspec.catalog.weights`, and the tests compare each with transformers 5.23.0, peft 0.21.2 and
bitsandbytes 0.50.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hbspec.catalog.adapters import lora_parameters
from hbspec.catalog.architecture import Architecture
from hbspec.catalog.roles import TargetError, fused_targets, target_module_names
from hbspec.catalog.weight import Weight
from hbspec.catalog.weights import updated_weights, weights

__all__ = [
    "QuantizedBytes",
    "TargetError",
    "Weight",
    "active_parameters",
    "embedding_parameters",
    "fused_targets",
    "head_parameters",
    "idle_parameters",
    "kv_cache_bytes_per_token",
    "language_parameters",
    "linear_parameters",
    "lora_parameters",
    "nf4_bytes",
    "target_module_names",
    "total_parameters",
    "weights",
]

NF4_BLOCK = 64
"""Weights that share one scale: the default blocksize of `bitsandbytes.functional.quantize_4bit`."""

NESTED_BLOCK = 256
"""Scales that share one second-level scale under double quantisation (`quantize_blockwise`, same file)."""

NF4_CODE_BYTES = 16 * 4
"""The sixteen NF4 levels in fp32, held by each quantised module."""

NESTED_CODE_BYTES = 256 * 4 + 4
"""The 256 levels of the scales in fp32 and their common offset, held by each quantised module."""


def total_parameters(architecture: Architecture) -> int:
    """The number of all parameters that are loaded, each counted once: a tied head adds none, a tower is among them."""
    return language_parameters(architecture) + _count(architecture.tower)


def language_parameters(architecture: Architecture) -> int:
    """The number of parameters of the language model, without a tower for images or sound beside it."""
    return _count(weights(architecture))


def active_parameters(architecture: Architecture) -> int:
    """The number of parameters active for one token of text: all but a tower and the experts that it does not visit."""
    idle = architecture.num_experts - architecture.num_experts_per_tok
    resting = (weight.parameters // weight.copies * idle for weight in weights(architecture) if weight.copies > 1)
    return language_parameters(architecture) - sum(resting) - idle_parameters(architecture)


def idle_parameters(architecture: Architecture) -> int:
    """The number of parameters of layers that text does not run, as those of a recorded model that attend to images."""
    return language_parameters(architecture) - _count(updated_weights(architecture))


def linear_parameters(architecture: Architecture) -> int:
    """The number of weights that bitsandbytes quantises: every `nn.Linear` but the output head, without biases.

    Fused experts and routers are not included, so the count for Mixtral 8x7B is only 2.9 % of its parameters.
    """
    present = (*weights(architecture), *architecture.tower)
    return _count(weight for weight in present if weight.kind == "linear")


def embedding_parameters(architecture: Architecture) -> int:
    """The number of parameters in the token embedding."""
    return architecture.vocab_size * architecture.hidden_size


def decaying_share(architecture: Architecture) -> float:
    """The share of the language model's parameters that the larger of the Trainer's groups has; 1 in most families."""
    undecayed = architecture.family.undecayed
    if not undecayed:
        return 1.0
    kept = _count(weight for weight in weights(architecture) if weight.name in undecayed)
    share = kept / language_parameters(architecture)
    return max(share, 1 - share)


def head_parameters(architecture: Architecture) -> int:
    """The number of parameters in the output head; 0 where it is tied to the embedding."""
    return _count(weight for weight in weights(architecture) if weight.kind == "head")


def kv_cache_bytes_per_token(architecture: Architecture, bytes_per_element: int = 2) -> int:
    """Bytes of keys and values per token: 2 · key-value heads · head_dim · element size for each layer that attends.

    Of latent attention, an engine caches the latent and what all heads of keys share.

    An upper bound where layers have a sliding window or an attention chunk: for a longer request, an engine may keep
    only the window for those layers. The state of linear attention does not grow with the tokens and is not in it.
    """
    if architecture.latent_attention is not None:
        return architecture.num_hidden_layers * architecture.latent_attention.compressed * bytes_per_element
    return 2 * sum(heads.key_value_size * layers for heads, layers in architecture.attention) * bytes_per_element


class QuantizedBytes(NamedTuple):
    """The size of a model after `load_in_4bit`, in bytes unless stated otherwise.

    Attributes:
        packed: the 4-bit codes, two per byte.
        scales: one scale per block, and under double quantisation the scales of the scales.
        constants: code books and offsets, the same for every quantised module regardless of its size.
        kept_parameters: number of unquantised parameters: embedding, head, norms, biases, routers, fused experts.
    """

    packed: int
    scales: int
    constants: int
    kept_parameters: int

    @property
    def quantized(self) -> int:
        """Bytes of all quantised modules."""
        return self.packed + self.scales + self.constants

    def total(self, kept_bytes: int = 2) -> int:
        """Bytes of the whole model with `kept_bytes` bytes per unquantised parameter.

        `prepare_model_for_kbit_training` makes that 4, including fused experts.
        """
        return self.quantized + self.kept_parameters * kept_bytes


def nf4_bytes(
    architecture: Architecture, *, double_quant: bool = True, kinds: tuple[str, ...] = ("linear",)
) -> QuantizedBytes:
    """Bytes of a model loaded with NF4 weights, by default as transformers quantises them.

    For a module of n weights, with B = ceil(n / 64) blocks: packed ceil(n / 2), whatever `bnb_4bit_quant_storage` calls
    the bytes; scales 4 B, or B + 4 ceil(B / 256) with double quantisation; constants 64, or 1,092 with it. Source:
    bitsandbytes 0.50.2, `functional.quantize_4bit` and the `quantize_4bit` kernels. Left out: the allocator's rounding
    of each tensor to 512 bytes.

    Args:
        architecture: the model.
        double_quant: `bnb_4bit_use_double_quant`.
        kinds: the kinds of weights that are quantised.
    """
    packed = scales = constants = quantized = 0
    for weight in (*weights(architecture), *architecture.tower):
        if weight.kind not in kinds:
            continue
        quantized += weight.parameters
        elements = weight.rows * weight.columns
        blocks = -(-elements // NF4_BLOCK)
        nested = blocks + 4 * -(-blocks // NESTED_BLOCK)
        packed += weight.count * -(-elements // 2)
        scales += weight.count * (nested if double_quant else 4 * blocks)
        constants += weight.count * (NF4_CODE_BYTES + (NESTED_CODE_BYTES if double_quant else 0))
    return QuantizedBytes(packed, scales, constants, total_parameters(architecture) - quantized)


def _count(selected: Iterable[Weight]) -> int:
    return sum(weight.parameters for weight in selected)
