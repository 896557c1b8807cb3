"""HB246: the dropout of adapters."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged


def test_edge(tmp_path):
    edge("HB246", "", "hyperparameters.lora_dropout", 0.5, 0.51, tmp_path)


@pytest.mark.parametrize("dropout", [0.0, 0.05, 0.1])  # unsloth, TRL, QLoRA
def test_public_recipes(dropout, tmp_path):
    assert "HB246" not in codes(f"hyperparameters: {{lora_dropout: {dropout}}}", tmp_path)


def test_the_rest_is_named(tmp_path):
    (found,) = judged("HB246", "hyperparameters: {lora_dropout: 0.9}", tmp_path)
    assert found.message == "lora_dropout is 0.9, above 0.5: adapters read 10% of their inputs"
