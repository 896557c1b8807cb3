"""HB511: the 16-bit formats of training and serving."""

from __future__ import annotations

import pytest
from judged import edge, judged


@pytest.mark.parametrize("trained", ["bf16", "fp16"])
def test_the_edge_is_the_dtype_of_training(trained, tmp_path):
    names = {"bf16": "bfloat16", "fp16": "float16"}
    other = "fp16" if trained == "bf16" else "bf16"
    fragment = f"hyperparameters: {{{trained}: true, {other}: false}}"
    edge("HB511", fragment, "deployment.dtype", names[trained], names[other], tmp_path)


@pytest.mark.parametrize("dtype", ["", ", dtype: float16"])
def test_a_gpu_without_bfloat16_has_no_choice(dtype, tmp_path):
    assert judged("HB511", f"deployment: {{instance: {{type: ml.g4dn.12xlarge}}{dtype}}}", tmp_path) == []


def test_the_edge_of_an_alternative(tmp_path):
    fragment = "model: {id: Qwen/Qwen2.5-1.5B}\nbudget: null\ndeployment: {quantization: none}"
    edge("HB511", fragment, "deployment.instance.alternatives", ["ml.g6.12xlarge"], ["ml.g4dn.12xlarge"], tmp_path)


def test_alternatives_of_a_first_choice_that_has_no_bfloat16_either(tmp_path):
    serve = "deployment: {quantization: none, instance: {type: ml.g4dn.12xlarge, alternatives: [ml.p3.8xlarge]}}"
    assert judged("HB511", f"model: {{id: Qwen/Qwen2.5-1.5B}}\nbudget: null\n{serve}", tmp_path) == []
