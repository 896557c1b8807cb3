from __future__ import annotations

import re

import pytest
from judged import SPECS, found_by, judged, said

from hbspec.api import estimate
from hbspec.estimators.job.runtime import running_seconds
from hbspec.estimators.job.stop import Stop
from hbspec.units import HOUR, Interval, interval_text, seconds_text

SEED = SPECS / "heartbeat-as-written.yaml"
CAD = "budget: {max_cost: 525 CAD, exchange_rates: {USD: {rate: 1.38, date: 2026-11-02}}}"


class TestSeed:
    """The numbers that the plan, written down faithfully, must make visible."""

    def test_the_limit_lets_it_spend_576(self):
        (found,) = said("HB302", SEED)
        assert found.severity == "error"
        assert "16.0 h x 36.00 CAD/h = 576.00 CAD, above the budget of 525.00 CAD" in found.message
        assert "14h35m" in found.help

    def test_14_hours_at_36_are_504(self):
        (found,) = said("HB311", SEED)
        assert found.route == ("expect", "training.cost")
        assert found.message == "14.0 h x 36.00 CAD/h = 504.00 CAD, not 525 CAD"

    def test_the_catalogs_price_is_40_cad(self):
        (found,) = said("HB304", SEED)
        assert found.route == ("instance", "price")
        assert "29.04 USD/h x 1.38 = 40.07 CAD/h (derived, 2026-01-21)" in found.message

    def test_the_exchange_rate_is_stale(self):
        found = {diagnostic.route: diagnostic.message for diagnostic in said("HB305", SEED)}
        assert "426 days" in found["budget", "exchange_rates", "USD", "date"]

    def test_the_authors_price_is_not_stale(self):
        assert ("instance", "type") not in {diagnostic.route for diagnostic in said("HB305", SEED)}


