"""HB204: targets that the model does not have."""

from __future__ import annotations

import pytest
from judged import AS_OF, edge, judged, laid

from hbspec.api import check

TARGETS = "hyperparameters.target_modules"


def test_edge(tmp_path):
    edge("HB204", "", TARGETS, ["q_proj", "v_proj"], ["q_proj", "v_porj"], tmp_path)


def test_edge_of_the_architecture(tmp_path):
    fused = "instance: {type: ml.p4de.24xlarge}\nhyperparameters: {target_modules: [qkv_proj]}\ndeployment: null"
    edge("HB204", fused, "model.id", "microsoft/phi-4", "Qwen/Qwen2.5-7B", tmp_path)


def test_every_misspelt_target_has_its_own_place(tmp_path):
    found = judged("HB204", "hyperparameters: {target_modules: [qkv_proj, q_proj, wv]}", tmp_path)
    assert [diagnostic.route[-1] for diagnostic in found] == [0, 2]
    assert found[0].message.startswith("qwen2 has no adaptable module qkv_proj; it has ")


FALCON = "tiiuae/Falcon-H1-3B-Instruct"


def test_all_linear_means_a_module_that_peft_refuses(tmp_path):
    spec = "model: {id: %s}\nhyperparameters: {target_modules: all-linear}\ndeployment: null"
    (found,) = judged("HB204", spec % FALCON, tmp_path)
    assert found.message == "peft refuses out_proj in falcon_h1, which all-linear means too"
    assert found.help.startswith("use target_modules: [q_proj, k_proj, v_proj, o_proj, in_proj,")
    assert judged("HB204", spec % "Qwen/Qwen2.5-7B", tmp_path) == []


def test_targets_that_nobody_chose_leave_that_module_out(tmp_path):
    assert judged("HB204", f"model: {{id: {FALCON}}}\ndeployment: null", tmp_path) == []


NAMES = "hyperparameters: {target_modules: [q_proj]}"


@pytest.mark.parametrize(
    ("fragment", "key", "within", "beyond"),
    [
        ("", "hyperparameters.target_modules", r".*\.q_proj", "q_proj"),
        ("", "hyperparameters.target_modules", "default", "defaults"),
        (NAMES, "hyperparameters.layers_to_transform", [63], [64]),
        ("", "hyperparameters.layers_to_transform", [0], [0, 64]),
    ],
)
def test_patterns_and_layers(fragment, key, within, beyond, tmp_path):
    edge("HB204", fragment, key, within, beyond, tmp_path)


def test_a_misspelt_word_has_a_fix(tmp_path):
    (said,) = check(laid("hyperparameters: {target_modules: all_linear}", tmp_path), as_of=AS_OF).diagnostics
    assert (said.code, said.help) == ("HB204", "did you mean all-linear?")
    assert [fix.title for fix in said.fixes] == ["change it to all-linear"]


def test_layers_need_names(tmp_path):
    fragment = "hyperparameters: {target_modules: all-linear, layers_to_transform: [0]}"
    (said,) = check(laid(fragment, tmp_path), as_of=AS_OF).diagnostics
    assert (said.code, said.route) == ("HB204", ("hyperparameters", "layers_to_transform"))
