"""HB228: losses and attention kernels beyond the shipped script."""

from __future__ import annotations

import pytest
from judged import codes, edge


@pytest.mark.parametrize(
    ("key", "within", "beyond"),
    [
        ("loss", "standard", "in_place"),
        ("loss", "fused", "in_place_shifted"),
        ("attn_implementation", "flex_attention", "flash_attention_3"),
        ("attn_implementation", "flash_attention_2", "kernels-community/vllm-flash-attn3"),
    ],
)
def test_edge(key, within, beyond, tmp_path):
    edge("HB228", "", f"hyperparameters.{key}", within, beyond, tmp_path)


def test_another_script_may_have_any_kernel(tmp_path):
    kernels = "{loss: in_place, attn_implementation: flash_attention_3, save_steps: 50}"
    assert "HB228" not in codes(
        f"script: {{entry_point: finetune.py}}\nhyperparameters: {kernels}\ndeployment: null", tmp_path
    )