class TestRuntimeLimit:
    def test_below_the_least_is_an_error_and_within_is_a_warning(self, tmp_path):
        (short,) = judged("HB301", "instance: {max_runtime: 1m}", tmp_path)
        assert (short.severity, short.confidence) == ("error", "likely")
        enough = short.fixes[0].value
        assert judged("HB301", f"instance: {{max_runtime: {enough}}}", tmp_path) == []

    def test_a_limit_inside_the_interval_warns(self, tmp_path):
        from hbspec.api import estimate

        judged("HB301", "", tmp_path)
        total = estimate(tmp_path / "spec.yaml").time.total_seconds
        assert total.low < total.high
        between = (total.low + total.high) / 2
        (found,) = judged("HB301", f"instance: {{max_runtime: {between}s}}", tmp_path)
        assert found.severity == "warning"

    def test_the_default_limit_is_a_limit_too(self, tmp_path):
        long = "instance: {max_runtime: null}\nbudget: null\nhyperparameters: {max_steps: %d}"
        (found,) = judged("HB301", long % 60_000, tmp_path)
        assert found.severity == "error"
        assert "max_runtime is 24.0 h, which is the default, the job takes" in found.message
        assert judged("HB301", long % 300, tmp_path) == []

    def test_spot_is_held_against_waiting_too(self, tmp_path):
        spot = "instance: {spot: true, max_wait: %s, max_runtime: %s}\nhyperparameters: {save_steps: 20}"
        assert judged("HB301", spot % ("24h", "24h"), tmp_path) == []
        (found,) = judged("HB301", spot % ("2h", "2h"), tmp_path)
        assert (found.route, found.severity) == (("instance", "max_wait"), "warning")
        assert "max_wait is 2.00 h, waiting and running take" in found.message

    def test_one_runtime_beyond_both_limits_is_one_finding(self, tmp_path):
        spot = "instance: {spot: true, max_wait: %s, max_runtime: %s}\nhyperparameters: {save_steps: 20}"
        (found,) = judged("HB301", spot % ("1m", "1m"), tmp_path)
        assert (found.route, found.severity) == (("instance", "max_runtime"), "error")
        assert {fix.route for fix in found.fixes} == {("instance", "max_runtime"), ("instance", "max_wait")}
        longer, wait = (fix.value for fix in found.fixes)
        assert found.help == f"raise max_runtime to {longer} and max_wait to {wait}"
        assert judged("HB301", spot % (wait, longer), tmp_path) == []

    def test_a_wait_below_the_runtime_is_said_once(self, tmp_path):
        waits = "instance: {spot: true, max_wait: 1m, max_runtime: 24h}\nhyperparameters: {save_steps: 20}"
        assert judged("HB301", waits, tmp_path) == []
        assert len(judged("HB315", waits, tmp_path)) == 1

    def test_waiting_on_demand_is_another_rules_business(self, tmp_path):
        assert judged("HB301", "instance: {max_wait: 1m}", tmp_path) == []

    def test_exactly_the_budget_is_within_it(self, tmp_path):
        price = "budget: {max_cost: 100 USD}\ninstance: {price: 25 USD/h, max_runtime: "
        assert judged("HB302", f"{price}4h}}", tmp_path) == []
        (found,) = judged("HB302", f"{price}4h1m}}", tmp_path)
        assert found.fixes[0].value == "4h00m"

    @pytest.mark.parametrize("price", ["25.25", "36", "0.07", "500"])
    def test_the_fix_is_the_longest_within_the_budget(self, tmp_path, price):
        limit = "instance: {price: %s USD/h, max_runtime: %s}"
        (found,) = found_by("HB302", limit % (price, "400d"), tmp_path)
        longest = found.fixes[0].value
        assert found_by("HB302", limit % (price, longest), tmp_path) == []
        assert len(found_by("HB302", limit % (price, f"{longest}60s"), tmp_path)) == 1

    def test_a_limit_and_a_budget_that_are_both_too_small_are_raised_together(self, tmp_path):
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

    def test_a_limit_is_not_lowered_below_what_the_job_may_need(self, tmp_path):
        limits = "instance: {price: 7 USD/h, max_runtime: 20h}\nbudget: {max_cost: %.2f USD}"
        found_by("HB302", limits % 100, tmp_path)
        need = running_seconds(estimate(tmp_path / "spec.yaml").time) * (7 / HOUR)
        (enough,) = found_by("HB302", limits % (need.high + 0.2), tmp_path)
        (fix,) = enough.fixes
        spec = (tmp_path / "spec.yaml").read_text().replace("20h", fix.value)
        (tmp_path / "spec.yaml").write_text(spec)
        assert said("HB301", tmp_path / "spec.yaml") == said("HB302", tmp_path / "spec.yaml") == []
        for budget in (need.high - 0.1, need.low - 0.1):
            (found,) = found_by("HB302", limits % budget, tmp_path)
            assert (found.fixes, found.help[:10]) == ((), "train less")

    def test_where_the_time_is_not_known_the_budget_alone_decides(self, tmp_path):
        (found,) = judged("HB302", "model: {id: nobody/knows}\ninstance: {max_runtime: 24h}", tmp_path)
        assert found.help.endswith("the longest within the budget")

    def test_instances_count(self, tmp_path):
        (found,) = judged("HB302", "instance: {count: 8, max_runtime: 4h}", tmp_path)
        assert "x 8 instances" in found.message

    def test_a_budget_below_a_minute_has_no_limit_to_offer(self, tmp_path):
        (found,) = found_by("HB302", "budget: {max_cost: 0.10 USD}", tmp_path)
        assert found.fixes == ()
        assert "raise budget.max_cost" in found.help

    def test_spot_costs_at_most_that(self, tmp_path):
        (found,) = judged("HB302", "instance: {max_runtime: 24h, spot: true}", tmp_path)
        assert (found.severity, found.confidence) == ("warning", "likely")

    def test_no_limit_names_what_a_day_costs(self, tmp_path):
        (found,) = judged("HB313", "instance: {max_runtime: null, price: 25 USD/h, count: 2}", tmp_path)
        assert "24.0 h" in found.message
        assert "1,200.00 USD" in found.message

    def test_no_limit_without_a_budget_is_the_authors_choice(self, tmp_path):
        assert judged("HB313", "instance: {max_runtime: null}\nbudget: null", tmp_path) == []


