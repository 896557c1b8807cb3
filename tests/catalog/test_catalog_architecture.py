"""Reading config.json: defaults as transformers has them, and errors that name the field."""

from __future__ import annotations

import json

import pytest
from small_configs import NEEDED
from transformers import CONFIG_MAPPING

from hbspec.catalog import Architecture, ArchitectureError
from hbspec.catalog.families import ALONE, FAMILIES, WRAPPERS
from hbspec.catalog.families import SUPPORTED as TYPES

LLAMA = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 4,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100,
}  # fmt: skip
MIXTRAL = LLAMA | {"model_type": "mixtral"}
LLAMA_4 = LLAMA | {"model_type": "llama4_text"}
DBRX = {"model_type": "dbrx", "d_model": 64, "n_layers": 4, "n_heads": 4, "vocab_size": 100}
SUPPORTED = ", ".join(TYPES)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_defaults_are_those_of_the_config_class(model_type):
    fields = CONFIG_MAPPING[model_type].__dataclass_fields__
    # What the classes take as a keyword or read by getattr, without a field: absent is None, or the alias's default.
    by_keyword = {"head_dim": None, "sliding_window_pattern": 4 if model_type == "cohere2" else 6}
    by_keyword |= {"global_head_dim": 512, "num_global_key_value_heads": None}
    by_keyword |= {"block_ff_dim": 12288, "tie_embedding": True}
    by_keyword["tie_word_embeddings"] = False  # of a language model inside a wrapper, which says it
    family = FAMILIES[model_type]
    for outer in family.nested:
        inner = CONFIG_MAPPING[model_type].sub_configs[outer].__dataclass_fields__
        fields = fields | {f"{outer}.{name}": field for name, field in inner.items()}
    for field, default in family.defaults.items():
        names = family.experts if field in family.experts else (field,)
        theirs = [fields[name].default for name in names if name in fields] or [by_keyword[field]]
        assert theirs == [default], field


@pytest.mark.parametrize("model_type", FAMILIES)
def test_an_empty_text_config_is_the_class_itself(model_type, config_of):
    wrapper = next((name for name, one in WRAPPERS.items() if one.text == model_type and one.others == ()), None)
    if model_type in ALONE:
        with pytest.raises(ArchitectureError, match=r"(hidden_size|n_embd|d_model): is missing"):
            Architecture.from_config({"model_type": model_type})
    else:
        with pytest.raises(ArchitectureError, match=f"model_type: '{model_type}' is not supported"):
            Architecture.from_config({"model_type": model_type})
    if wrapper is None or wrapper == "voxtral":  # whose text_config has defaults of its own
        return
    theirs = config_of({"model_type": model_type})
    theirs.allow_global_per_layer_attribute_access = True
    inner = NEEDED.get(model_type, {})
    ours = Architecture.from_config({"model_type": wrapper, "text_config": inner, WRAPPERS[wrapper].tower: {}})
    for field in ("hidden_size", "num_hidden_layers", "head_dim", "vocab_size", "tie_word_embeddings"):
        assert getattr(ours, field) == getattr(theirs, field, getattr(ours, field)), field
    assert ours.wrapper == wrapper
    assert ours.model_type == model_type


def test_a_wrapper_is_read_for_its_language_model():
    config = {"model_type": "gemma3", "dtype": "bfloat16", "tie_word_embeddings": False, "text_config": {"head_dim": 8}}
    architecture = Architecture.from_config(config | {"vision_config": {}})
    assert architecture.head_dim == 8
    assert architecture.torch_dtype == "bfloat16"
    assert not architecture.tie_word_embeddings


@pytest.mark.parametrize("name", ["dtype", "torch_dtype"])
def test_the_dtype_has_two_names(name):
    assert Architecture.from_config(LLAMA | {name: "float16"}).torch_dtype == "float16"
    assert Architecture.from_config(LLAMA).torch_dtype is None


def test_the_number_of_experts_has_two_names_where_transformers_maps_them():
    for name in ("num_experts", "num_local_experts"):
        assert Architecture.from_config(MIXTRAL | {name: 4}).num_experts == 4
    assert Architecture.from_config(LLAMA_4 | {"num_experts": 4}).num_experts == 16


def test_fields_that_the_class_does_not_know_are_ignored():
    odd = {"layer_types": "whatever", "sliding_window": "x", "mlp_only_layers": 7, "text_config": []}
    assert Architecture.from_config(LLAMA | odd) == Architecture.from_config(LLAMA)


