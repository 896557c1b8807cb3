"""Bounds of models of unknown families: the truth lies between, and nothing is guessed where a config tells nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hbspec.catalog import ArchitectureError, catalog
from hbspec.catalog.bounding_architectures import bounding
from hbspec.catalog.bounds import bounds_of
from hbspec.catalog.parameters import total_parameters

SMALL: dict[str, dict[str, Any]] = {
    "lfm2": {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2},
    "gpt_neo": {"hidden_size": 128, "num_layers": 2, "attention_types": [[["global", "local"], 1]], "num_heads": 4},
    "jamba": {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 8, "num_attention_heads": 4},
    "mamba": {"hidden_size": 128, "num_hidden_layers": 3, "vocab_size": 1000},
    "falcon_h1": {"hidden_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 1000},
    "rwkv": {"hidden_size": 128, "num_hidden_layers": 2, "vocab_size": 1000},
    "bloom": {"hidden_size": 128, "n_layer": 2, "n_head": 4, "vocab_size": 1000},
    "nemotron_h": {"hidden_size": 256, "layers_block_type": ["mamba", "moe", "attention", "mlp"], "vocab_size": 1000},
}


@pytest.mark.parametrize("model_type", sorted(SMALL))
def test_what_transformers_builds_lies_between(model_type: str) -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    config = transformers.AutoConfig.for_model(model_type, **SMALL[model_type])
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    true = sum(parameter.numel() for parameter in model.parameters())
    found = bounds_of({"model_type": model_type, **json.loads(config.to_json_string(use_diff=False))})
    assert found is not None
    assert found.parameters.low <= true <= found.parameters.high
    assert found.parameters.high / found.parameters.low < 4


@pytest.mark.parametrize(
    "name",
    ["meta-llama/Llama-3.1-8B", "google/gemma-2-2b", "Qwen/Qwen3-30B-A3B", "microsoft/phi-2", "openai-community/gpt2"],
)
def test_a_model_that_is_known_lies_between(name: str) -> None:
    models = catalog().models
    found, architecture = bounds_of(models.config(name)), models[name].architecture
    assert found is not None
    assert architecture is not None
    assert found.parameters.low <= total_parameters(architecture) <= found.parameters.high


@pytest.mark.parametrize("name", ["nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-BF16", "LiquidAI/LFM2-1.2B"])
def test_the_bounding_models_have_as_many_parameters(name: str) -> None:
    found = bounds_of(catalog().models.config(name))
    assert found is not None
    models = bounding(found, whole=False)
    sizes = [total_parameters(one) for one in models[:3]]
    assert sizes == pytest.approx([*found.parameters.to_dict().values()], rel=0.01)
    assert sizes == sorted(sizes)


def test_quantised_experts_are_no_more_than_packed() -> None:
    found = bounds_of(catalog().models.config("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16"))
    assert found is not None
    whole, packed = (bounding(found, whole=False, quantised=quantised) for quantised in (False, True))
    assert total_parameters(packed.low) < 0.5 * total_parameters(whole.low)
    assert packed.high == whole.high


PLAIN = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100}


def test_each_spelling_means_the_same() -> None:
    spelled = {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 100}
    assert bounds_of({"model_type": "own", **PLAIN}) == bounds_of({"model_type": "own", **spelled})


def test_a_wrapper_is_its_language_model() -> None:
    alone, inside = bounds_of({"model_type": "own", **PLAIN}), bounds_of({"model_type": "own", "text_config": PLAIN})
    assert alone == inside


def test_what_is_beside_the_language_model_raises_only_the_high_end() -> None:
    vision = {"vision_config": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}}
    alone, beside = bounds_of({"model_type": "own", **PLAIN}), bounds_of({"model_type": "own", **PLAIN, **vision})
    assert alone is not None
    assert beside is not None
    assert beside.parameters.low == alone.parameters.low
    assert beside.parameters.high > alone.parameters.high


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"model_type": 3, **PLAIN},
        {"model_type": "own"},
        {"model_type": "own", **PLAIN, "hidden_size": 0},
        {"model_type": "own", **PLAIN, "num_attention_heads": None},
        {"model_type": "jetmoe", **PLAIN},
        {"model_type": "own", **PLAIN, "latent_dim": 4096},
        {"model_type": "own", **PLAIN, "num_experts": 16384},
        {"model_type": "own", **PLAIN, "hidden_size": 2**31 - 1, "num_hidden_layers": 10_000},
        {"model_type": "own", **PLAIN, "vision_config": {"name": "of another library"}},
    ],
)
def test_nothing_is_guessed(config: dict[str, Any]) -> None:
    assert bounds_of(config) is None


@pytest.mark.parametrize("value", [-1, 2**31, 1.5, "64", True, [64.0], {"a": 1}])
def test_a_number_that_is_none_is_named(value: Any) -> None:
    with pytest.raises(ArchitectureError, match=r"hidden_size: .* is not a whole number"):
        bounds_of({"model_type": "own", **PLAIN, "hidden_size": value})
