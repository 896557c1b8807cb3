"""HB232: 16-bit training of weights that are stored in 4 bits."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

LORA = "hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}"
STORED, BASE = "unsloth/Qwen2.5-7B-Instruct-bnb-4bit", "Qwen/Qwen2.5-7B-Instruct"


def test_edge(tmp_path):
    edge("HB232", LORA, "model.id", BASE, STORED, tmp_path)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_every_method_on_16_bit_weights(method, tmp_path):
    lora = "lora_r: null, lora_alpha: null, lora_dropout: null" if method == "full" else "lora_r: 16"
    fragment = f"hyperparameters: {{method: {method}, bnb_quant_type: null, bnb_double_quant: null, {lora}}}"
    (found,) = judged("HB232", f"model: {{id: {STORED}}}\n{fragment}", tmp_path)
    assert found.message.endswith(f"are stored in 4 bits, but method is {method}")
    assert found.help == f"set method: qlora, or train {BASE}"


def test_qlora_is_what_is_stored(tmp_path):
    assert "HB232" not in codes(f"model: {{id: {STORED}}}", tmp_path)