def test_heads_need_not_divide_the_hidden_size_beside_a_head_dim():
    config = LLAMA | {"model_type": "qwen3", "num_attention_heads": 6, "head_dim": 32}
    assert Architecture.from_config(config).heads("").query_size == 192


@pytest.mark.parametrize("field", ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"])
def test_a_size_that_is_always_written_is_missed(field):
    for config in ({key: value for key, value in LLAMA.items() if key != field}, LLAMA | {field: None}):
        with pytest.raises(ArchitectureError) as caught:
            Architecture.from_config(config)
        assert caught.value.field == field
        assert caught.value.message == "is missing; a llama config.json always has it"


@pytest.mark.parametrize(
    ("config", "field", "message"),
    [
        ({}, "model_type", f"is missing; supported: {SUPPORTED}"),
        ({"model_type": "bert"}, "model_type", f"'bert' is not supported; supported: {SUPPORTED}"),
        ({"model_type": ["x" * 500]}, "model_type", f"['{'x' * 58}… is not supported; supported: {SUPPORTED}"),
        ({"model_type": "gemma3"}, "text_config", "is missing; a gemma3 config holds its language model there"),
        (
            {"model_type": "gemma3", "text_config": {"model_type": "llama"}},
            "text_config.model_type",
            "'llama' is not gemma3_text, which gemma3 holds",
        ),
        (
            {"model_type": "llama4", "text_config": {"head_dim": "wide"}},
            "text_config.head_dim",
            "'wide' is not a whole number from 1 to 2147483647",
        ),
        (LLAMA | {"num_key_value_heads": 3}, "num_key_value_heads", "3 does not divide num_attention_heads 4"),
        (LLAMA | {"hidden_size": 66}, "num_attention_heads", "4 does not divide hidden_size 66"),
        (LLAMA | {"hidden_size": 66, "head_dim": 16}, "num_attention_heads", "4 does not divide hidden_size 66"),
        (LLAMA | {"hidden_size": 64.0}, "hidden_size", "64.0 is not a whole number from 1 to 2147483647"),
        (LLAMA | {"vocab_size": True}, "vocab_size", "True is not a whole number from 1 to 2147483647"),
        (LLAMA | {"vocab_size": 0}, "vocab_size", "0 is not a whole number from 1 to 2147483647"),
        (LLAMA | {"num_hidden_layers": 10**9}, "num_hidden_layers", "1000000000 is not a whole number from 1 to 10000"),
        (LLAMA | {"max_position_embeddings": None}, "max_position_embeddings", "is null, but must be a whole number"),
        (LLAMA | {"tie_word_embeddings": "no"}, "tie_word_embeddings", "'no' is neither true nor false"),
        (MIXTRAL | {"num_experts_per_tok": 9}, "num_experts_per_tok", "9 is more than num_experts 8"),
        (DBRX | {"ffn_config": 4}, "ffn_config", "4 is not a mapping"),
        (
            DBRX | {"attn_config": {}},
            "attn_config.clip_qkv",
            "None is not counted; dbrx is counted with it",
        ),
        (
            DBRX | {"attn_config": {"clip_qkv": 8, "kv_n_heads": 3}, "ffn_config": {"moe_jitter_eps": 0.01}},
            "attn_config.kv_n_heads",
            "3 does not divide num_attention_heads 4",
        ),
        (LLAMA_4 | {"moe_layers": [0.5]}, "moe_layers", "is not a list of whole numbers"),
        (LLAMA_4 | {"no_rope_layers": [1]}, "no_rope_layers", "has 1 entries for 4 layers"),
        (LLAMA_4 | {"layer_types": ["full_attention"]}, "layer_types", "has 1 entries for 4 layers"),
        (
            LLAMA_4 | {"layer_types": ["linear_attention"] * 4},
            "layer_types",
            "has other types than full_attention and chunked_attention",
        ),
    ],
)
def test_errors_name_the_field_and_what_is_wrong(config, field, message):
    with pytest.raises(ArchitectureError) as caught:
        Architecture.from_config(config)
    assert (caught.value.field, caught.value.message) == (field, message)
    assert str(caught.value) == f"{field}: {message}"


def test_the_largest_config_is_read_quickly_enough_to_finish():
    crowded = {"num_hidden_layers": 10_000, "moe_layers": list(range(300_000))}
    assert len(Architecture.from_config(LLAMA_4 | crowded).moe_layers) == 10_000


def test_a_config_survives_json():
    config = json.loads(json.dumps(LLAMA))
    assert Architecture.from_config(config) == Architecture.from_config(LLAMA)
