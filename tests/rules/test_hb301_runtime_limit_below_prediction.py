"""HB301: the runtime limit and the wait against the prediction."""

from __future__ import annotations

import re

from judged import edge, estimated, found_by, judged

from hbspec.estimators.job.runtime import running_seconds

SPOT = "instance: {spot: true, max_wait: %s, max_runtime: %s}\nhyperparameters: {save_steps: 20}"


def test_the_edge_is_the_high_end_of_the_prediction(tmp_path):
    high = running_seconds(estimated("", tmp_path).time).high
    edge("HB301", "", "instance.max_runtime", f"{high + 0.01:.2f}s", f"{high - 0.01:.2f}s", tmp_path)


def test_the_edge_of_waiting_includes_the_wait(tmp_path):
    spot = SPOT % ("24h", "2h")
    high = estimated(spot, tmp_path).time.total_seconds.high
    edge("HB301", spot, "instance.max_wait", f"{high + 0.01:.2f}s", f"{high - 0.01:.2f}s", tmp_path)


def test_below_the_least_is_an_error_and_within_is_a_warning(tmp_path):
    (short,) = judged("HB301", "instance: {max_runtime: 1m}", tmp_path)
    assert (short.severity, short.confidence) == ("error", "likely")
    enough = short.fixes[0].value
    assert judged("HB301", f"instance: {{max_runtime: {enough}}}", tmp_path) == []


def test_a_limit_inside_the_interval_warns(tmp_path):
    total = estimated("", tmp_path).time.total_seconds
    assert total.low < total.high
    between = (total.low + total.high) / 2
    (found,) = judged("HB301", f"instance: {{max_runtime: {between}s}}", tmp_path)
    assert found.severity == "warning"


def test_the_default_limit_is_a_limit_too(tmp_path):
    long = "instance: {max_runtime: null}\nbudget: null\nhyperparameters: {max_steps: %d}"
    (found,) = judged("HB301", long % 60_000, tmp_path)
    assert found.severity == "error"
    assert "max_runtime is 24.0 h by default, but the job is predicted to take" in found.message
    assert judged("HB301", long % 300, tmp_path) == []


def test_spot_is_held_against_waiting_too(tmp_path):
    assert judged("HB301", SPOT % ("24h", "24h"), tmp_path) == []
    (found,) = judged("HB301", SPOT % ("2h", "2h"), tmp_path)
    assert (found.route, found.severity) == (("instance", "max_wait"), "warning")
    assert "max_wait is 2.00 h, but waiting and running are predicted to take" in found.message


def test_one_runtime_beyond_both_limits_is_one_finding(tmp_path):
    (found,) = judged("HB301", SPOT % ("1m", "1m"), tmp_path)
    assert (found.route, found.severity) == (("instance", "max_runtime"), "error")
    assert {fix.route for fix in found.fixes} == {("instance", "max_runtime"), ("instance", "max_wait")}
    longer, wait = (fix.value for fix in found.fixes)
    assert found.help == f"raise max_runtime to {longer} and max_wait to {wait}"
    assert judged("HB301", SPOT % (wait, longer), tmp_path) == []


def test_a_wait_below_the_runtime_is_said_once(tmp_path):
    waits = SPOT % ("1m", "24h")
    assert judged("HB301", waits, tmp_path) == []
    assert len(judged("HB315", waits, tmp_path)) == 1


def test_waiting_on_demand_is_left_to_hb316(tmp_path):
    assert judged("HB301", "instance: {max_wait: 1m}", tmp_path) == []


def test_a_limit_and_a_budget_that_are_both_too_small_are_raised_together(tmp_path):
    both = "instance: {price: 7 USD/h, max_runtime: %s}\nbudget: {max_cost: %s}"
    (short,) = found_by("HB301", both % ("10m", "1 USD"), tmp_path)
    (dear,) = found_by("HB302", both % ("10m", "1 USD"), tmp_path)
    assert short.fixes == dear.fixes == ()
    assert "lower max_runtime" not in dear.help
    longer, more = re.fullmatch(
        "train less, or raise max_runtime to (.+) and budget.max_cost to (.+)", short.help
    ).groups()
    for code in ("HB301", "HB302"):
        assert found_by(code, both % (longer, more), tmp_path) == []
