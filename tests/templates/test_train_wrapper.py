"""A wrapper with a vision tower: the tower is loaded and left as it is."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from hbspec.catalog import Architecture
from hbspec.catalog.parameters import language_parameters, linear_parameters, lora_parameters, total_parameters

GEMMA: dict[str, Any] = {
    "model_type": "gemma3",
    "text_config": {
        "model_type": "gemma3_text", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 256,
        "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
    },
    "vision_config": {
        "model_type": "siglip_vision_model", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "image_size": 56, "patch_size": 14, "vision_use_head": False,
    },
    "tie_word_embeddings": True,
}  # fmt: skip
ARCHITECTURE = Architecture.from_config(GEMMA)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    fields, made = deepcopy(GEMMA), tmp_path_factory.mktemp("gemma")
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(AutoConfig.for_model(fields.pop("model_type"), **fields)).save_pretrained(made)
    return made


def loaded(folder: Path, **more: Any) -> tuple[Any, Any]:
    """The model as the script loads it, and its settings."""
    import torch
    from base_model import Base
    from loading import load_model
    from settings import Settings

    settings = Settings(MODEL_ID="any", BF16=False, **more)
    return load_model(Base(str(folder), None, {}), settings, torch.float32, 0), settings


def trained(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def test_a_full_fine_tune_trains_the_language_model_alone(folder: Path) -> None:
    import torch

    model, _ = loaded(folder, METHOD="full")
    assert trained(model) == language_parameters(ARCHITECTURE)
    assert sum(parameter.numel() for parameter in model.parameters()) == total_parameters(ARCHITECTURE)
    ids = torch.arange(3, 35).unsqueeze(0)
    model.train()
    model(input_ids=ids, labels=ids).loss.backward()
    named = list(model.named_parameters())
    # ranks wait for a gradient of everything that is trained
    assert {name for name, one in named if one.requires_grad} == {name for name, one in named if one.grad is not None}


@pytest.mark.parametrize("targets", ["all-linear", ("q_proj", "v_proj", "fc1")])
@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_no_adapter_is_in_the_tower(folder: Path, method: str, targets: str | tuple[str, ...]) -> None:
    from loading import adapters, beside_language_model
    from peft import get_peft_model

    model, settings = loaded(folder, METHOD=method, TARGET_MODULES=targets)
    beside = beside_language_model(model)
    assert beside == ["model.vision_tower", "model.multi_modal_projector"]
    prepared = get_peft_model(model, adapters(settings, beside))
    named = targets if isinstance(targets, str) else targets[:2]
    assert trained(prepared) == lora_parameters(ARCHITECTURE, settings.LORA_R, named)


def test_the_tower_is_quantised_with_the_rest(folder: Path) -> None:
    import bitsandbytes as bnb

    model, _ = loaded(folder)
    packed = (module.weight.quant_state.shape for module in model.modules() if isinstance(module, bnb.nn.Linear4bit))
    assert sum(shape.numel() for shape in packed) == linear_parameters(ARCHITECTURE)


def test_a_language_model_alone_has_nothing_beside_it(folder: Path) -> None:
    from loading import beside_language_model
    from transformers import AutoModelForCausalLM

    inner = AutoModelForCausalLM.from_config(loaded(folder, METHOD="lora")[0].config.text_config)
    assert beside_language_model(inner) == []
