"""Models of a known family between which a model of an unknown one lies: one smaller, one as expected, and one larger.

They are shaped like Llama, or like Qwen's mixtures where there are routed experts. Each has the hidden size, the layers
and the heads of the unknown model's config, and as many parameters as an end of its bounds: widths of heads and MLPs
are chosen for it. What is estimated of the smallest and of the largest bounds what would be of the model itself, but
for what layers hold while they compute (`hbspec.estimators.training.bounded`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from hbspec.catalog.architecture import Architecture
from hbspec.catalog.bounds import Bounds
from hbspec.catalog.config_fields import LARGEST
from hbspec.catalog.weight import Weight

ENDS = ("low", "expected", "high")


class Bounding(NamedTuple):
    """Architectures by the ends of the bounds; `adapted` is the largest one whose experts may get adapters."""

    low: Architecture
    expected: Architecture
    high: Architecture
    adapted: Architecture | None


PACKED = 0.25
"""Share of the parameters of routed experts that the smallest model has where weights are quantised: in 16 bits, these
take no more than all of them would in 4 bits, if they were linear modules."""


def bounding(bounds: Bounds, *, whole: bool, quantised: bool = False) -> Bounding:
    """The architectures of some bounds.

    Args:
        bounds: those of the model.
        whole: whether all weights are trained, then those of encoders are taken for the language model's.
        quantised: whether linear modules are quantised.
    """
    if quantised:
        bounds = bounds._replace(experts=replace(bounds.experts, low=PACKED * bounds.experts.low))
    low, expected, high = (_architecture(bounds, end, whole=whole) for end in ENDS)
    adapted = _architecture(bounds, "high", whole=whole, adapted=True) if bounds.routed else None
    return Bounding(low, expected, high, adapted)


def _architecture(bounds: Bounds, end: str, *, whole: bool, adapted: bool = False) -> Architecture:
    hidden, layers = bounds.hidden_size, bounds.layers
    outside, beside = round(getattr(bounds.outside, end)), round(getattr(bounds.beside, end))
    tied = bounds.tied is True or (bounds.tied is None and end == "low")
    tables = hidden * (1 if tied else 2)
    vocabulary = max(1, min(bounds.vocabulary, outside // tables))
    inside = getattr(bounds.inside, end) + (outside - vocabulary * tables) + (beside if whole else 0)
    heads, width, inner = _widths(bounds, inside / layers, attention=1.0 if adapted else 0.5)
    config = {
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": 1,
        "num_key_value_heads": 1,
        "vocab_size": vocabulary,
        "max_position_embeddings": bounds.positions or LARGEST,
        "tie_word_embeddings": tied,
        "dtype": bounds.torch_dtype,
        **(_mixture(bounds, end, inner, adapted=adapted) if bounds.routed else {}),
    }
    found = Architecture.from_config(config)
    tower = (Weight("beside", "kept", 1, beside, 1),) if beside and not whole else ()
    return found._replace(
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=width,
        rotary_size=width,
        tower=tower,
        quant_method=bounds.quant_method,
    )


def _widths(bounds: Bounds, layer: float, attention: float) -> tuple[int, int, int]:
    """Heads, the width of each, and the width of the MLP, of a layer with so many parameters outside routed experts.

    Attention has as many as with heads that divide the residual stream, but at most a share of all; it has all of them
    where the share is 1, as in layers whose MLP is routed.
    """
    hidden, heads = bounds.hidden_size, min(bounds.heads, bounds.hidden_size)
    most = layer if attention == 1 else min(4 * hidden * hidden, attention * layer)
    width = max(1, -(-int(most) // (4 * hidden * heads)) if attention == 1 else int(most / (4 * hidden * heads)))
    inner = max(1, int((layer - 4 * hidden * heads * width - 2 * hidden) / (3 * hidden)))
    return heads, width, min(inner, LARGEST)


def _mixture(bounds: Bounds, end: str, inner: int, *, adapted: bool) -> Mapping[str, Any]:
    """Fields of a mixture whose layers are all routed.

    They have a shared expert for what others have beside their routed ones; where the experts may get adapters, which
    peft gives to those of some types, the attention has it.
    """
    one = getattr(bounds.experts, end) / (bounds.layers * bounds.routed * 3 * bounds.hidden_size)
    return {
        "model_type": "qwen3_moe" if adapted else "qwen2_moe",
        "num_experts": bounds.routed,
        "num_experts_per_tok": max(1, round(getattr(bounds.chosen, end))),
        "moe_intermediate_size": min(max(1, int(one)), LARGEST),
        "shared_expert_intermediate_size": inner,
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
    }
