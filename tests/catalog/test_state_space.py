"""Layers with a state space: which they are, what is refused, and what does not count for them."""

from __future__ import annotations

import pytest
from small_configs import EXPERTS, MAMBA, TINY

from hbspec.catalog import Architecture, ArchitectureError, catalog
from hbspec.catalog.layers import FULL, HYBRID, LINEAR
from hbspec.catalog.parameters import kv_cache_bytes_per_token
from hbspec.catalog.roles import TargetError, roles, target_module_names

GRANITE = TINY | {"model_type": "granitemoehybrid", **MAMBA, **EXPERTS}
MIXED = ["mamba", "attention", "mamba", "mamba"]


def test_layers_have_the_names_of_older_configs_too():
    old, new = (
        Architecture.from_config(GRANITE | {"layer_types": kinds}) for kinds in (MIXED, [LINEAR, FULL, LINEAR, LINEAR])
    )
    assert old == new
    assert old.layer_types == (LINEAR, FULL, LINEAR, LINEAR)
    assert (old.attention_layers, old.state_space.heads) == (1, 8)


def test_without_a_list_every_layer_has_a_state_space(model_of, tensors_of):
    architecture = Architecture.from_config(GRANITE)
    assert architecture.layer_types == (LINEAR,) * 4
    assert not any("q_proj" in name for name in tensors_of(model_of(GRANITE)))


def test_a_model_that_only_attends_has_no_state_space_and_is_served():
    architecture = Architecture.from_config(GRANITE | {"layer_types": ["attention"] * 4})
    assert architecture.state_space is None
    assert architecture.serves


def test_queries_are_rotated_where_the_config_says_so():
    nowhere = Architecture.from_config(GRANITE | {"layer_types": MIXED, "position_embedding_type": "nope"})
    everywhere = Architecture.from_config(GRANITE | {"layer_types": MIXED, "position_embedding_type": "rope"})
    assert (nowhere.unrotated_layers, nowhere.rotary_size) == ((0, 1, 2, 3), 0)
    assert (everywhere.unrotated_layers, everywhere.rotary_size) == ((), 16)


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"layer_types": ["conv"] * 4}, "layer_types", "has other types than full_attention and linear_attention"),
        ({"layer_types": ["mamba"]}, "layer_types", "has 1 entries for 4 layers"),
        ({"mamba_n_groups": 3}, "mamba_n_groups", "3 does not divide mamba_n_heads 8"),
        ({"mamba_d_head": 8}, "mamba_d_head", "8 x 8 heads are not the 128 numbers of the state space"),
        ({"mamba_n_heads": 7}, "mamba_d_head", "18 x 7 heads are not the 128 numbers of the state space"),
        ({"mamba_d_state": "24"}, "mamba_d_state", "'24' is not a whole number from 1 to 2147483647"),
    ],
)
def test_errors_name_the_field(changes, field, message):
    with pytest.raises(ArchitectureError) as caught:
        Architecture.from_config(GRANITE | changes)
    assert (caught.value.field, caught.value.message) == (field, message)


def test_only_layers_that_attend_cache_keys_and_values():
    architecture = Architecture.from_config(GRANITE | {"layer_types": MIXED})
    assert kv_cache_bytes_per_token(architecture) == 2 * 1 * 2 * 16 * 2


def test_an_adapter_on_the_convolution_is_not_counted():
    with pytest.raises(TargetError, match=r"an adapter on mamba.conv1d is not counted here"):
        roles(Architecture.from_config(GRANITE), ["conv1d"])


def test_every_layer_of_falcon_h1_attends_and_has_a_state_space():
    config = TINY | {"model_type": "falcon_h1", "mamba_d_ssm": 96, "mamba_n_heads": 8, "mamba_d_state": 24}
    architecture = Architecture.from_config(config)
    assert architecture.layer_types == (HYBRID,) * 4
    assert (architecture.attention_layers, architecture.state_space.inner) == (4, 96)
    wide = Architecture.from_config(config | {"mamba_d_ssm": None})
    assert (wide.state_space.inner, wide.state_space.width) == (128, 16)


def test_peft_refuses_a_module_of_falcon_h1():
    architecture = catalog().models["tiiuae/Falcon-H1-3B-Instruct"].architecture
    for targets in ("all-linear", ["out_proj", "q_proj"]):
        with pytest.raises(TargetError, match="peft refuses out_proj in models of type falcon_h1"):
            roles(architecture, targets)
    assert "out_proj" not in target_module_names(architecture)
