from __future__ import annotations

from typing import Any

import pytest
from made_logs import done_line, estimates_of, metrics, run_line, seen, stamped, update_line, whole_log

from hbspec.watching.verifying import judged

EVALUATED = {
    "data": {
        "train": {"examples": 1000},
        "validation": {"examples": 20},
        "tokens": {"mean": 300, "max": 300},
    }
}


def verdicts(lines, expect: Any = None, **sections):
    estimates = estimates_of(expect=expect or {}, **sections)
    return {one.key: one for one in judged(estimates, seen(lines, estimates))}


def verdict(lines, key, claim, **sections):
    return verdicts(lines, {key: claim}, **sections)[key].verdict


HALF = whole_log()[:31]


@pytest.mark.parametrize(
    ("key", "claim", "whole", "half"),
    [
        ("training.optimizer_steps", 60, "held", "cannot be told"),
        ("training.optimizer_steps", 61, "broken", "broken"),
        ("training.effective_batch_size", 2, "held", "held"),
        ("training.effective_batch_size", 4, "broken", "broken"),
        ("training.examples_processed", 120, "held", "cannot be told"),
        ("training.examples_processed", 119, "broken", "cannot be told"),
        ("training.epochs", 0.12, "held", "cannot be told"),
        ("training.epochs", "..0.05", "broken", "broken"),
        ("training.step_time", "100 ms..200 ms", "held", "cannot be told"),
        ("training.step_time", "..50 ms", "broken", "broken"),
        ("training.step_time", "200 ms..", "broken", "cannot be told"),
        ("training.memory_per_gpu", "..2 GB", "held", "cannot be told"),
        ("training.memory_per_gpu", "..1 GB", "broken", "broken"),
        ("training.memory_total", "..2 GB", "held", "cannot be told"),
        ("training.duration", "..2h", "held", "cannot be told"),
        ("training.duration", "..1s", "broken", "broken"),
        ("training.cost", "..3 USD", "held", "cannot be told"),
        ("training.cost", "..0.01 USD", "broken", "broken"),
        ("training.cost", "..3 CAD", "cannot be told", "cannot be told"),
        ("training.nonsense", "1", "cannot be told", "cannot be told"),
        ("training.duration", "soon", "cannot be told", "cannot be told"),
        ("model.parameters", "494M", "cannot be told", "cannot be told"),
        ("deployment.latency", "..1s", "cannot be told", "cannot be told"),
        ("price.ml.g5.xlarge.us-east-1", "1.408 USD/h", "cannot be told", "cannot be told"),
    ],
)
def test_a_claim(key, claim, whole, half):
    assert verdict(whole_log(), key, claim) == whole
    assert verdict(HALF, key, claim) == half


def test_claims_in_another_currency():
    budget = {"max_cost": "5 CAD", "exchange_rates": {"USD": {"rate": 1.4, "date": "2026-11-01"}}}
    found = verdicts(whole_log(), {"training.cost": "..3 USD"}, budget=budget)
    assert (found["training.cost"].verdict, found["budget.max_cost"].verdict) == ("held", "held")


class TestBudgetAndLimit:
    def test_a_budget_that_held_and_one_that_broke(self):
        assert verdicts(whole_log(), budget={"max_cost": "2 USD"})["budget.max_cost"].verdict == "held"
        broken = verdicts(whole_log(step_seconds=60.0), budget={"max_cost": "1 USD"})["budget.max_cost"]
        assert broken.verdict == "broken"

    def test_a_job_that_still_runs_may_break_its_budget_already(self):
        lines = whole_log(step_seconds=100.0)[:31]
        assert verdicts(lines, budget={"max_cost": "1 USD"})["budget.max_cost"].verdict == "broken"
        assert verdicts(HALF, budget={"max_cost": "1 USD"})["budget.max_cost"].verdict == "cannot be told"

    def test_a_limit(self):
        assert verdicts(whole_log())["instance.max_runtime"].verdict == "held"
        late = verdicts(stamped(whole_log(), every=61.0))["instance.max_runtime"]
        assert late.verdict == "broken"


class TestMemory:
    def test_an_evaluation_that_no_line_follows_may_have_taken_more(self):
        claim = {"training.memory_per_gpu": "..2 GB"}
        end = [metrics.line(60, {"eval_loss": 2.0}), done_line(60)]
        assert verdicts([*whole_log()[:-1], *end], claim, **EVALUATED)["training.memory_per_gpu"].verdict == (
            "cannot be told"
        )
        middle = [*HALF, metrics.line(30, {"eval_loss": 2.0}), *whole_log()[31:]]
        assert verdicts(middle, claim, **EVALUATED)["training.memory_per_gpu"].verdict == "held"


class TestBounds:
    MEMORY = "monitoring.gpu_memory.max"

    def test_a_bound_holds_when_the_job_has_ended(self):
        monitoring = {"gpu_memory": {"max": "2 GB"}}
        assert verdicts(whole_log(), monitoring=monitoring)[self.MEMORY].verdict == "held"
        assert verdicts(HALF, monitoring=monitoring)[self.MEMORY].verdict == "cannot be told"

    @pytest.mark.parametrize(
        ("monitoring", "field"),
        [
            ({"gpu_memory": {"max": "2 GB"}}, "gpu_memory_bytes"),
            ({"gradient_norm": {"max": 5}}, "grad_norm"),
            ({"step_time": {"max": "1s"}}, "step_seconds"),
            ({"step_time": {"min": "10 ms"}}, "step_seconds"),
        ],
    )
    def test_a_metric_that_stops_says_nothing_about_the_rest(self, monitoring, field):
        lines = [*whole_log()[:51], *(update_line(step, **{field: None}) for step in range(51, 61)), done_line(60)]
        (bound,) = [one for key, one in verdicts(lines, monitoring=monitoring).items() if key.startswith("monitoring")]
        assert bound.verdict == "cannot be told"

    def test_one_that_broke(self):
        found = verdicts(HALF, monitoring={"gpu_memory": {"max": "1 GB"}})[self.MEMORY]
        assert (found.verdict, found.claimed) == ("broken", "1.00 GB")
        assert found.happened.startswith("1.90 GB at update 1 is above 1.00 GB")

    def test_a_loss_that_is_not_a_number(self):
        assert verdicts([run_line(), update_line(1, loss=float("nan"))])["loss"].verdict == "broken"


def test_nothing_can_be_told_of_another_job():
    found = verdicts([run_line(ranks=8), *whole_log()[1:]], {"training.step_time": "1h.."})
    assert {one.verdict for one in found.values()} == {"cannot be told"}
    assert found["training.step_time"].happened.startswith("the log is of another job (processes: 8 in the log")


def test_examples_of_a_run_with_two_starts_are_not_in_its_last_line():
    lines = [*whole_log()[:31], run_line(after=20), *map(update_line, range(21, 61)), done_line(60, updates=40)]
    assert verdict(lines, "training.examples_processed", 80) == "cannot be told"


def test_an_empty_log_tells_nothing():
    expect = {"training.optimizer_steps": 60, "training.memory_per_gpu": "..2 GB", "training.step_time": "1s"}
    assert {one.verdict for one in verdicts([], expect).values()} == {"cannot be told"}
