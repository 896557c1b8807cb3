"""HB204: targets that the model does not have."""

from __future__ import annotations

from judged import edge, judged

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
