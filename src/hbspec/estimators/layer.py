"""The widths of one decoder layer: what activations and products are proportional to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from hbspec.catalog import Architecture
from hbspec.catalog.parameters import Weight, fused_targets, weights
from hbspec.plan import Training


@dataclass(frozen=True, slots=True)
class Layer:
    """Widths of one layer, in numbers a token.

    A model with several kinds of layers is described by its widest. Under tensor parallelism of t, attention and MLP
    are one t-th each, the hidden size is whole.

    Attributes:
        hidden, query, key_value, intermediate: h, q, k and I of the formulas. In a sparse layer I is what all
            experts that a token visits hold together, the shared one included.
        heads: query heads.
        norms: RMS norms over the hidden size.
        head_norms: whether queries and keys are normalised too.
        routed: how often a token is copied to an expert; 0 is a dense layer.
        adapted: modules with an adapter.
        adapter_inputs: sum of their input widths.
        adapter_outputs: sum of their output widths.
        adapts_attention, adapts_mlp, adapts_down: whether any of q, k, v, any of gate and up, and down are adapted.
        largest: numbers in the largest linear weight.
    """

    hidden: int
    query: int
    key_value: int
    intermediate: int
    heads: int
    norms: int
    head_norms: bool
    routed: int
    adapted: int
    adapter_inputs: int
    adapter_outputs: int
    adapts_attention: bool
    adapts_mlp: bool
    adapts_down: bool
    largest: int


@lru_cache(maxsize=256)
def layer_of(architecture: Architecture, targets: str | tuple[str, ...], tensor_parallel: int) -> Layer:
    """The widest layer of a model, with the adapters that `targets` puts on it (`()` is none)."""
    linear = [weight for weight in weights(architecture) if weight.kind == "linear"]
    adapted = [weight for weight in linear if is_target(weight, targets)]
    leaves = {weight.leaf for weight in adapted}
    per_token = architecture.num_experts_per_tok
    dense = architecture.intermediate_size if len(architecture.moe_layers) < architecture.num_hidden_layers else 0
    sparse = per_token * architecture.moe_intermediate_size + architecture.shared_expert_intermediate_size
    inputs, outputs = (
        sum(getattr(weight, side) * weight.count for weight in adapted) // architecture.num_hidden_layers
        for side in ("columns", "rows")
    )
    fused = fused_targets(architecture, targets) if targets else ()
    if fused:
        inputs += per_token * (architecture.hidden_size + architecture.moe_intermediate_size)
        outputs += per_token * (architecture.hidden_size + 2 * architecture.moe_intermediate_size)
    return Layer(
        hidden=architecture.hidden_size,
        query=architecture.query_size // tensor_parallel,
        key_value=max(architecture.head_dim, architecture.key_value_size // tensor_parallel),
        intermediate=max(dense, sparse) // tensor_parallel,
        heads=max(1, architecture.num_attention_heads // tensor_parallel),
        norms=4 if architecture.sandwich_norm else 2,
        head_norms=architecture.qk_norm,
        routed=per_token if architecture.is_sparse else 0,
        adapted=len(adapted) + 2 * bool(fused),
        adapter_inputs=inputs,
        adapter_outputs=outputs,
        adapts_attention=bool(leaves & {"q_proj", "k_proj", "v_proj", "qkv_proj"}),
        adapts_mlp=bool(leaves & {"gate_proj", "up_proj", "gate_up_proj"}),
        adapts_down="down_proj" in leaves,
        largest=max((weight.rows * weight.columns for weight in linear), default=0) // tensor_parallel,
    )


def targets_of(training: Training) -> str | tuple[str, ...]:
    """The adapted modules of a plan; none where everything is trained."""
    return training.target_modules if training.adapters else ()


def is_target(weight: Weight, targets: str | tuple[str, ...]) -> bool:
    """Whether peft would adapt a linear module."""
    return targets == "all-linear" or weight.leaf in targets or weight.name in targets
