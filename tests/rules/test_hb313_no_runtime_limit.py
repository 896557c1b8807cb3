"""HB313: a budget without a runtime limit."""

from __future__ import annotations

from judged import edge, judged


def test_the_edge_is_a_runtime_limit(tmp_path):
    edge("HB313", "instance: {max_runtime: null}", "instance.max_runtime", "20h", None, tmp_path)


def test_the_message_names_what_a_day_costs(tmp_path):
    (found,) = judged("HB313", "instance: {max_runtime: null, price: 25 USD/h, count: 2}", tmp_path)
    assert "24.0 h" in found.message
    assert "1,200.00 USD" in found.message


def test_no_limit_without_a_budget_is_the_authors_choice(tmp_path):
    assert judged("HB313", "instance: {max_runtime: null}\nbudget: null", tmp_path) == []
