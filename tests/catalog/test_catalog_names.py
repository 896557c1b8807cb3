"""Ids of models: which of the known ones an unknown one may be compared with."""

from __future__ import annotations

import pytest

from hbspec.catalog import catalog
from hbspec.catalog.names import ModelName, nearest

KNOWN = [*catalog().models.originals(), *catalog().models]


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("Qwen/Qwen2.5-7B-Instruct-xyz", "Qwen/Qwen2.5-7B-Instruct"),
        ("qwen2.5-7b", "Qwen/Qwen2.5-7B"),
        ("mistralai/Mistral-7B-v0.9", "mistralai/Mistral-7B-v0.3"),
        ("deepseek-ai/DeepSeek-R1-Distil-Qwen-32B", "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"),
        ("me/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
        ("my/gemma-2-9b-it", "google/gemma-2-9b-it"),
        ("Qwen/Qwen3-30B-A3B-Instruct", "Qwen/Qwen3-30B-A3B-Instruct-2507"),
        ("microsoft/Phi4", "microsoft/phi-4"),
        ("lama-3.1-8B", "meta-llama/Llama-3.1-8B"),
    ],
)
def test_the_same_family_version_and_size(model, found):
    assert nearest(model, KNOWN) == found


@pytest.mark.parametrize(
    "model",
    [
        "meta-llama/Llama-3.4-8B", "meta-llama/Llama-3.1-406B", "mistralai/Mixtral-7B-v0.1", "Qwen/Qwen2-8B",
        "Qwen/Qwen2.5-VL-8B-Instruct", "Qwen/Qwen2.5-Math-70B", "openai/gpt-oss-safeguard-21b",
        "deepseek-ai/DeepSeek-R1-Distill-Qwen-33B", "google/gemma-8b", "our/own-model", "gpt5", "7B", "--", "",
    ],
)  # fmt: skip
def test_another_family_version_or_size_is_none(model):
    assert nearest(model, KNOWN) is None


@pytest.mark.one_in(4)
@pytest.mark.parametrize("model", [*catalog().models.originals()][::7])
def test_a_known_model_is_its_own_nearest_and_another_size_never_is(model):
    assert nearest(model, KNOWN) == model
    size = ModelName.of(model).size
    if size is not None:
        assert nearest(model.replace(size[:-1], f"9{size[:-1]}", 1), KNOWN) is None
    others = nearest(model, [other for other in KNOWN if other.lower() != model.lower()])
    assert others is None or ModelName.of(others).size == size
