"""Layers with linear attention: which they are, what is refused, and what does not count for them."""

from __future__ import annotations

import pytest

from hbspec.catalog import Architecture, ArchitectureError, catalog
from hbspec.catalog.layers import FULL, LINEAR
from hbspec.catalog.parameters import kv_cache_bytes_per_token
from hbspec.catalog.roles import TargetError, roles

NINE = catalog().models.config("Qwen/Qwen3.5-9B")
NEXT = catalog().models.config("Qwen/Qwen3-Next-80B-A3B-Instruct")


def text(**changes):
    return NINE | {"text_config": {**NINE["text_config"], **changes}}


def test_three_of_four_layers_have_linear_attention():
    said, by_interval = Architecture.from_config(text()), Architecture.from_config(text(layer_types=None))
    assert said == by_interval
    assert said.layer_types == (LINEAR, LINEAR, LINEAR, FULL) * 8
    assert (said.attention_layers, said.linear_attention.num_value_heads) == (8, 32)


def test_an_interval_of_one_leaves_no_layer_with_linear_attention():
    architecture = Architecture.from_config(NEXT | {"full_attention_interval": 1})
    assert (architecture.attention_layers, architecture.linear_attention) == (48, None)


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"layer_types": ["mamba"] * 32}, "layer_types", "has other types than full_attention and linear_attention"),
        ({"layer_types": [FULL]}, "layer_types", "has 1 entries for 32 layers"),
        (
            {"layer_types": None, "full_attention_interval": 0},
            "full_attention_interval",
            "is not a positive whole number",
        ),
        ({"linear_num_key_heads": 5}, "linear_num_key_heads", "5 does not divide linear_num_value_heads 32"),
        (
            {"linear_conv_kernel_dim": "4"},
            "linear_conv_kernel_dim",
            "'4' is not a whole number from 1 to 2147483647",
        ),
    ],
)
def test_errors_name_the_field(changes, field, message):
    with pytest.raises(ArchitectureError) as caught:
        Architecture.from_config(text(**changes))
    assert (caught.value.field, caught.value.message) == (f"text_config.{field}", message)


@pytest.mark.parametrize(("outer", "inner"), [(True, None), (True, False), (False, True), (True, True)])
def test_a_model_that_is_built_without_its_tower_is_tied_as_its_own_config_says(outer, inner, model_of):
    config = text(**({} if inner is None else {"tie_word_embeddings": inner})) | {"tie_word_embeddings": outer}
    model = model_of(config)
    architecture = Architecture.from_config(config)
    assert architecture.tie_word_embeddings == (model.lm_head.weight is model.model.embed_tokens.weight) == bool(inner)
    assert architecture.tower == ()


def test_only_layers_that_attend_cache_keys_and_values():
    architecture = Architecture.from_config(NINE)
    assert kv_cache_bytes_per_token(architecture) == 2 * 8 * 4 * 256 * 2


def test_an_adapter_on_the_convolution_is_not_counted():
    with pytest.raises(TargetError, match=r"an adapter on linear_attn.conv1d is not counted here"):
        roles(Architecture.from_config(NINE), ["conv1d"])
