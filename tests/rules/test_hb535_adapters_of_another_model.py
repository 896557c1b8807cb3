"""HB535: adapters, and the weights that they are served on."""

from __future__ import annotations

from judged import edge, judged

MODEL = "deployment.model"
LORA = (
    "model: {id: Qwen/Qwen2.5-7B-Instruct}\nbudget: null\n"
    "hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}\ndeployment: {quantization: awq}"
)


def test_the_edge_is_the_shape_of_the_trained_model(tmp_path):
    edge("HB535", LORA, MODEL, "Qwen/Qwen2.5-7B-Instruct-AWQ", "Qwen/Qwen2.5-14B-Instruct-AWQ", tmp_path)


def test_both_shapes_are_said(tmp_path):
    (found,) = judged("HB535", LORA.replace("{quant", "{model: Qwen/Qwen2.5-14B-Instruct-AWQ, quant"), tmp_path)
    assert "has 48 layers of width 5,120" in found.message
    assert "with 28 layers of width 3,584" in found.message


def test_weights_in_a_bucket_are_what_their_author_says(tmp_path):
    assert judged("HB535", LORA.replace("{quant", '{model: "s3://bucket/awq/", quant'), tmp_path) == []


def test_a_full_fine_tune_is_served_itself(tmp_path):
    full = (
        "model: {id: Qwen/Qwen2.5-7B-Instruct}\ninstance: {type: ml.p5.48xlarge, parallelism: fsdp}\nbudget: null\n"
        "hyperparameters: {method: full, learning_rate: 1e-5, bnb_quant_type: null, bnb_double_quant: null, "
        "lora_r: null, lora_alpha: null, lora_dropout: null}\n"
        "deployment: {quantization: none, model: Qwen/Qwen2.5-7B-Instruct}"
    )
    (found,) = judged("HB535", full, tmp_path)
    assert found.severity == "warning"
    assert judged("HB535", full.replace(", model: Qwen/Qwen2.5-7B-Instruct}", "}"), tmp_path) == []
