"""What tells one model family from others, in the terms in which transformers' modeling code differs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

APART, JOINED = "apart", "joined"
"""How linear attention projects its input: by four modules, or by two, key head by key head."""


class Family(NamedTuple):
    """One `model_type`. A named tuple, since creating a dataclass of this size costs every check a millisecond.

    Attributes:
        defaults: every relevant field of config.json that the config class defines, with its default. Any other field
            is ignored, as transformers ignores it.
        fields: how config.json spells a size that has another name in most configs; either name is read.
        variants: layers that differ within the type, by a name of them: the values of the fields that say so, and how
            those layers are. The first that fits holds.
        refused: fields that change the layers in a way that is not counted where they are true.
        required: fields that do so where they are false.
        equal: fields that are counted only where they are null or equal to another one.
        expansion: how many times the residual stream an MLP is as wide where no width is said; 0 where one always is.
        one_key: there is one head of keys and values, whatever the config says.
        biases: the fields that say whether queries, keys and values have biases, the output projection, and the MLP;
            "" is never and "always" always.
        head_bias: the output head has a bias.
        heads_divide_hidden: the class refuses heads that do not divide the hidden size even if `head_dim` is set.
        norms: what the norms before attention, behind it, before the MLP and behind it are called; "" where there is
            none. Without one before the MLP of a parallel layer, the MLP reads what attention reads.
        norm: how they are computed: "rms" casts back before it weighs, "rms_wide" after that, "rms_shifted" weighs by
            1 + weight in fp32, "rms_power" by the weight in fp32 after a power instead of a root, "centred" takes the
            mean off first, and "layer" is `nn.LayerNorm`, with a bias; in "layer_plain" without one, and cast back
            within layers.
        qk_norm: which queries and keys a norm's weight is for: one "head" as any other, each of all "heads", or all of
            them normed as a "whole"; "" without such norms.
        qk_norm_field: the field that says whether there are; "" where there always are.
        names: what modules are called, where that is not Llama's name.
        containers: modules that hold others.
        parallel: attention and the MLP read the same residual stream, which is added to their outputs "first" or
            "last", or to the MLP's into which attention's is added ("into"); "" where the MLP waits for attention.
        attention_held: what has a name of its own, and lives until the layer is done: what attention puts out
            ("output"), or also what it reads ("both"); "" for neither.
        norm_shared: a parallel layer has no norm before its MLP, even if another one has.
        parallel_field: the field that says whether they do; "" where they always do.
        activation: the field with the MLP's activation.
        dropouts: the fields with the share of numbers that are dropped from the output of attention and of the MLP
            ("residual"), from the embedding and from the attention's weights.
        gated: whether an MLP has a gate.
        mlp_inline: the layer runs the MLP's modules itself, and what it gives the first one goes when that is done.
        fused_attention: there is one `qkv_proj`, of which queries, keys and values are slices ("parts") or "chunks", or
            keys and values are "gathered", and copied for every query head if there are several of them.
        own_linear: linear modules are of a class of its own, which turns its weight around for each product:
            bitsandbytes leaves it as it is, and autocast keeps no copy.
        masked: the model makes a mask even where no row is padded.
        fused_mlp: there is a `gate_up_proj`.
        mlp_chunked: its halves are chunks, not slices, and the gate is the first factor.
        gated_attention: `q_proj` puts out a gate beside each query, which weighs what attention puts out.
        linear_attention: how layers with linear attention project their input: APART or JOINED; "" where no layer has
            it.
        unadapted: linear modules that peft refuses to adapt in models of this type.
        hybrid: every layer has a state space beside its attention.
        state_space: by what each size of a state space is, the field that says it, and the `prefix` of its tensors;
            empty where no layer has one.
        short_convolution: some layers have a short convolution instead of attention.
        width_adjusted: the width of a dense MLP is two thirds of what the config says, times a factor, rounded up.
        dense_size, expert_size: the fields with the widths of a dense MLP and of one routed expert; "" without experts.
        experts: the fields that may hold the number of experts.
        sparse_step: the field with the step between sparse layers; "" where every layer is sparse.
        window: the field with the window of local attention.
        full_every: one layer in so many attends to everything, or the field that says so; 0 means none.
        full_at_the_end: the last layer attends to everything, whatever `layer_types` says.
        spare_mask: the model makes a mask for a window that no layer has.
        router: what the module that chooses the experts is called.
        router_in_linear: the router is a subclass of `nn.Linear`, so that `all-linear` means it.
        router_wide: the router's input and weight are cast to fp32.
        router_in_compute_dtype: the router's scores are cast back from float32 before they weigh the experts.
        scores: how the router's are made: "softmax" of all, of which some are chosen, "softmax_of_chosen", "sigmoid".
        shared_expert: the field with the width of the expert that every token visits; "" without one.
        shared_experts: the field that says how many times as wide it is; "" for once.
        shared_expert_gate: a gate of its own weighs what that expert puts out.
        experts_repeated: all experts compute every token, and they were never a list of modules.
        expert_norms: experts run beside an MLP: what the norms behind that MLP, before the experts and behind them are
            called; empty where sparse layers have no MLP that every token visits. The router is a module that norms
            and scales its input, with a linear module inside (`proj`).
        looped: experts run one after another, with a router that is a linear module.
        global_heads: layers that attend to everything have heads of their own (`global_head_dim`).
        latent: keys and values are projected from a latent, and so may queries be.
        rotated_in_pairs: what is rotated are pairs of neighbours, not halves; else, with a latent, complex numbers.
        normed_values: values are normed without weights, and queries and keys are rotated before they are turned to
            lie head by head.
        clipped: queries, keys and values are clipped to a range.
        undecayed: modules without weight decay, since they lie below one that is called a norm.
        nested: fields that hold others, which are named by both.
        fused_targets: names that peft turns into targets on fused parameters, and the parameter that each becomes.
        learned: rows that the table of learned positions has beyond `max_position_embeddings`; None where positions
            are rotated.
        learned_once: their rows are looked up once for all rows of a micro-batch.
        unrotated: which layers do not rotate queries and keys: those of `no_rope_layers` ("listed"), those that
            attend to everything where others do not ("full"), or all unless `position_embedding_type` is "rope"
            ("unless said").
        norms_behind_rotation: queries and keys are normed when they have been rotated.
        window_where_unrotated: a layer with rotation attends to everything, and others to a window, not the other way.
        rotated_wide: cosines and sines are in fp32, and so is what they are multiplied with.
        rotated_cast: queries and keys are cast to fp32 "before" they are rotated, or "each" of the two that are
            multiplied; "" where they are not.
        rotated_anew: every layer spreads cosines and sines out for itself.
        rotated_each_row: cosines and sines are made for every row, as positions of images differ from row to row.
        packed_apart: positions of a packed row say where examples begin; else they are taken for those of images.
        rotated_share: the share of a head's numbers that is rotated, unless the config says another one; None is all.
        share_field: the field that says it outside of `rope_parameters`.
        scaled: what is multiplied by a number: "embedding" in the table's module, "inputs" behind it, "residual",
            "projected" queries, projected "keys", "queries" behind their rotation, "layer" where that is what a whole
            layer puts out, "logits".
        logits_capped: the field with the cap of logits where scores have none; "" without one.
        capped: scores and logits are capped (`attn_logit_softcapping`, `final_logit_softcapping`).
        norms_rotated: layers with rotation norm what they rotate, without weights.
        rotations_by_kind: layers of another kind of attention have other base frequencies.
        sdpa: whether the class has `_supports_sdpa`.
    """

    defaults: Mapping[str, Any]
    fields: Mapping[str, str] = MappingProxyType({})
    variants: Mapping[str, tuple[Mapping[str, tuple[Any, ...]], Family]] = MappingProxyType({})
    refused: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    equal: Mapping[str, str] = MappingProxyType({})
    expansion: int = 0
    one_key: bool = False
    heads_divide_hidden: bool = False
    biases: tuple[str, str, str] = ("attention_bias", "attention_bias", "mlp_bias")
    head_bias: bool = False
    norms: tuple[str, str, str, str] = ("input_layernorm", "", "post_attention_layernorm", "")
    norm: str = "rms"
    qk_norm: str = ""
    qk_norm_field: str = ""
    names: Mapping[str, str] = MappingProxyType({})
    containers: frozenset[str] = frozenset(
        {"model", "layers", "self_attn", "mlp", "feed_forward", "experts", "shared_expert"}
    )
    parallel: str = ""
    attention_held: str = ""
    norm_shared: bool = False
    parallel_field: str = ""
    activation: str = "hidden_act"
    dropouts: Mapping[str, str] = MappingProxyType({})
    gated: bool = True
    mlp_inline: bool = False
    fused_attention: str = ""
    own_linear: bool = False
    masked: bool = False
    fused_mlp: bool = False
    mlp_chunked: bool = False
    attention_sinks: bool = False
    gated_attention: bool = False
    linear_attention: str = ""
    unadapted: frozenset[str] = frozenset()
    hybrid: bool = False
    state_space: Mapping[str, str] = MappingProxyType({})
    short_convolution: bool = False
    width_adjusted: bool = False
    dense_size: str = "intermediate_size"
    expert_size: str = ""
    experts: tuple[str, ...] = ()
    sparse_step: str = ""
    shared_expert: str = ""
    shared_experts: str = ""
    shared_expert_gate: bool = False
    expert_bias: bool = False
    window: str = "sliding_window"
    full_every: int | str = 0
    full_at_the_end: bool = False
    spare_mask: bool = False
    router: str = ""
    router_in_linear: bool = False
    router_wide: bool = False
    router_in_compute_dtype: bool = True
    scores: str = "softmax"
    experts_repeated: bool = False
    expert_norms: tuple[str, ...] = ()
    looped: bool = False
    global_heads: bool = False
    latent: bool = False
    rotated_in_pairs: bool = False
    normed_values: bool = False
    clipped: bool = False
    undecayed: frozenset[str] = frozenset()
    nested: tuple[str, ...] = ()
    fused_targets: Mapping[str, str] = MappingProxyType({})
    learned: int | None = None
    learned_once: bool = False
    unrotated: str = ""
    norms_behind_rotation: bool = False
    window_where_unrotated: bool = False
    rotated_wide: bool = False
    rotated_cast: str = ""
    rotated_anew: bool = False
    rotated_each_row: bool = False
    packed_apart: bool = True
    rotated_share: float | None = None
    share_field: str = "partial_rotary_factor"
    scaled: frozenset[str] = frozenset()
    logits_capped: str = ""
    capped: bool = False
    norms_rotated: bool = False
    rotations_by_kind: bool = False
    sdpa: bool = True

    def name(self, module: str) -> str:
        """What a module of Llama's name, or its bias, is called."""
        if not self.names:
            return module
        path, dot, rest = module.partition(".bias")
        return self.names.get(path, path) + dot + rest


def defaults(
    sizes: tuple[int, int, int, int, int | None, int | None], vocabulary: int, positions: int, **more: Any
) -> dict[str, Any]:
    """The fields that most config classes have, with their defaults.

    Args:
        sizes: hidden, intermediate, layers, heads, key-value heads, width of a head.
        vocabulary: `vocab_size`.
        positions: `max_position_embeddings`.
        more: other fields.
    """
    hidden, intermediate, layers, heads, key_value_heads, head_dim = sizes
    return {
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_value_heads,
        "head_dim": head_dim,
        "vocab_size": vocabulary,
        "max_position_embeddings": positions,
        "tie_word_embeddings": False,
        **more,
    }


def without_head_dim(
    sizes: tuple[int, int, int, int, int | None], vocabulary: int, positions: int, **more: Any
) -> dict[str, Any]:
    """The same of a class that has no `head_dim`."""
    found = defaults((*sizes, None), vocabulary, positions, **more)
    del found["head_dim"]
    return found
