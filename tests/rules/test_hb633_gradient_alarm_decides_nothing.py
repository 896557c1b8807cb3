"""HB633: alarms on the gradient norm."""

from __future__ import annotations

import pytest
from judged import edge, judged

CLIPPED = "hyperparameters: {max_grad_norm: 1.0}"


def test_the_edge_is_the_norm_of_clipping(tmp_path):
    edge("HB633", CLIPPED, "monitoring.gradient_norm.max", 1.0, 0.99, tmp_path)


def test_the_edge_is_the_largest_float16_number(tmp_path):
    edge("HB633", CLIPPED, "monitoring.gradient_norm.max", 65504, 65505, tmp_path)


def test_the_edge_is_a_tenth_of_the_scripts_norm(tmp_path):
    edge("HB633", "", "monitoring.gradient_norm.max", 0.1, 0.099, tmp_path)


@pytest.mark.parametrize(("clipped", "limit"), [(0.3, 0.3), (0.3, 1), (1.0, 100), ("null", 0.1), ("null", 1000)])
def test_recipes_are_silent(clipped, limit, tmp_path):
    """QLoRA clips at 0.3, alignment-handbook at 1.0; an author who sets no norm may know the gradients."""
    fragment = f"hyperparameters: {{max_grad_norm: {clipped}}}\nmonitoring: {{gradient_norm: {{max: {limit}}}}}"
    assert judged("HB633", fragment, tmp_path) == []
