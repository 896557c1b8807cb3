"""Laws of the counts, over architectures of every family."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hbspec.catalog import Architecture, ArchitectureError
from hbspec.catalog.families import ALONE, FAMILIES, SUPPORTED, WRAPPERS
from hbspec.catalog.parameters import (
    TargetError,
    active_parameters,
    embedding_parameters,
    fused_targets,
    head_parameters,
    kv_cache_bytes_per_token,
    linear_parameters,
    lora_parameters,
    nf4_bytes,
    target_module_names,
    total_parameters,
    weights,
)

EVERY = tuple(sorted(ALONE))
KINDS = "linear", "own_linear", "expert", "router", "convolution", "embedding", "head", "norm", "bias"
ADAPTED = tuple(name for name in EVERY if not ALONE[name].unadapted)
"""Types of which peft adapts every linear module."""
SPARSE = tuple(sorted(name for name, family in ALONE.items() if family.experts))


@st.composite
def architectures(draw, model_types=EVERY, fewest_experts=1):
    """Any architecture that transformers would build."""
    model_type = draw(st.sampled_from(model_types))
    groups, key_value_heads = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    heads = groups * key_value_heads
    config = {
        "model_type": model_type,
        "hidden_size": heads * 2 * draw(st.integers(1, 32)),
        "intermediate_size": 2 * draw(st.integers(1, 200)),
        "num_hidden_layers": draw(st.integers(1, 12)),
        "num_attention_heads": heads,
        "num_key_value_heads": key_value_heads,
        "head_dim": draw(st.sampled_from([None, 8, 16, 64])),
        "vocab_size": draw(st.integers(2, 5000)),
        "tie_word_embeddings": draw(st.booleans()),
        "hidden_size_per_layer_input": 0,
        "attention_bias": draw(st.booleans()),
        "mlp_bias": draw(st.booleans()),
    }
    experts = draw(st.integers(fewest_experts, 16))
    config |= {"num_local_experts": experts, "num_experts_per_tok": draw(st.integers(1, experts))}
    config |= {"moe_intermediate_size": 2 * draw(st.integers(1, 60)), "decoder_sparse_step": draw(st.integers(1, 3))}
    config |= {
        "intermediate_size_mlp": 2 * draw(st.integers(1, 60)),
        "interleave_moe_layer_step": draw(st.integers(1, 3)),
    }
    if FAMILIES[model_type].state_space:  # heads divide twice the residual stream
        config |= {"mamba_n_heads": 4, "mamba_d_ssm": 4 * draw(st.integers(1, 60))}
    if FAMILIES[model_type].latent:  # every head has keys of its own
        config["num_key_value_heads"] = heads
    if model_type == "dbrx":  # which spells everything in a way of its own
        config |= {
            "d_model": config["hidden_size"],
            "n_heads": heads,
            "n_layers": config["num_hidden_layers"],
            "tie_word_embeddings": False,
            "attn_config": {"kv_n_heads": key_value_heads, "clip_qkv": 8},
            "ffn_config": {
                "ffn_hidden_size": config["intermediate_size"],
                "moe_num_experts": experts,
                "moe_top_k": config["num_experts_per_tok"],
                "moe_jitter_eps": 0.01,
            },
        }
    return Architecture.from_config(config)


ranks = st.integers(1, 256)


@given(architectures())
def test_the_kinds_add_up_to_the_total(architecture):
    kinds = dict.fromkeys(KINDS, 0)
    for weight in weights(architecture):
        assert weight.parameters > 0
        kinds[weight.kind] += weight.parameters
    assert sum(kinds.values()) == total_parameters(architecture)
    assert kinds["linear"] == linear_parameters(architecture)
    tokens = kinds["embedding"] - sum(one.parameters for one in weights(architecture) if one.place == "embed_positions")
    assert tokens == embedding_parameters(architecture)
    assert kinds["head"] == head_parameters(architecture)
    assert (kinds["expert"] > 0) == architecture.is_sparse
    # the router of looped experts, and of those beside an MLP, is a linear module like any other
    linear = architecture.family.looped or bool(architecture.family.expert_norms)
    assert (kinds["router"] > 0) == (architecture.is_sparse and not linear)


@given(architectures())
def test_places_are_unique(architecture):
    names = [weight.place for weight in weights(architecture)]
    twice = {name.removesuffix(".bias") for name in names if names.count(name) > 1}
    # layers whose heads differ have modules of the same names
    heads = {"q_proj", "k_proj", "v_proj", "o_proj", "q_norm", "k_norm"}
    assert twice <= (heads if architecture.global_heads else set())


@given(architectures())
def test_tying_the_head_saves_exactly_the_head(architecture):
    tied, untied = (architecture._replace(tie_word_embeddings=tie) for tie in (True, False))
    assert total_parameters(untied) - total_parameters(tied) == embedding_parameters(architecture)


@given(architectures(), st.integers(1, 5))
def test_dense_layers_all_cost_the_same(architecture, more):
    assume(not architecture.is_sparse)
    first, second, third = (
        total_parameters(architecture._replace(num_hidden_layers=architecture.num_hidden_layers + times * more))
        for times in (0, 1, 2)
    )
    assert third - second == second - first > 0


@given(architectures())
def test_a_token_meets_no_more_than_there_is(architecture):
    assert active_parameters(architecture) <= total_parameters(architecture)
    everyone = architecture._replace(num_experts_per_tok=architecture.num_experts)
    assert active_parameters(everyone) == total_parameters(architecture)


@given(architectures(SPARSE, fewest_experts=3))
def test_each_further_expert_visited_adds_the_same(architecture):
    assume(architecture.is_sparse)  # few layers and a long step leave none
    first, second, third = (
        active_parameters(architecture._replace(num_experts_per_tok=visited)) for visited in (1, 2, 3)
    )
    assert third - second == second - first > 0


@given(architectures(ADAPTED), ranks, st.integers(2, 5))
def test_adapters_grow_with_the_rank_and_with_nothing_else(architecture, rank, times):
    one, many = (lora_parameters(architecture, r, "all-linear") for r in (rank, rank * times))
    assert many == times * one > 0


@given(architectures(ADAPTED), ranks, st.data())
def test_names_are_adapted_independently(architecture, rank, data):
    fused = {"gate_proj", "up_proj", "w1", "w3"} if fused_targets(architecture, "all-linear") else set()
    names = [name for name in target_module_names(architecture) if name not in fused]
    chosen = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    together = lora_parameters(architecture, rank, chosen)
    assert together == sum(lora_parameters(architecture, rank, [name]) for name in chosen)


@given(architectures(ADAPTED), ranks)
def test_all_linear_is_every_name_but_the_embedding_and_the_head(architecture, rank):
    ends = {architecture.family.name(end) for end in ("embed_tokens", "lm_head")}
    names = [name for name in target_module_names(architecture) if name not in ends]
    assert lora_parameters(architecture, rank, "all-linear") == lora_parameters(architecture, rank, names)


@given(architectures(ADAPTED), ranks)
def test_dora_adds_what_no_rank_changes(architecture, rank):
    if fused_targets(architecture, "all-linear"):
        with pytest.raises(TargetError):
            lora_parameters(architecture, rank, "all-linear", use_dora=True)
        return
    added = [
        lora_parameters(architecture, r, "all-linear", use_dora=True) - lora_parameters(architecture, r, "all-linear")
        for r in (rank, 2 * rank)
    ]
    assert added[0] == added[1] > 0


@given(architectures())
def test_quantised_and_kept_are_the_whole_model(architecture):
    size = nf4_bytes(architecture)
    assert size.kept_parameters + linear_parameters(architecture) == total_parameters(architecture)
    assert 2 * size.packed == linear_parameters(architecture)
    assert size.total(0) == size.quantized == size.packed + size.scales + size.constants
    assert size.total(4) - size.total(2) == 2 * size.kept_parameters


@given(architectures())
def test_double_quantisation_shrinks_the_scales(architecture):
    single, double = (nf4_bytes(architecture, double_quant=twice) for twice in (False, True))
    assert double.packed == single.packed
    if not linear_parameters(architecture):
        assert double == single
        return
    assert double.constants > single.constants
    # A quarter a block, and four bytes for up to 256 blocks of each module.
    modules = sum(weight.count for weight in weights(architecture) if weight.kind == "linear")
    assert single.scales / 4 < double.scales <= single.scales / 4 * (1 + 4 / 256) + 4 * modules


@given(architectures(), st.sampled_from([1, 2, 4]))
def test_the_cache_depends_on_key_value_heads_alone(architecture, element):
    size = kv_cache_bytes_per_token(architecture, element)
    assert size == element * kv_cache_bytes_per_token(architecture, 1)
    assert size == kv_cache_bytes_per_token(architecture._replace(num_attention_heads=999), element)
    layers, types = architecture.num_hidden_layers, architecture.layer_types
    twice = architecture._replace(num_hidden_layers=2 * layers, layer_types=2 * types)
    assert 2 * size == kv_cache_bytes_per_token(twice, element)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
CONFIG_FIELDS = sorted({field for family in FAMILIES.values() for field in family.defaults})
KNOWN_FIELDS = {*CONFIG_FIELDS, "model_type", "text_config", "vision_config", "audio_config"}
fields = st.sampled_from(CONFIG_FIELDS)


@given(
    st.sampled_from([*FAMILIES, *WRAPPERS]), st.dictionaries(fields, st.integers(1, 64) | json_values), st.booleans()
)
def test_any_config_is_an_architecture_or_an_error_that_names_a_field(model_type, config, inside):
    whole = {"model_type": model_type, "text_config": config} if inside else {**config, "model_type": model_type}
    try:
        architecture, error = Architecture.from_config(whole), None
    except ArchitectureError as caught:
        architecture, error = None, caught
    if architecture is None:
        assert error.field.rpartition(".")[2] in KNOWN_FIELDS
        assert len(str(error)) < 500 + len(", ".join(SUPPORTED))
    else:
        assert total_parameters(architecture) > 0
        assert len(architecture.layer_types) == architecture.num_hidden_layers
