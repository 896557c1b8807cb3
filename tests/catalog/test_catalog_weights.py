"""Parameters against transformers' own models, tensor by tensor."""

from __future__ import annotations

import re

import pytest
import torch
from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Llama4ForCausalLM
from transformers.pytorch_utils import Conv1D

from hbspec.catalog import Architecture, catalog
from hbspec.catalog.parameters import (
    active_parameters,
    embedding_parameters,
    head_parameters,
    kv_cache_bytes_per_token,
    language_parameters,
    linear_parameters,
    total_parameters,
    weights,
)

MODELS = {name: model for name in catalog().models.originals() if (model := catalog().models[name]).architecture}
SHIPPED = {name: catalog().models.config(name) for name in MODELS}
SHAPES = {
    # wrappers say what is tied, since their classes differ where they do not
    model.architecture._replace(max_position_embeddings=0, torch_dtype=None): SHIPPED[name]
    | ({"tie_word_embeddings": model.architecture.tie_word_embeddings} if model.architecture.wrapper else {})
    for name, model in MODELS.items()
}
R1 = "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"

# Published configs of sizes that the catalog has none of (Hugging Face config.json of each).
LLAMA_2_7B = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32000, "max_position_embeddings": 4096,
}  # fmt: skip
PHI_3_MINI = {
    "model_type": "phi3", "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32064, "max_position_embeddings": 4096,
    "sliding_window": 2047,
}  # fmt: skip


def itemised(architecture):
    found = {}
    for weight in weights(architecture):  # some have one name inside of the layers and outside
        count, elements = found.get(weight.name, (0, 0))
        found[weight.name] = count + weight.count, elements + weight.parameters
    return found


@pytest.mark.one_in(10)
@pytest.mark.parametrize("config", [*SHAPES.values(), LLAMA_2_7B, PHI_3_MINI])
def test_full_size_models_have_exactly_these_tensors(config, model_of, tensors_of):
    model = model_of(config)
    architecture = Architecture.from_config(config)
    assert itemised(architecture) == tensors_of(model)
    assert language_parameters(architecture) == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.one_in(3)
def test_every_switch_changes_the_tensors_as_in_transformers(variant, shared_model_of, tensors_of):
    assert itemised(Architecture.from_config(variant)) == tensors_of(shared_model_of(variant))


def test_only_plain_linear_modules_are_linear(variant, shared_model_of):
    model = shared_model_of(variant)
    plain = (module for module in model.modules() if type(module) in (torch.nn.Linear, Conv1D))
    linear = (module for module in plain if module is not model.lm_head)
    assert linear_parameters(Architecture.from_config(variant)) == sum(module.weight.numel() for module in linear)


def test_the_sparse_layers_are_those_with_experts(variant, shared_model_of):
    model = shared_model_of(variant)
    base = getattr(model, "model", model.base_model)
    base = getattr(base, "decoder", base)
    layers = enumerate(next(getattr(base, name) for name in ("layers", "h", "blocks") if hasattr(base, name)))
    sparse = tuple(index for index, layer in layers if any("experts" in name for name, _ in layer.named_parameters()))
    assert Architecture.from_config(variant).moe_layers == sparse


def test_layers_attend_as_in_transformers(variant, config_of):
    theirs, ours = config_of(variant), Architecture.from_config(variant)
    theirs.allow_global_per_layer_attribute_access = True
    # Llama has no local attention; Mistral, Mixtral, Phi-3 and Qwen3-MoE mask every layer by config.sliding_window.
    if getattr(theirs, "layer_types", None):
        assert list(ours.layer_types) == list(theirs.layer_types)
    else:
        local = getattr(theirs, "sliding_window", None)
        assert set(ours.layer_types) == {"sliding_attention" if local else "full_attention"}
    window = getattr(theirs, "attention_chunk_size", None) or getattr(theirs, "sliding_window", None) or None
    assert ours.sliding_window == window
    assert (
        ours.head_dim == getattr(theirs, "head_dim", None) or variant["hidden_size"] // variant["num_attention_heads"]
    )


