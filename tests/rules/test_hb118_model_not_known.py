"""HB118: models outside the catalog."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_edge(tmp_path):
    known = "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"
    edge("HB118", "", "model.id", known, known.replace("Distill", "Distil"), tmp_path)


def test_an_owner_that_was_left_out(tmp_path):
    (found,) = judged("HB118", "model: {id: qwen2.5-7b}", tmp_path)
    assert found.fixes[0].value == "Qwen/Qwen2.5-7B"


def test_a_model_like_no_other_needs_its_config(tmp_path):
    (found,) = judged("HB118", "model: {id: our/own-model}", tmp_path)
    assert found.message == "our/own-model is not in the catalog, and model.config is not set"
    assert found.fixes == ()
    assert found.help.startswith("set model.config to the model's config.json, saved beside the spec, or to what")
    assert "hbspec model add" in found.help


def test_another_model_of_the_same_size_is_named_and_not_put_in_its_place(tmp_path):
    (found,) = judged("HB118", "model: {id: Qwen/Qwen2.5-7B-Instruct-xyz}", tmp_path)
    assert found.help.startswith("use Qwen/Qwen2.5-7B-Instruct, if that is meant, or set model.config")
    assert found.fixes == ()


@pytest.mark.parametrize("model", ["meta-llama/Llama-3.4-8B-Instruct", "mistralai/Mixtral-8x21B-v0.1"])
def test_a_model_of_another_version_or_size_is_not_named(model, tmp_path):
    (found,) = judged("HB118", f"model: {{id: {model}}}", tmp_path)
    assert found.help.startswith("set model.config")


def test_no_model_at_all(tmp_path):
    (found,) = judged("HB118", "model: {id: null}", tmp_path)
    assert (found.route, found.message) == (("model",), "neither model.id nor model.config is set")


@pytest.mark.parametrize(
    "model", ["meta-llama/Meta-Llama-3-8B-Instruct", "NousResearch/Llama-2-7b-hf", "unsloth/Qwen2.5-7B-bnb-4bit"]
)
def test_the_same_shape_under_another_name_is_known(model, tmp_path):
    assert judged("HB118", f"model: {{id: {model}}}", tmp_path) == []


def test_a_known_model_whose_config_does_not_bound_it(tmp_path):
    (found,) = judged("HB118", "model: {id: moonshotai/Kimi-K3}", tmp_path)
    assert "does not count models of type kimi_k3 yet" in found.message


def test_a_name_with_a_size_tells_nothing(tmp_path):
    (found,) = judged("HB118", "model: {id: our/own-model-7B}", tmp_path)
    assert found.severity == "error"


def test_a_known_model_of_a_type_that_is_only_bounded(tmp_path):
    assert judged("HB118", "model: {id: state-spaces/mamba-2.8b-hf}", tmp_path) == []


def test_a_model_of_a_counted_type_with_a_field_that_is_not_counted_is_bounded(tmp_path):
    assert judged("HB118", "model: {id: google/gemma-4-E2B}", tmp_path) == []
    (found,) = judged("HB131", "model: {id: google/gemma-4-E2B}", tmp_path)
    assert found.message.startswith("hbspec has no exact model of this gemma4: its config allows ")
