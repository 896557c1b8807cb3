"""Modules that a pattern, peft's choice and indices of layers mean, against peft itself."""

from __future__ import annotations

import pytest
from peft import LoraConfig, get_peft_model
from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as CHOICES
from transformers import AutoConfig, AutoModelForCausalLM

from hbspec.catalog import Architecture
from hbspec.catalog.parameters import lora_parameters
from hbspec.catalog.roles import TargetError
from hbspec.catalog.target_patterns import TargetAbsentError, peft_targets
from hbspec.plan.targets import resolved_targets

SIZES = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 64,
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **SIZES))


@pytest.fixture(scope="module")
def architecture(model):
    return Architecture.from_config(model.config.to_dict())


def trained_by_peft(model, modules, layers=None):
    """Parameters that peft trains, and the model without its adapters again."""
    config = LoraConfig(r=4, target_modules=modules, layers_to_transform=layers, task_type="CAUSAL_LM")
    adapted = get_peft_model(model, config)
    count = sum(parameter.numel() for parameter in adapted.parameters() if parameter.requires_grad)
    adapted.unload()
    return count


@pytest.mark.parametrize(
    ("modules", "layers"),
    [
        (r".*\.(q_proj|v_proj)", ()),
        (r"model\.layers\.\d+\.mlp\.(gate|up|down)_proj", ()),
        (r"model\.layers\.[12]\.self_attn\.(q|k|v|o)_proj", ()),
        (r".*_proj", ()),
        (("q_proj", "down_proj"), (0, 3)),
        ("default", ()),
    ],
)
def test_trainable_parameters_are_peft_s(modules, layers, model, architecture):
    found = resolved_targets(architecture, modules, layers)
    counted = lora_parameters(architecture, 4, found.modules)
    if found.layers:
        counted = counted * len(found.layers) // 4
    asked = None if modules == "default" else list(modules) if isinstance(modules, tuple) else modules
    assert counted == trained_by_peft(model, asked, list(layers) or None)


@pytest.mark.parametrize(("modules", "layers"), [("q_proj", ()), ("all_linear", ()), (("q_proj",), (4,))])
def test_what_peft_refuses_is_refused(modules, layers, model, architecture):
    with pytest.raises(TargetAbsentError):
        resolved_targets(architecture, modules, layers)
    if not layers:
        with pytest.raises(ValueError, match="Target modules"):
            trained_by_peft(model, modules)


@pytest.mark.parametrize("modules", ["all-linear", r".*\.q_proj"])
def test_peft_takes_layers_with_names_only(modules, architecture):
    with pytest.raises(ValueError, match="cannot be used when"):
        LoraConfig(r=4, target_modules=modules, layers_to_transform=[0])
    with pytest.raises(TargetAbsentError, match="with names"):
        resolved_targets(architecture, modules, (0,))


def test_different_layers_for_different_modules_are_not_counted(architecture):
    with pytest.raises(TargetError, match="other layers"):
        resolved_targets(architecture, r"model\.layers\.(0\.self_attn\.q_proj|1\.self_attn\.v_proj)", ())


def test_peft_s_choices_are_all_there():
    assert {name: list(names) for name, names in peft_targets().items()} == {
        name: list(names) for name, names in CHOICES.items() if not isinstance(names, str)
    }
