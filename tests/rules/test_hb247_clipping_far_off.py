"""HB247: the norm that gradients are clipped to."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged


def test_edges(tmp_path):
    edge("HB247", "", "hyperparameters.max_grad_norm", 0.01, 0.009, tmp_path)
    edge("HB247", "", "hyperparameters.max_grad_norm", 100, 101, tmp_path)


@pytest.mark.parametrize("norm", [0.3, 0.5, 1.0])  # QLoRA, ms-swift, transformers
def test_public_recipes(norm, tmp_path):
    assert "HB247" not in codes(f"hyperparameters: {{max_grad_norm: {norm}}}", tmp_path)


def test_the_effect_is_named(tmp_path):
    (low,) = judged("HB247", "hyperparameters: {max_grad_norm: 1.0e-6}", tmp_path)
    (high,) = judged("HB247", "hyperparameters: {max_grad_norm: 1000.0}", tmp_path)
    assert low.message == "max_grad_norm is 1e-06, below 0.01: every update is scaled down"
    assert high.message == "max_grad_norm is 1000, above 100: nothing is clipped"
