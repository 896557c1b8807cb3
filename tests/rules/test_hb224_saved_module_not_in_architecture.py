"""HB224: modules to save that the model does not have."""

from __future__ import annotations

import pytest
from judged import edge, judged

from hbspec.diagnostics import Confidence, Severity


def test_edge(tmp_path):
    edge("HB224", "deployment: null", "hyperparameters.modules_to_save", ["lm_head"], ["lm_hea"], tmp_path)


@pytest.mark.parametrize(
    ("name", "near"), [("lm_hea", "lm_head"), ("LM_HEAD", "lm_head"), ("embed-tokens", "embed_tokens")]
)
def test_a_module_to_save_that_is_nowhere_is_never_trained(name, near, tmp_path):
    (found,) = judged("HB224", f"hyperparameters: {{modules_to_save: [lm_head, {name}]}}", tmp_path)
    assert found.route == ("hyperparameters", "modules_to_save", 1)
    assert found.message.startswith(f"qwen2 has no module whose name ends with {name}; it has ")
    assert (found.severity, found.help) == (Severity.ERROR, f"did you mean {near}?")
    assert [fix.value for fix in found.fixes] == [near]


@pytest.mark.parametrize("name", ["lm_head", "head", "embed_tokens", "norm", "self_attn.q_proj", "mlp"])
def test_a_module_to_save_is_an_ending_a_path_or_a_container(name, tmp_path):
    assert judged("HB224", f"hyperparameters: {{modules_to_save: [{name}]}}", tmp_path) == []


def test_the_author_s_script_may_have_other_heads(tmp_path):
    saved = "hyperparameters: {modules_to_save: [score]}"
    assert judged("HB224", saved, tmp_path)[0].severity is Severity.ERROR
    (tmp_path / "train.py").write_text("")
    (found,) = judged("HB224", f"{saved}\nscript: {{entry_point: train.py}}", tmp_path)
    assert (found.severity, found.confidence) == (Severity.WARNING, Confidence.LIKELY)


def test_an_unknown_architecture_is_not_judged(tmp_path):
    fragment = "model: {id: acme/unheard-of-7B}\nhyperparameters: {modules_to_save: [lm_hea]}"
    assert judged("HB224", fragment, tmp_path) == []


def test_a_target_is_trained_whole_by_its_full_name_only(tmp_path):
    fragment = "hyperparameters: {target_modules: [q_proj, lm_head], modules_to_save: [%s]}"
    (found,) = judged("HB224", fragment % "norm, head", tmp_path)
    assert found.route == ("hyperparameters", "modules_to_save", 1)
    assert found.message == "peft refuses to train lm_head whole by the name head, since it is a target as well"
    assert [fix.value for fix in found.fixes] == ["lm_head"]
    assert judged("HB224", fragment % "lm_head", tmp_path) == []
    assert judged("HB224", fragment % "head, lm_head", tmp_path) == []


def test_a_router_that_is_a_target_is_not_trained_whole(tmp_path):
    fragment = "model: {id: mistralai/Mixtral-8x7B-v0.1}\nhyperparameters: {modules_to_save: [gate], lora_dropout: 0.0}"
    (found,) = judged("HB224", fragment, tmp_path)
    assert found.help == "delete it here or in target_modules"
    assert found.fixes == ()
