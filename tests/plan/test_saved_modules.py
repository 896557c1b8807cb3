"""`modules_to_save` means the modules whose names end so, wherever it is counted."""

from __future__ import annotations

import pytest

from hbspec.catalog import catalog
from hbspec.catalog.adapters import lora_parameters
from hbspec.catalog.roles import INSIDE, TargetError, saved_modules
from hbspec.catalog.weights import weights
from hbspec.estimators.step.flops import micro_batch_flops
from hbspec.estimators.training.memory import memory
from hbspec.plan import build_plan
from hbspec.spec import Spec

COUNTED = {name: model for name in catalog().models.originals() if (model := catalog().models[name]).architecture}
MODELS = sorted(name for name, model in COUNTED.items() if not model.architecture.tower)
SMALL = "Qwen/Qwen2.5-7B"


def output(model):
    """What the attention's output projection is called."""
    found = {weight.leaf for weight in weights(catalog().models[model].architecture)}
    return next(name for name in ("o_proj", "out_proj", "c_proj", "dense") if name in found)


def planned(model, saved):
    values = {
        "hbspec": 1,
        "name": "saved",
        "model": {"id": model},
        "data": {"train": {"examples": 100}, "tokens": {"mean": 700, "max": 1024}},
        "instance": {"gpu": "A100-80"},
        "hyperparameters": {
            "method": "lora",
            "learning_rate": 1e-4,
            "max_steps": 10,
            "per_device_batch_size": 1,
            "max_length": 1024,
            "target_modules": [output(model)],
            "modules_to_save": [saved],
        },
    }
    return build_plan(Spec.model_validate(values), catalog(), catalog().models[model].architecture, None)


def leaves(model):
    found = {weight.leaf for weight in weights(catalog().models[model].architecture) if weight.kind == "linear"}
    family = catalog().models[model].architecture.family
    # DBRX's router is called as peft's `base_layer` ends
    return sorted({*found, family.name("embed_tokens"), family.name("lm_head")} - {output(model), "layer"})


def suffixes(name, family):
    endings = (name[start:] for start in range(len(name)))
    others = {*family.containers, *INSIDE}
    return [one for one in endings if not one.isdigit() and not any(other.endswith(one) for other in others)]


@pytest.mark.parametrize("model", MODELS)
def test_a_suffix_means_what_the_name_means(model):
    architecture = catalog().models[model].architecture
    for leaf in leaves(model):
        meant, family = saved_modules(architecture, [leaf]), architecture.family
        alike = [one for one in suffixes(leaf, family) if saved_modules(architecture, [one]) == meant]
        assert leaf in alike
        whole = planned(model, leaf)
        for one in alike[-1:]:
            assert planned(model, one) == whole
        assert whole.trainable_parameters > lora_parameters(architecture, 16, [output(model)])


@pytest.mark.parametrize("loss", ["fused", "standard"])
def test_head_is_the_head(loss):
    short, whole = (planned(SMALL, name) for name in ("head", "lm_head"))
    assert short.training.modules_to_save == ("lm_head",)
    assert short.trainable_parameters == whole.trainable_parameters
    assert memory(short) == memory(whole)
    flops = [micro_batch_flops(plan.architecture, plan.training, 1024) for plan in (short, whole)]
    assert flops[0] == flops[1]


def test_a_suffix_of_several_means_them_all():
    architecture = catalog().models[SMALL].architecture
    assert {"q_proj", "down_proj"} <= set(saved_modules(architecture, ["_proj"]))
    assert saved_modules(architecture, ["lm_heads"]) == ()


@pytest.mark.parametrize("name", ["mlp", "attn", "3", "self_attn.q_proj", "model.embed_tokens"])
def test_what_is_not_counted_is_said(name):
    with pytest.raises(TargetError, match="not counted here"):
        saved_modules(catalog().models[SMALL].architecture, [name])
    assert "not counted here" in planned(SMALL, name).unknown["trainable_parameters"]


def test_what_a_tower_has_as_well_is_not_counted():
    architecture = COUNTED["Qwen/Qwen2.5-VL-7B-Instruct"].architecture
    assert saved_modules(architecture, ["lm_head"]) == ("lm_head",)
    with pytest.raises(TargetError, match="modules of the tower end with down_proj too"):
        saved_modules(architecture, ["down_proj"])
