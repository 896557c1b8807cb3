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


def test_a_gate_that_nobody_named_is_not_the_narrowest(tmp_path):
    """Axolotl's examples/archived/qwen/qwen2-moe-lora.yaml adapts all linear modules with rank 32."""
    moe = (
        "model: {id: Qwen/Qwen1.5-MoE-A2.7B}\nhyperparameters: {method: lora, bnb_quant_type: null, lora_dropout: 0, %s"
    )
    assert judged("HB208", moe % "bnb_double_quant: null, lora_r: 32, target_modules: all-linear}", tmp_path) == []
    (found,) = judged(
        "HB208", moe % "bnb_double_quant: null, lora_r: 32, target_modules: [shared_expert_gate]}", tmp_path
    )
    assert "shared_expert_gate (1 x 2,048)" in found.message