class TestPrice:
    @pytest.mark.parametrize(("price", "count"), [("25.25", 0), ("25.49", 0), ("25.01", 0), ("25.60", 1), ("24.90", 1)])
    def test_one_percent_is_rounding(self, tmp_path, price, count):
        assert len(judged("HB304", f"instance: {{price: {price} USD/h}}", tmp_path)) == count

    def test_the_endpoints_price_too(self, tmp_path):
        (found,) = judged("HB304", "deployment: {instance: {price: 5.67 USD/h}}", tmp_path)
        assert found.route == ("deployment", "instance", "price")
        assert "20.0 % below" in found.message

    def test_without_a_rate_it_cannot_be_compared(self, tmp_path):
        assert judged("HB304", "instance: {price: 20 EUR/h}", tmp_path) == []
        (found,) = judged("HB306", "instance: {price: 20 EUR/h}", tmp_path)
        assert "EUR" in found.message

    def test_an_undated_price_is_stale(self, tmp_path):
        found = judged("HB305", "instance: {type: ml.p3.16xlarge}", tmp_path)
        assert "has no date" in found[0].message

    def test_the_endpoints_price_ages_too(self, tmp_path):
        (found,) = judged("HB305", "deployment: {region: ca-central-1}", tmp_path)
        assert found.route == ("deployment", "instance", "type")
        assert found.severity == "warning"
        assert "is 305 days old; above 180 it is stale" in found.message
        assert found.help == "look it up and give deployment.instance.price"

    def test_a_price_of_ones_own_has_no_age(self, tmp_path):
        own = "deployment: {region: ca-central-1, instance: {price: 7 USD/h}}"
        assert judged("HB305", own, tmp_path) == []

    def test_six_months_are_not_stale(self, tmp_path):
        rates = "budget: {exchange_rates: {CAD: {rate: 0.73, date: %s}}}"
        assert judged("HB305", rates % "2026-05-26", tmp_path) == []  # 180 days
        assert len(judged("HB305", rates % "2026-05-25", tmp_path)) == 1

    def test_a_price_that_is_not_known_is_a_note(self, tmp_path):
        (found,) = judged("HB310", "instance: {type: ml.p5en.48xlarge}", tmp_path)
        assert found.severity == "note"
        assert found.help == "give instance.price"


class TestCost:
    def test_a_budget_inside_the_interval_warns(self, tmp_path):
        from hbspec.api import estimate

        judged("HB303", "", tmp_path)
        cost = estimate(tmp_path / "spec.yaml").cost
        between = (cost.low + cost.high) / 2
        budget = f"budget: {{max_cost: {between:.2f} USD}}"
        (found,) = judged("HB303", f"instance: {{max_runtime: null}}\n{budget}", tmp_path)
        assert found.severity == "warning"
        (limit,) = judged("HB302", budget, tmp_path)
        assert limit.also == (("HB303", ("budget", "max_cost")),)
        assert judged("HB303", budget, tmp_path) == []
        (found,) = judged("HB303", "budget: {max_cost: 0.01 USD}", tmp_path)
        assert found.severity == "error"

    def test_an_unconvertible_cost_is_not_compared(self, tmp_path):
        assert judged("HB303", "budget: {max_cost: 0.01 CAD}", tmp_path) == []


class TestClaims:
    @pytest.mark.parametrize(
        ("duration", "cost", "count"),
        [
            ("10h..14h", "504 CAD", 0),
            ("10h..14h", "500 CAD", 0),  # within 1 %
            ("10h..14h", "490 CAD", 1),
            ("14h", "504 CAD", 0),
            ("14.0h", "525 CAD", 1),
            ("14h", "525 CAD", 0),  # a whole number of hours means one more or less
            ("..14h", "525 CAD", 1),
            ("10h..", "525 CAD", 0),  # has no longest
            ("10h..14h", "..525 CAD", 0),
            ("10h..14h", "360 CAD..504 CAD", 0),
            ("10h..14h", "365 USD", 0),  # x 1.38 = 503.70
            ("10h..14h", "525 EUR", 0),  # no rate
            ("10 parsecs", "525 CAD", 0),
        ],
    )
    def test_duration_price_and_cost(self, tmp_path, duration, cost, count):
        claims = (
            f"instance: {{price: 36 CAD/h}}\n{CAD}\nexpect: {{training.duration: {duration}, training.cost: {cost}}}"
        )
        assert len(judged("HB311", claims, tmp_path)) == count

    def test_instances_multiply(self, tmp_path):
        claims = (
            f"instance: {{price: 36 CAD/h, count: 2}}\n{CAD}\nexpect: {{training.duration: 7h, training.cost: 504 CAD}}"
        )
        assert judged("HB311", claims, tmp_path) == []


