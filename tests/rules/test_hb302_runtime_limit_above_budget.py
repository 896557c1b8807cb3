"""HB302: what the runtime limit lets the job cost against the budget."""

from __future__ import annotations

import pytest
from judged import SPECS, edge, estimated, found_by, judged, said

from hbspec.estimators.job.runtime import running_seconds
from hbspec.units import HOUR

AT_25_USD = "budget: {max_cost: 100 USD}\ninstance: {price: 25 USD/h, max_runtime: 1h}"


def test_the_edge_is_the_time_that_the_budget_pays_for(tmp_path):
    edge("HB302", AT_25_USD, "instance.max_runtime", "4h", "4h0.1s", tmp_path)


def test_the_edge_of_the_budget_is_the_cost_of_the_limit(tmp_path):
    edge("HB302", "instance: {price: 25 USD/h, max_runtime: 4h}", "budget.max_cost", "100 USD", "99.99 USD", tmp_path)


def test_the_limit_of_the_plan_lets_it_spend_576():
    (found,) = said("HB302", SPECS / "heartbeat-as-written.yaml")
    assert found.severity == "error"
    assert "16.0 h x 36.00 CAD/h = 576.00 CAD, above the budget of 525.00 CAD" in found.message
    assert "14h35m" in found.help


def test_a_minute_beyond_the_budget_is_taken_off(tmp_path):
    (found,) = judged("HB302", AT_25_USD.replace("1h", "4h1m"), tmp_path)
    assert found.fixes[0].value == "4h00m"


@pytest.mark.parametrize("price", ["25.25", "36", "0.07", "500"])
def test_the_fix_is_the_longest_within_the_budget(tmp_path, price):
    limit = "instance: {price: %s USD/h, max_runtime: %s}"
    (found,) = found_by("HB302", limit % (price, "400d"), tmp_path)
    longest = found.fixes[0].value
    assert found_by("HB302", limit % (price, longest), tmp_path) == []
    assert len(found_by("HB302", limit % (price, f"{longest}60s"), tmp_path)) == 1


def test_a_limit_is_not_lowered_below_what_the_job_may_need(tmp_path):
    limits = "instance: {price: 7 USD/h, max_runtime: 20h}\nbudget: {max_cost: %.2f USD}"
    need = running_seconds(estimated(limits % 100, tmp_path).time) * (7 / HOUR)
    (enough,) = found_by("HB302", limits % (need.high + 0.2), tmp_path)
    (fix,) = enough.fixes
    spec = (tmp_path / "spec.yaml").read_text().replace("20h", fix.value)
    (tmp_path / "spec.yaml").write_text(spec)
    assert said("HB301", tmp_path / "spec.yaml") == said("HB302", tmp_path / "spec.yaml") == []
    for budget in (need.high - 0.1, need.low - 0.1):
        (found,) = found_by("HB302", limits % budget, tmp_path)
        assert (found.fixes, found.help[:10]) == ((), "train less")
        assert ("; or lower max_runtime to " in found.help) is (budget > need.expected)


def test_where_the_time_is_not_known_the_budget_alone_decides(tmp_path):
    (found,) = judged("HB302", "model: {id: nobody/knows}\ninstance: {max_runtime: 24h}", tmp_path)
    assert found.help.endswith("the longest that the budget pays for")


def test_instances_count(tmp_path):
    (found,) = judged("HB302", "instance: {count: 8, max_runtime: 4h}", tmp_path)
    assert "x 8 instances" in found.message


def test_a_budget_below_a_minute_has_no_limit_to_offer(tmp_path):
    (found,) = found_by("HB302", "budget: {max_cost: 0.10 USD}", tmp_path)
    assert found.fixes == ()
    assert "raise budget.max_cost" in found.help


def test_spot_costs_at_most_that(tmp_path):
    (found,) = judged("HB302", "instance: {max_runtime: 24h, spot: true}", tmp_path)
    assert (found.severity, found.confidence) == ("warning", "likely")
