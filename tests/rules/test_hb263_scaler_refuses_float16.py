"""HB263: float16 gradients under a gradient scaler."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

ON_T4 = "model: {id: Qwen/Qwen2.5-0.5B}\ninstance: {type: ml.g4dn.12xlarge}\n"
FULL = "hyperparameters: {method: full, fp16: %s, bnb_quant_type: null, bnb_double_quant: null, lora_r: null, "
FULL += "lora_alpha: null, lora_dropout: null, learning_rate: 1e-5}\n"


def test_edge_of_adapters(tmp_path):
    fragment = f"{ON_T4}hyperparameters: {{fp16: true}}"
    edge("HB263", fragment, "software.adapter_dtype", "float32", "float16", tmp_path)


def test_edge_of_all_weights(tmp_path):
    edge("HB263", ON_T4 + FULL % "true", "software.weights_dtype", "float32", "float16", tmp_path)


@pytest.mark.parametrize(("parallelism", "severity"), [("ddp", ["error"]), ("fsdp", ["warning"]), ("zero2", [])])
def test_who_scales(parallelism, severity, tmp_path):
    fragment = f"{ON_T4}{FULL % 'true'}software: {{weights_dtype: float16}}"
    fragment = fragment.replace("12xlarge", f"12xlarge, parallelism: {parallelism}")
    assert [found.severity for found in judged("HB263", fragment, tmp_path)] == severity


def test_frozen_weights_have_no_gradients(tmp_path):
    fragment = f"{ON_T4}hyperparameters: {{fp16: true}}\nsoftware: {{weights_dtype: float16}}"
    assert "HB263" not in codes(fragment, tmp_path)


def test_bfloat16_needs_no_scaler(tmp_path):
    fragment = "hyperparameters: {bf16: true}\nsoftware: {adapter_dtype: float16}"
    assert "HB263" not in codes(fragment, tmp_path)


def test_a_loop_of_your_own_may_scale_in_another_way(tmp_path):
    own = f"{ON_T4}deployment: null\nscript: {{entry_point: finetune.py}}\n"
    own += "hyperparameters: {fp16: true, save_steps: 50}\n"
    assert "HB263" not in codes(f"{own}software: {{trainer: loop, adapter_dtype: float16, autocast: true}}", tmp_path)
