"""HB517: quantisations that no engine makes while it loads."""

from __future__ import annotations

import pytest
from judged import edge, judged

ADA = "deployment: {instance: {type: ml.g6e.12xlarge}}"


@pytest.mark.parametrize(("within", "beyond"), [("nf4", "fp4"), ("fp8", "int8")])
def test_the_edge_is_what_vllm_makes(within, beyond, tmp_path):
    lora = "hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}"
    edge("HB517", f"{lora}\n{ADA}", "deployment.quantization", within, beyond, tmp_path)


def test_8_bits_stay_8_bits(tmp_path):
    (found,) = judged("HB517", "deployment: {quantization: int8}", tmp_path)
    assert found.help == "set quantization: fp8, or name int8 weights in deployment.model"
    assert judged("HB517", 'deployment: {quantization: int8, model: "s3://bucket/int8/"}', tmp_path) == []


@pytest.mark.parametrize(
    ("quantization", "model", "wrong"),
    [
        ("nf4", "null", True),
        ("nf4", "unsloth/Qwen2.5-32B-Instruct-bnb-4bit", True),
        ("fp8", "null", False),
        ("none", "null", False),
    ],
)
def test_lmi_lacks_bitsandbytes(quantization, model, wrong, tmp_path):
    section = f"deployment: {{engine: djl-lmi, quantization: {quantization}, model: {model}}}"
    assert bool(judged("HB517", section, tmp_path)) is wrong
    own = "sagemaker: {serving_image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/djl-inference:0.38.0-mine-cu130}"
    assert judged("HB517", f"{section}\n{own}", tmp_path) == []
