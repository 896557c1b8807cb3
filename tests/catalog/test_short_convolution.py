"""Layers with a short convolution: which they are, how wide the MLPs beside them are, and what is refused."""

from __future__ import annotations

import pytest
from small_configs import TINY

from hbspec.catalog import Architecture, ArchitectureError, catalog
from hbspec.catalog.layers import CONVOLUTION, FULL
from hbspec.catalog.parameters import kv_cache_bytes_per_token, total_parameters
from hbspec.catalog.roles import TargetError, roles

LFM2 = TINY | {"model_type": "lfm2"}


def test_layers_attend_that_are_listed_or_all_of_them():
    listed = Architecture.from_config(LFM2 | {"full_attn_idxs": [1]})
    every = Architecture.from_config(LFM2)
    assert listed.layer_types == (CONVOLUTION, FULL, CONVOLUTION, CONVOLUTION)
    assert (listed.attention_layers, listed.short_convolution.kernel) == (1, 3)
    assert (every.layer_types, every.short_convolution) == ((FULL,) * 4, None)


def test_an_mlp_is_two_thirds_as_wide_as_is_said_rounded_up():
    assert Architecture.from_config(LFM2 | {"block_ff_dim": 12288}).intermediate_size == 8192
    assert Architecture.from_config(LFM2 | {"block_ff_dim": 6656}).intermediate_size == 4608
    assert Architecture.from_config(LFM2 | {"block_auto_adjust_ff_dim": False}).intermediate_size == 96


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"layer_types": ["mamba"] * 4}, "layer_types", "has other types than full_attention and conv"),
        ({"full_attn_idxs": "all"}, "full_attn_idxs", "is not a list of whole numbers"),
        ({"block_ffn_dim_multiplier": None}, "block_ffn_dim_multiplier", "is not a positive number"),
        (
            {"full_attn_idxs": [1], "conv_L_cache": 0},
            "conv_L_cache",
            "0 is not a whole number from 1 to 2147483647",
        ),
    ],
)
def test_errors_name_the_field(changes, field, message):
    with pytest.raises(ArchitectureError) as caught:
        Architecture.from_config(LFM2 | changes)
    assert (caught.value.field, caught.value.message) == (field, message)


def test_only_layers_that_attend_cache_keys_and_values():
    architecture = Architecture.from_config(LFM2 | {"full_attn_idxs": [1]})
    assert kv_cache_bytes_per_token(architecture) == 2 * 1 * 2 * 16 * 2


def test_an_adapter_on_the_convolution_is_not_counted():
    architecture = Architecture.from_config(LFM2 | {"full_attn_idxs": [1]})
    with pytest.raises(TargetError, match=r"conv contains other modules and cannot be adapted itself"):
        roles(architecture, ["conv"])


@pytest.mark.parametrize(("size", "millions"), [("350M", 354), ("700M", 742), ("1.2B", 1170), ("2.6B", 2569)])
def test_sizes_are_those_that_are_published(size, millions):
    architecture = catalog().models[f"LiquidAI/LFM2-{size}"].architecture
    assert round(total_parameters(architecture) / 1e6) == millions