@pytest.mark.parametrize(
    ("name", "total", "linear"),
    [
        (R1, 32_763_876_352, 31_205_621_760),
        ("Qwen/Qwen2.5-0.5B", 494_032_768, 357_826_560),
        ("meta-llama/Llama-3.3-70B-Instruct", 70_553_706_496, 68_451_041_280),
        ("google/gemma-2-9b", 9_241_705_984, 8_323_596_288),
        ("mistralai/Mixtral-8x7B-v0.1", 46_702_792_704, 1_342_177_280),
        ("Qwen/Qwen3-30B-A3B", 30_532_122_624, 905_969_664),
        ("openai/gpt-oss-20b", 20_914_757_184, 637_009_920),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 107_769_861_120, 9_059_696_640),
    ],
)
def test_known_totals(name, total, linear):
    architecture = catalog().models[name].architecture
    assert (total_parameters(architecture), linear_parameters(architecture)) == (total, linear)


def test_published_totals_outside_the_catalog():
    assert total_parameters(Architecture.from_config(LLAMA_2_7B)) == 6_738_415_616
    assert total_parameters(Architecture.from_config(PHI_3_MINI)) == 3_821_079_552


@pytest.mark.parametrize("name", ["google/gemma-3-4b-it", "google/gemma-3-12b-it", "google/gemma-3-27b-it"])
def test_the_language_model_of_gemma_3_is_what_the_vision_tower_leaves(name):
    # google/gemma-3-*-it: vision_config of each config.json is the same.
    vision = {
        "model_type": "siglip_vision_model", "hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27,
        "num_attention_heads": 16, "image_size": 896, "patch_size": 14, "vision_use_head": False,
    }  # fmt: skip
    with torch.device("meta"):
        whole = Gemma3ForConditionalGeneration(
            Gemma3Config(text_config=dict(SHIPPED[name]["text_config"]), vision_config=vision)
        )
    model = catalog().models[name]
    assert sum(parameter.numel() for parameter in whole.parameters()) == model.reported_parameters
    language = sum(parameter.numel() for parameter in whole.model.language_model.parameters())
    assert language_parameters(model.architecture) == language
    assert total_parameters(model.architecture) == model.reported_parameters


def test_reported_totals_agree_unless_a_note_says_what_they_count():
    for model in MODELS.values():
        ours = total_parameters(model.architecture)
        if model.reported_parameters in (None, ours):
            continue
        head = embedding_parameters(model.architecture)
        if "tied lm_head twice" in model.note:
            assert model.reported_parameters == ours + head, model.id
        elif found := re.search(r"reported with ([\d,]+) numbers of buffers", model.note):
            assert model.reported_parameters == ours + int(found[1].replace(",", "")), model.id
        else:
            assert "vision tower" in model.note, model.id
            assert ours < model.reported_parameters, model.id


def test_active_parameters_leave_out_the_experts_that_rest():
    models = catalog().models
    # Embedding and head included, as in the models' own names (A3B) and in what Mistral says of Mixtral (12.9 B).
    assert active_parameters(models["mistralai/Mixtral-8x7B-v0.1"].architecture) == 12_879_925_248
    assert active_parameters(models["Qwen/Qwen3-30B-A3B"].architecture) == 3_353_032_704
    assert active_parameters(models[R1].architecture) == total_parameters(models[R1].architecture)


def test_active_parameters_of_biased_experts(model_of):
    config = SHIPPED["openai/gpt-oss-20b"] | {"num_hidden_layers": 1}
    total, fewer = (
        sum(parameter.numel() for parameter in model_of(config | {"num_local_experts": experts}).parameters())
        for experts in (32, 4)
    )
    router = 28 * (2880 + 1)
    assert active_parameters(Architecture.from_config(config)) == fewer + router < total


def test_tied_heads_count_once():
    tied, untied = (
        Architecture.from_config(SHIPPED[R1] | {"tie_word_embeddings": tie, "num_hidden_layers": 2})
        for tie in (True, False)
    )
    assert head_parameters(tied) == 0
    assert head_parameters(untied) == embedding_parameters(untied) == total_parameters(untied) - total_parameters(tied)


def test_the_cache_of_four_full_requests_is_four_gib():
    per_token = kv_cache_bytes_per_token(catalog().models[R1].architecture)
    assert per_token == 262_144
    assert 4 * 4096 * per_token == 4 * 2**30
    assert kv_cache_bytes_per_token(catalog().models[R1].architecture, bytes_per_element=1) == per_token // 2


def test_llama_4_is_loaded_as_its_language_model(model_of):
    config = SHIPPED["meta-llama/Llama-4-Scout-17B-16E-Instruct"]
    assert isinstance(model_of(config), Llama4ForCausalLM)
    assert Architecture.from_config(config).wrapper == "llama4"
    assert Architecture.from_config(config).tower == ()