class TestSpot:
    OWN_SCRIPT = "instance: {spot: true}\nscript: {entry_point: base.yaml}"

    def test_the_interval_of_another_script_must_be_given(self, tmp_path):
        (found,) = judged("HB307", self.OWN_SCRIPT, tmp_path)
        assert "hyperparameters.save_steps is not given" in found.message
        assert judged("HB307", f"{self.OWN_SCRIPT}\nhyperparameters: {{save_steps: 20}}", tmp_path) == []

    def test_the_shipped_script_saves_into_the_jobs_own_folder(self, tmp_path):
        assert judged("HB307", "instance: {spot: true}\nsagemaker: {checkpoints: null}", tmp_path) == []

    def test_a_wait_of_the_runtime_is_enough(self, tmp_path):
        assert judged("HB315", "instance: {spot: true, max_wait: 4h}", tmp_path) == []

    def test_without_a_limit_the_wait_covers_the_default_day(self, tmp_path):
        wait = "instance: {spot: true, max_runtime: null, max_wait: %s}"
        assert judged("HB315", wait % "24h", tmp_path) == []
        assert len(judged("HB315", wait % "23h", tmp_path)) == 1

    def test_a_stop_that_may_take_longer_than_the_notice(self, tmp_path):
        spot = "instance: {spot: true, max_wait: 8h}\nhyperparameters: {save_steps: 20, modules_to_save: [lm_head]}"
        (found,) = judged("HB318", spot, tmp_path)
        takes = interval_text(estimate(tmp_path / "spec.yaml").analysis.stop.total, seconds_text)
        assert (found.severity, found.route) == ("warning", ("instance", "spot"))
        assert found.message == (
            f"an interruption leaves 115 s to stop; the current micro-batch and a checkpoint take {takes}"
        )
        assert judged("HB318", spot.replace("spot: true", "spot: false"), tmp_path) == []
        unsaved = f"{self.OWN_SCRIPT}\nhyperparameters: {{modules_to_save: [lm_head]}}"
        assert judged("HB318", unsaved, tmp_path) == [], "that is HB307"
        assert judged("HB318", spot.replace("lm_head]", "lm_head], per_device_batch_size: 64"), tmp_path) == []

    @pytest.mark.parametrize(("takes", "count"), [(115, 0), (115.5, 1)])
    def test_the_edge_is_what_the_launcher_leaves(self, takes, count, tmp_path, monkeypatch):
        parts = Stop(Interval(1, 2, takes - 20), Interval(1, 2, 20))
        monkeypatch.setattr("hbspec.analysis.analysis.stop", lambda plan: parts)
        assert len(judged("HB318", "instance: {spot: true, max_wait: 8h}", tmp_path)) == count

    def test_long_micro_batches_are_to_be_smaller(self, tmp_path, monkeypatch):
        parts = Stop(Interval(1, 2, 200), Interval(1, 2, 20))
        monkeypatch.setattr("hbspec.analysis.analysis.stop", lambda plan: parts)
        spot = "instance: {spot: true, max_wait: 8h}\nhyperparameters: {per_device_batch_size: %d}"
        (several,) = judged("HB318", spot % 2, tmp_path)
        assert several.help.startswith("lower per_device_batch_size")
        (one,) = judged("HB318", spot % 1, tmp_path)
        assert one.help.startswith("set spot: false")

    def test_spot_instances_are_not_kept(self, tmp_path):
        assert judged("HB317", "instance: {spot: true}", tmp_path) == []
        assert judged("HB317", "instance: {keep_alive: 30m}", tmp_path) == []
        (found,) = judged("HB317", "instance: {spot: true, keep_alive: 30m}", tmp_path)
        assert "keep_alive is 30.0 min" in found.message


class TestServiceLimits:
    def test_28_days(self, tmp_path):
        assert found_by("HB309", "instance: {max_runtime: 28d}", tmp_path) == []
        assert len(found_by("HB309", "instance: {max_runtime: 28d1s}", tmp_path)) == 1

    def test_six_hours_of_keeping_alive(self, tmp_path):
        assert judged("HB314", "instance: {keep_alive: 6h}", tmp_path) == []
        assert len(judged("HB314", "instance: {keep_alive: 6h1s}", tmp_path)) == 1


class TestStepTime:
    def test_a_window_that_touches_the_interval_is_none_of_its_business(self, tmp_path):
        from hbspec.api import estimate

        judged("HB312", "", tmp_path)
        step = estimate(tmp_path / "spec.yaml").time.step_seconds
        inside = f"monitoring: {{step_time: {{min: {step.expected}s}}}}"
        assert judged("HB312", inside, tmp_path) == []
        below = f"monitoring: {{step_time: {{max: {step.low / 2}s}}}}"
        assert "max" in judged("HB312", below, tmp_path)[0].message
