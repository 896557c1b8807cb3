"""HB221: dropout before fused experts."""

from __future__ import annotations

from judged import codes, edge, judged

PLAIN_LORA = "method: lora, bnb_quant_type: null, bnb_double_quant: null"
FUSED = "instance: {type: ml.p5en.48xlarge}\nmodel: {id: Qwen/Qwen3-30B-A3B}\nhyperparameters: {%s}"
MIXTRAL = "model: {id: mistralai/Mixtral-8x7B-v0.1}\nhyperparameters: {lora_dropout: %s, target_modules: %s}"


def test_edge(tmp_path):
    edge("HB221", FUSED % PLAIN_LORA, "hyperparameters.lora_dropout", 0.0, 0.001, tmp_path)


def test_edge_of_the_targets(tmp_path):
    edge("HB221", FUSED % PLAIN_LORA, "hyperparameters.target_modules", ["q_proj"], "all-linear", tmp_path)


def test_no_dropout_is_the_default(tmp_path):
    assert judged("HB221", MIXTRAL % ("null", "all-linear"), tmp_path) == []


def test_the_parameters_are_named(tmp_path):
    (found,) = judged("HB221", FUSED % f"{PLAIN_LORA}, lora_dropout: 0.05", tmp_path)
    assert found.message.startswith("lora_dropout 0.05 cannot be applied to fused parameters: ")


def test_edge_of_transformers(tmp_path):
    dropout = FUSED % f"{PLAIN_LORA}, lora_dropout: 0.05"
    older, newer = (
        codes(f"{dropout}\nsoftware: {{transformers: {version}}}", tmp_path) for version in ("4.57.6", "5.0.0")
    )
    assert "HB221" in newer
    assert "HB221" not in older
