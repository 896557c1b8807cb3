"""Wrappers against transformers' own models: the language model inside, and the tower beside it."""

from __future__ import annotations

import pytest
import torch
from small_configs import NEEDED, TINY
from transformers.quantizers.base import get_keys_to_not_convert
from wrapped_models import beside, whole_model

from hbspec.catalog import Architecture, ArchitectureError, catalog
from hbspec.catalog.families import WRAPPERS
from hbspec.catalog.families.wrappers import TEXT
from hbspec.catalog.parameters import language_parameters, linear_parameters, total_parameters, weights

TOWER = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "image_size": 56,
    "patch_size": 14,
}  # fmt: skip
QWEN = {"depth": 3, "hidden_size": 32, "intermediate_size": 48, "num_heads": 4, "out_hidden_size": 64}
EXPERTS = {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 48}
SMALL = {
    "gemma3": ("gemma3", "gemma3_text", TOWER | {"vision_use_head": False}),
    "gemma3-head": ("gemma3", "gemma3_text", TOWER | {"vision_use_head": True}),
    "mistral3": ("mistral3", "mistral", TOWER),
    "mistral3-ministral": ("mistral3", "ministral3", TOWER),
    "qwen2_vl": ("qwen2_vl", "qwen2_vl_text", {"depth": 3, "embed_dim": 32, "num_heads": 4, "hidden_size": 64}),
    "qwen2_5_vl": ("qwen2_5_vl", "qwen2_5_vl_text", QWEN),
    "qwen3_vl": ("qwen3_vl", "qwen3_vl_text", QWEN | {"deepstack_visual_indexes": [0, 2]}),
    "qwen3_vl-shallow": ("qwen3_vl", "qwen3_vl_text", QWEN | {"deepstack_visual_indexes": []}),
    "qwen3_vl_moe": ("qwen3_vl_moe", "qwen3_vl_moe_text", QWEN),
    "glm4v": ("glm4v", "glm4v_text", QWEN | {"image_size": 56, "attention_bias": True}),
    "voxtral": ("voxtral", "llama", TOWER | {"num_mel_bins": 16, "max_source_positions": 100}),
    "llava": ("llava", "llama", TOWER),
    "llava-pixtral": ("llava", "mistral", TOWER | {"model_type": "pixtral"}),
    "llava-siglip": ("llava", "qwen2", TOWER | {"model_type": "siglip_vision_model", "vision_use_head": False}),
    "llava_next": ("llava_next", "llama", TOWER),
    "idefics3": ("idefics3", "llama", TOWER),
    "smolvlm": ("smolvlm", "llama", TOWER),
    "gemma4": ("gemma4", "gemma4_text", TOWER | {"head_dim": 8, "num_key_value_heads": 2, "standardize": True}),
    "gemma4_unified": ("gemma4_unified", "gemma4_unified_text", {"mm_embed_dim": 32, "output_proj_dims": 48}),
    "internvl": ("internvl", "qwen2", TOWER | {"image_size": [56, 28], "patch_size": [14, 14], "attention_bias": True}),
}
PUBLISHED = [
    name
    for name in catalog().models.originals()
    if catalog().models[name].architecture and catalog().models[name].architecture.tower
]


def config_of(name):
    model_type, text, tower = SMALL[name]
    inner = TINY | EXPERTS | {"model_type": text} | NEEDED.get(text, {})
    return {
        "model_type": model_type, "text_config": inner, WRAPPERS[model_type].tower: tower, "tie_word_embeddings": False
    }  # fmt: skip


def split(whole):
    """Parameters of the language model, of the tower, and weights of its linear modules that are quantised."""
    apart = tuple(f"model.{name}" for name in beside(whole))
    named = [(name.startswith(apart), parameter.numel()) for name, parameter in whole.named_parameters()]
    modules = ((name, module) for name, module in whole.named_modules() if name.startswith(apart))
    kept = get_keys_to_not_convert(whole)
    linear = (module for name, module in modules if type(module) is LINEAR and name not in kept)
    return (
        sum(size for out, size in named if not out),
        sum(size for out, size in named if out),
        sum(module.weight.numel() for module in linear),
    )


LINEAR = torch.nn.Linear


def assert_equal(config):
    architecture, (language, tower, linear) = Architecture.from_config(config), split(whole_model(config))
    assert language_parameters(architecture) == language
    assert total_parameters(architecture) == language + tower
    assert sum(one.parameters for one in architecture.tower if one.kind == "linear") == linear
    assert linear_parameters(architecture) == linear + linear_parameters(architecture._replace(tower=()))


