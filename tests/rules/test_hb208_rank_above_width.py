"""HB208: the rank against the width of adapted modules."""

from __future__ import annotations

from judged import edge, judged

ADAPTED = "hyperparameters: {target_modules: [%s], lora_r: %s, lora_alpha: 1024}\ndeployment: null"


def test_edge(tmp_path):
    edge("HB208", ADAPTED % ("k_proj", "null"), "hyperparameters.lora_r", 1024, 1025, tmp_path)


def test_the_narrowest_module_counts(tmp_path):
    (found,) = judged("HB208", ADAPTED % ("q_proj, k_proj", 1025), tmp_path)
    assert found.message == "lora_r 1,025 exceeds the smaller side of k_proj (1,024 x 5,120)"
    assert judged("HB208", ADAPTED % ("q_proj", 1025), tmp_path) == []
