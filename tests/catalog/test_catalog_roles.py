"""What is adapted and what is trained whole, against peft itself, on real models on the meta device."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import pytest
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from peft.tuners.lora.layer import LoraLayer, ParamWrapper
from small_configs import CONTAINERS, TINY, VARIANTS

from hbspec.catalog import Architecture
from hbspec.catalog.adapters import lora_parameters
from hbspec.catalog.roles import (
    ADAPTED,
    ALL_LINEAR,
    FROZEN,
    TRAINED,
    TargetError,
    every_weight,
    module_names,
    roles,
    target_module_names,
)

AROUND = CONTAINERS | {"base_model", "modules_to_save", "default"}
"""Parts of a path that a weight's name leaves out."""


def named(path: str) -> str:
    parts = (part for part in path.split(".") if part not in AROUND and not part.isdigit())
    return ".".join(parts).removesuffix(".weight")


def real(model) -> Mapping[str, str]:
    """The role of everything that is not frozen, by the names that weights have here."""
    found = {}
    for path, module in model.named_modules():
        outer = path.replace(".base_layer", "")
        if isinstance(module, ParamWrapper):
            found[named(f"{outer}.{module.parameter_name}")] = ADAPTED
        elif isinstance(module, LoraLayer):
            found[named(outer)] = ADAPTED
    for path, parameter in model.named_parameters():
        if parameter.requires_grad and ".modules_to_save." in path:
            found[named(path)] = TRAINED
    return found


def expected(architecture, targets, saved) -> Mapping[str, str]:
    found = roles(architecture, targets, saved)
    return {name: role for name, role in found.items() if role != FROZEN}


@st.composite
def endings(draw: st.DrawFn, names):
    """Names of modules, their ends, and names that are nowhere."""
    name = draw(st.sampled_from([*names, "q_porj", "norms"]))
    return name[draw(st.integers(0, len(name) - 1)) :] if draw(st.booleans()) else name


@st.composite
def choices(draw: st.DrawFn):
    config = TINY | VARIANTS[draw(st.sampled_from(sorted(VARIANTS)))]
    architecture = Architecture.from_config(config)
    leaves = sorted({weight.leaf for weight in every_weight(architecture) if weight.kind == "linear"})
    names = st.sampled_from([*target_module_names(architecture), *leaves, "qkv_proj", "q_porj"])
    targets = draw(st.one_of(st.just(ALL_LINEAR), st.lists(names, min_size=1, unique=True)))
    return config, architecture, targets, draw(st.lists(endings(module_names(architecture)), max_size=2, unique=True))


@settings(examples(80), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(choices())
def test_roles_are_what_peft_makes_of_the_names(model_of, chosen):
    config, architecture, targets, saved = chosen
    adapter = LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=targets, modules_to_save=saved or None)
    try:
        lora_parameters(architecture, 2, targets, modules_to_save=saved)
    except TargetError as reason:
        if "not counted here" in str(reason):
            return
        refusal = r"fused|not found|not supported|No `target_modules`|No modules|modules_to_save cannot be applied"
        refusal += "|incompatible"
        with pytest.raises((ValueError, TypeError), match=refusal):
            get_peft_model(model_of(config), adapter)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert expected(architecture, targets, saved) == real(get_peft_model(model_of(config), adapter))


def test_everything_and_nothing(variant):
    architecture = Architecture.from_config(variant)
    assert set(roles(architecture, ()).values()) == {TRAINED}
    assert set(roles(architecture, None).values()) == {FROZEN}
