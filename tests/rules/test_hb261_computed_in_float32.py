"""HB261: float32 on a GPU with a faster format."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

ON_T4 = "model: {id: Qwen/Qwen2.5-0.5B}\ninstance: {type: ml.g4dn.12xlarge}\n"


@pytest.mark.parametrize(
    ("fragment", "found"),
    [
        ("hyperparameters: {bf16: true}", False),
        ("hyperparameters: {bf16: null}", False),  # the script takes bfloat16
        ("hyperparameters: {bf16: false}", True),
        ("hyperparameters: {bf16: false, fp16: false}", True),
        ("hyperparameters: {fp16: false}", True),
        (f"{ON_T4}hyperparameters: {{fp16: false}}", True),
        (f"{ON_T4}hyperparameters: {{bf16: null}}", False),  # the script takes float16
    ],
)
def test_what_is_switched_off(fragment, found, tmp_path):
    assert ("HB261" in codes(fragment, tmp_path)) is found


def test_edge(tmp_path):
    edge("HB261", "", "hyperparameters.bf16", True, False, tmp_path)


def test_weights_in_sixteen_bits_are_not_computed_in_float32(tmp_path):
    own = "deployment: null\nscript: {entry_point: finetune.py}\nhyperparameters: {bf16: false, save_steps: 50}\n"
    assert "HB261" not in codes(f"{own}software: {{weights_dtype: bfloat16}}", tmp_path)
    assert "HB261" in codes(f"{own}software: {{weights_dtype: float32}}", tmp_path)


def test_both_speeds_are_named(tmp_path):
    (found,) = judged("HB261", "hyperparameters: {bf16: false}", tmp_path)
    assert found.route == ("hyperparameters", "bf16")
    assert found.message == (
        "bf16 is false, so the job computes in float32: 19.5 TFLOP/s on the A100-40, but 312 with bf16"
    )
    (found,) = judged("HB261", f"{ON_T4}hyperparameters: {{fp16: false}}", tmp_path)
    assert found.help == "set fp16: true"


def test_what_follows_from_it_is_not_said_too(tmp_path):
    assert codes("hyperparameters: {bf16: false}", tmp_path) == {"HB261"}
