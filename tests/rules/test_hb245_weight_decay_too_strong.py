"""HB245: weight decay."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged


def test_edge(tmp_path):
    edge("HB245", "", "hyperparameters.weight_decay", 0.3, 0.31, tmp_path)


def test_edge_of_lion(tmp_path):
    edge("HB245", "hyperparameters: {optim: lion_32bit}", "hyperparameters.weight_decay", 3.0, 3.1, tmp_path)


@pytest.mark.parametrize("decay", [0.0, 0.01, 0.1])  # TRL, unsloth, axolotl's Phi
def test_public_recipes(decay, tmp_path):
    assert "HB245" not in codes(f"hyperparameters: {{weight_decay: {decay}}}", tmp_path)


def test_the_optimizer_is_named(tmp_path):
    (found,) = judged("HB245", "hyperparameters: {weight_decay: 1.0}", tmp_path)
    assert found.message == "weight_decay is 1, above 0.3, with adamw_torch"