@pytest.mark.parametrize("name", SMALL)
def test_every_wrapper_has_exactly_these_parameters(name):
    assert_equal(config_of(name))


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_wrappers_have_exactly_these_parameters(name):
    config = catalog().models.config(name)
    # without one, classes differ in what they tie, and a checkpoint with a head keeps it
    tied = {"tie_word_embeddings": catalog().models[name].architecture.tie_word_embeddings}
    assert_equal(config | tied)


@pytest.mark.parametrize("name", SMALL)
def test_the_language_model_has_exactly_these_tensors(name, model_of, tensors_of):
    config = config_of(name)
    found = weights(Architecture.from_config(config))
    alike = {name: [one for one in found if one.name == name] for name in {one.name for one in found}}
    ours = {name: (sum(one.count for one in ones), sum(one.parameters for one in ones)) for name, ones in alike.items()}
    assert ours == tensors_of(model_of(config))


@pytest.mark.parametrize("audio", [None, {"audio_embed_dim": 24}], ids=str)
@pytest.mark.parametrize("name", ["gemma4", "gemma4_unified"])
def test_the_last_linear_module_behind_a_tied_language_model_is_not_quantised(name, audio):
    config = config_of(name) | {"tie_word_embeddings": True}
    config |= {"audio_config": audio} if name == "gemma4_unified" else {}
    whole, architecture = whole_model(config), Architecture.from_config(config)
    (last,) = (key for key in get_keys_to_not_convert(whole) if "embed_" in key and "embed_tokens" not in key)
    kept = whole.get_submodule(last).weight.numel()
    assert total_parameters(architecture) == sum(one.numel() for one in whole.parameters())
    linear = sum(module.weight.numel() for module in whole.modules() if type(module) is LINEAR)
    assert linear_parameters(architecture) == linear - kept - whole.lm_head.weight.numel()


def test_towers_for_sound_beside_gemma_4_are_refused():
    with pytest.raises(ArchitectureError, match="audio_config: is a tower that is not counted"):
        Architecture.from_config(config_of("gemma4") | {"audio_config": {}})


@pytest.mark.one_in(7)
@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("inner", [{}, {"tie_word_embeddings": False}, {"tie_word_embeddings": True}], ids=str)
def test_heads_are_tied_as_in_transformers(name, outer, inner):
    config = config_of(name) | {"tie_word_embeddings": outer}
    config["text_config"] = config["text_config"] | inner
    whole = whole_model(config)
    tied = whole.lm_head.weight is whole.get_input_embeddings().weight
    assert Architecture.from_config(config).tie_word_embeddings == tied


@pytest.mark.parametrize("model_type", [name for name, wrapper in WRAPPERS.items() if wrapper.built != TEXT])
def test_a_tower_is_not_left_out_without_a_word(model_type):
    field = WRAPPERS[model_type].tower
    inner = NEEDED.get(WRAPPERS[model_type].text, {})
    for tower, said in ({}, f"{field}: is missing"), ({field: {"model_type": "timm"}}, "'timm' is not counted"):
        if WRAPPERS[model_type].optional and not tower:
            assert not Architecture.from_config({"model_type": model_type, "text_config": inner}).tower
            continue
        with pytest.raises(ArchitectureError, match=said):
            Architecture.from_config({"model_type": model_type, "text_config": inner} | tower)


def test_other_towers_than_are_counted_are_refused():
    config = config_of("internvl")
    for field in ("use_qk_norm", "use_mask_token"):
        odd = config | {"vision_config": config["vision_config"] | {field: True}}
        with pytest.raises(ArchitectureError, match=f"vision_config.{field}: true is not counted"):
            Architecture.from_config(odd)
    for sizes in ([14], [14, 0], ["14", 14]):
        odd = config | {"vision_config": config["vision_config"] | {"patch_size": sizes}}
        with pytest.raises(ArchitectureError, match=r"vision_config\.patch_size"):
            Architecture.from_config(odd)
    with pytest.raises(ArchitectureError, match="downsample_ratio"):
        Architecture.from_config(config | {"downsample_ratio": 0})


def test_a_flat_config_is_read_as_a_nested_one():
    nested = config_of("qwen2_vl")
    flat = {**{key: value for key, value in nested["text_config"].items() if key != "model_type"}, **nested}
    del flat["text_config"]
    assert Architecture.from_config(flat) == Architecture.from_config(nested)


def test_several_layers_may_be_read_by_the_projector():
    assert_equal(config_of("llava") | {"vision_feature_layer": [-2, -1]})
    assert_equal(config_of("mistral3") | {"vision_feature_layer": [-2, -1], "multimodal_projector_bias": True})
