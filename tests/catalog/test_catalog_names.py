"""Ids of models: which of the known ones an unknown one may be compared with."""

from __future__ import annotations

import pytest

from hbspec.catalog import catalog
from hbspec.catalog.names import ModelName, nearest

KNOWN = list(catalog().models)


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("Qwen/Qwen2.5-7B-Instruct-xyz", "Qwen/Qwen2.5-7B"),
        ("qwen2.5-7b", "Qwen/Qwen2.5-7B"),
        ("mistralai/Mistral-7B-v0.9", "mistralai/Mistral-7B-v0.3"),
        ("deepseek-ai/DeepSeek-R1-Distil-Qwen-32B", "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"),
        ("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B"),
        ("meta-llama/Meta-Llama-3.1-70B-Instruct", "meta-llama/Llama-3.1-70B"),
        ("unsloth/gemma-2-9b-it", "google/gemma-2-9b"),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", "Qwen/Qwen3-30B-A3B"),
        ("microsoft/Phi4", "microsoft/phi-4"),
        ("lama-3.1-8B", "meta-llama/Llama-3.1-8B"),
    ],
)
def test_the_same_family_version_and_size(model, found):
    assert nearest(model, KNOWN) == found


@pytest.mark.parametrize(
    "model",
    [
        "meta-llama/Meta-Llama-3-8B-Instruct", "meta-llama/Llama-3.1-405B", "mistralai/Mixtral-8x22B-v0.1",
        "mistralai/Mixtral-7B-v0.1", "Qwen/Qwen2-7B", "Qwen/Qwen2.5-VL-7B-Instruct", "Qwen/Qwen2.5-Coder-7B",
        "microsoft/Phi-4-mini-instruct", "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B", "openai/gpt-oss-safeguard-20b",
        "deepseek-ai/DeepSeek-R1-Distill-Qwen-33B", "google/gemma-7b", "our/own-model", "gpt2", "7B", "--", "",
    ],
)  # fmt: skip
def test_another_family_version_or_size_is_none(model):
    assert nearest(model, KNOWN) is None


@pytest.mark.parametrize("model", KNOWN)
def test_a_known_model_is_its_own_nearest_and_another_size_never_is(model):
    assert nearest(model, KNOWN) == model
    size = ModelName.of(model).size
    if size is not None:
        assert nearest(model.replace(size[:-1], f"9{size[:-1]}", 1), KNOWN) is None
    others = nearest(model, [other for other in KNOWN if other != model])
    assert others is None or ModelName.of(others).size == size
