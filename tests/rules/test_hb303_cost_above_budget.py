"""HB303: the predicted cost against the budget."""

from __future__ import annotations

from decimal import Decimal
from math import ceil

from judged import edge, estimated, judged

WITHOUT_LIMIT = "instance: {max_runtime: null}"


def test_the_edge_is_the_high_end_of_the_prediction(tmp_path):
    whole_epochs = f"{WITHOUT_LIMIT}\ndata: {{train: {{examples: 2400}}}}"  # else HB217 has a say in the same cents
    cents = ceil(estimated(whole_epochs, tmp_path).cost.high * 100)
    within, beyond = (f"{Decimal(amount) / 100} USD" for amount in (cents, cents - 1))
    edge("HB303", whole_epochs, "budget.max_cost", within, beyond, tmp_path)


def test_a_budget_inside_the_interval_warns(tmp_path):
    cost = estimated("", tmp_path).cost
    between = (cost.low + cost.high) / 2
    budget = f"budget: {{max_cost: {between:.2f} USD}}"
    (found,) = judged("HB303", f"{WITHOUT_LIMIT}\n{budget}", tmp_path)
    assert found.severity == "warning"
    (limit,) = judged("HB302", budget, tmp_path)
    assert limit.also == (("HB303", ("budget", "max_cost")),)
    assert judged("HB303", budget, tmp_path) == []
    (found,) = judged("HB303", "budget: {max_cost: 0.01 USD}", tmp_path)
    assert found.severity == "error"


def test_an_unconvertible_cost_is_not_compared(tmp_path):
    assert judged("HB303", "budget: {max_cost: 0.01 CAD}", tmp_path) == []
