"""HB309: SageMaker's limit on `max_runtime`."""

from __future__ import annotations

from judged import edge


def test_the_edge_is_28_days(tmp_path):
    edge("HB309", "budget: {max_cost: 20000 USD}", "instance.max_runtime", "28d", "28d1s", tmp_path)
