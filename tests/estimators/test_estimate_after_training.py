"""The time and the money of the suites after training, at the endpoint."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from hbspec.api import Estimates, compile_spec, estimate

SPEC = Path(__file__).parents[1] / "rules/base.yaml"
SUITES = "evaluation=[{suite: a, min_score: 0.5, items: 300}, {suite: b, min_score: 0.5}]"


def estimated(*overrides: str) -> Estimates:
    return estimate(SPEC, overrides=overrides)


def test_it_is_so_many_answers_at_the_endpoint_s_rate_and_price() -> None:
    found = estimated(SUITES)
    load, evaluation = found.serving.load, found.evaluation
    assert (evaluation.items, evaluation.concurrency) == (500, load.concurrency)
    assert evaluation.seconds.expected == pytest.approx(500 * 3600 / load.requests_per_hour.expected)
    per_thousand = found.serving.cost_per_1000_answers
    for end in ("low", "expected", "high"):
        assert getattr(evaluation.cost, end) == pytest.approx(getattr(per_thousand, end) / 2)


def test_all_instances_are_paid_for_while_one_answers() -> None:
    one, two = estimated(SUITES).evaluation, estimated(SUITES, "deployment.instance.count=2").evaluation
    assert two.seconds == one.seconds
    assert two.cost.expected == pytest.approx(2 * one.cost.expected)


def test_no_more_are_asked_at_once_than_the_command_asks() -> None:
    assert estimated(SUITES, "deployment.concurrency=64").evaluation.concurrency == 8


def test_the_training_s_bill_has_nothing_of_it() -> None:
    assert estimated(SUITES).cost == estimated().cost
    assert estimated().evaluation is None
    assert "evaluation" not in estimated().unknown


@pytest.mark.parametrize(
    ("override", "needs"),
    [("deployment=null", "a deployment"), ("deployment.typical_output_tokens=null", "typical_output_tokens")],
)
def test_what_is_not_known_is_said(override: str, needs: str) -> None:
    found = estimated(SUITES, override)
    assert found.evaluation is None
    assert needs in found.unknown["evaluation"]


def test_the_processing_job_is_said_to_have_neither_a_time_nor_a_price() -> None:
    (reason,) = estimated(SUITES).evaluation.to_dict()["left_out"].values()
    assert "nor a price of Processing is known; it is stopped after 24 h" in reason
    built_in = ["evaluation=[{suite: reasoning-quality, min_score: 0.5}]"]
    files = {file.path: file.content for file in compile_spec(SPEC, "evaluation", overrides=built_in)}
    assert json.loads(files["create_processing_job.json"])["StoppingCondition"]["MaxRuntimeInSeconds"] == 24 * 3600


def test_without_a_price_the_time_is_still_known() -> None:
    own = "deployment.instance={gpu: A10G, gpus: 4}"
    found = estimated(SUITES, own).evaluation
    assert found.cost is None
    assert found.seconds.low > 0
    assert found.to_dict()["cost"] is None
    assert isinstance(estimated(SUITES).evaluation.cost.expected, Decimal)
