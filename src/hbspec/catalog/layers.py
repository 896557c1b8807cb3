"""What tells the layers of a model apart: their experts, how far they attend, and whether they rotate."""

from __future__ import annotations

from hbspec.catalog.config_fields import MOST_LAYERS, Fields

FULL, SLIDING, CHUNKED = "full_attention", "sliding_attention", "chunked_attention"
LINEAR, CONVOLUTION, HYBRID = "linear_attention", "conv", "hybrid"

WITHOUT_ATTENTION = frozenset({LINEAR, CONVOLUTION})
"""Types of layers that do not attend to tokens."""

LEGACY = {"mamba": LINEAR, "attention": FULL}
"""What older configs call the layers of models with a state space (transformers 5.23.0, `configuration_utils.py`)."""

HYBRID_EVERY = 4
"""One layer in so many attends to everything, where neither `layer_types` nor `full_attention_interval` says it."""


def experts_of(fields: Fields, layers: int) -> tuple[int, int, tuple[int, ...]]:
    """Routed experts, how many of them a token visits, and the sparse layers; zeros and none for a dense model."""
    family = fields.family
    if not family.expert_size:
        return 0, 0, ()
    name = next((name for name in family.experts if name in fields.config), family.experts[0])
    experts = fields.whole(name, least=0)
    listed = fields.listed("moe_layers", int)
    if listed is None:
        step = fields.whole(family.sparse_step) if family.sparse_step else 1
        dense = {*(fields.listed("mlp_only_layers", int) or ())}
        dense |= {*range(fields.optional_whole("first_k_dense_replace", MOST_LAYERS, least=0) or 0)}
        listed = [index for index in range(step - 1, layers, step) if index not in dense]
    chosen = tuple(sorted({index for index in listed if 0 <= index < layers}))
    if not experts or not chosen:
        return 0, 0, ()
    per_token = fields.whole("num_experts_per_tok")
    if per_token > experts:
        raise fields.fail("num_experts_per_tok", f"{per_token} is more than {name} {experts}")
    return experts, per_token, chosen


def shared_width(fields: Fields) -> int:
    """Width of the expert that every token visits; 0 without one."""
    family = fields.family
    times = fields.whole(family.shared_experts) if family.shared_experts else 1
    return times * fields.whole(family.shared_expert) if family.shared_expert else 0


def unrotated_layers(fields: Fields, layers: int, layer_types: tuple[str, ...]) -> tuple[int, ...]:
    """Indices of the layers that do not rotate queries and keys; no types where all attend as far."""
    if fields.family.learned is not None:
        return tuple(range(layers))
    if fields.family.unrotated == "unless said":
        return () if fields.text("position_embedding_type") == "rope" else tuple(range(layers))
    if fields.family.unrotated == "full":
        return tuple(index for index, kind in enumerate(layer_types) if kind == FULL)
    if fields.family.unrotated != "listed":
        return ()
    listed = fields.listed("no_rope_layers", int)
    if listed:
        return tuple(index for index, rotates in enumerate(listed[:layers]) if not rotates)
    every = fields.optional_whole("no_rope_layer_interval")
    return tuple(index for index in range(layers) if every and (index + 1) % every == 0)


def attention_of(fields: Fields, layers: int) -> tuple[int | None, tuple[str, ...]]:
    """The window of the layers that have one, and each layer's type."""
    window, kinds = _attention_of(fields, layers)
    return window, (*kinds[:-1], FULL) if fields.family.full_at_the_end else kinds


def _attention_of(fields: Fields, layers: int) -> tuple[int | None, tuple[str, ...]]:
    family = fields.family
    if family.hybrid:
        return None, (HYBRID,) * layers
    if family.short_convolution:
        return None, _convolved_types(fields, layers)
    if family.linear_attention or family.state_space:
        return None, hybrid_types(fields, layers)
    local = CHUNKED if family.window == "attention_chunk_size" else SLIDING
    window = fields.optional_whole(family.window)
    if window is None or ("use_sliding_window" in family.defaults and not fields.flag("use_sliding_window")):
        return None, (FULL,) * layers
    given = fields.listed("layer_types", str, layers)
    if given is not None:
        if not {*given} <= {FULL, local}:
            raise fields.not_counted("layer_types", f"has other types than {FULL} and {local}")
        return window, tuple(given)
    rope = fields.listed("no_rope_layers", int)
    if rope:
        if len(rope) < layers:
            raise fields.fail("no_rope_layers", f"has {len(rope)} entries for {layers} layers")
        return window, tuple(FULL if bool(uses) == family.window_where_unrotated else local for uses in rope[:layers])
    every = fields.whole(family.full_every) if isinstance(family.full_every, str) else family.full_every
    first = fields.optional_whole("max_window_layers", least=0) or 0
    chosen = (index < first or bool(every and (index + 1) % every == 0) for index in range(layers))
    return window, tuple(local if full == family.window_where_unrotated else FULL for full in chosen)


def _convolved_types(fields: Fields, layers: int) -> tuple[str, ...]:
    """Each layer's type, of a family some of whose layers have a short convolution.

    Source: transformers 5.23.0, `models/lfm2/configuration_lfm2.py`.
    """
    given = fields.listed("layer_types", str, layers)
    if given is None:
        attending = fields.listed("full_attn_idxs", int)
        return tuple(FULL if attending is None or at in attending else CONVOLUTION for at in range(layers))
    if not {*given} <= {FULL, CONVOLUTION}:
        raise fields.not_counted("layer_types", f"has other types than {FULL} and {CONVOLUTION}")
    return tuple(given)


def hybrid_types(fields: Fields, layers: int) -> tuple[str, ...]:
    """Each layer's type, of a family some of whose layers have linear attention or a state space.

    Raises:
        ArchitectureError: `layer_types` names another type, or fields are not of their kind.
    """
    given = fields.listed("layer_types", str, layers)
    if fields.family.state_space:
        given = [LEGACY.get(kind, kind) for kind in given or [LINEAR] * layers]
    if given is not None:
        if not {*given} <= {FULL, LINEAR}:
            raise fields.not_counted("layer_types", f"has other types than {FULL} and {LINEAR}")
        return tuple(given)
    every = fields.config.get("full_attention_interval", HYBRID_EVERY)
    if type(every) is not int or every < 1:
        raise fields.fail("full_attention_interval", "is not a positive whole number")
    return tuple(LINEAR if (index + 1) % every else FULL for index in range(layers))
