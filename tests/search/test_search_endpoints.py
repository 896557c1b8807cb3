"""The best endpoints, against the estimate of every endpoint."""

import pytest

from hbspec.api import estimate
from hbspec.diagnostics import Severity
from hbspec.estimators.verdict import Verdict
from hbspec.search.burden import no_better
from hbspec.search.endpoint_space import EndpointSpace
from hbspec.search.endpoints import UNCERTAIN, optimize_endpoint
from hbspec.search.judging import codes_of
from hbspec.search.request import Request

SPEC = {
    "hbspec": 1,
    "name": "served",
    "model": {"id": "Qwen/Qwen2.5-7B"},
    "data": {"train": {"examples": 1000}, "tokens": {"mean": 300, "max": 500}},
    "instance": {"type": "ml.g5.12xlarge", "region": "us-east-1", "parallelism": "ddp", "max_runtime": "20h"},
    "hyperparameters": {"learning_rate": 2e-4, "max_steps": 20, "per_device_batch_size": 1, "max_length": 512},
    "deployment": {
        "instance": {"type": "ml.g5.12xlarge", "count": 1},
        "tensor_parallel": 4,
        "max_model_len": 4096,
        "concurrency": 2,
        "typical_output_tokens": 200,
    },
}
KEPT = frozenset({"deployment.instance.count", "deployment.tensor_parallel"})


def analysis_of(**deployment):
    return estimate({**SPEC, "deployment": {**SPEC["deployment"], **deployment}}).analysis


@pytest.fixture(scope="module")
def analysis():
    return analysis_of()


@pytest.fixture(scope="module")
def best(analysis):
    return optimize_endpoint(analysis, Request())


def test_the_front_is_not_beaten_by_any_endpoint_that_fits(analysis, best):
    """Every endpoint is estimated by itself, as `hbspec estimate` would."""
    space, steps = EndpointSpace(analysis, Request()), [plan.burdens.steps("expected") for plan in best.plans]
    dtype = analysis.serving_plan.dtype
    for choice in space.choices():
        planned = space.planned(choice)
        served = planned.serving
        if served.verdict is not Verdict.FITS or not served.charges or planned.serving_plan.dtype != dtype:
            continue
        fits = served.sure_room.longest * choice.number
        own = best.plans[0].burdens._replace(
            hourly=served.charges.scaled["hourly"], latency=served.load.latency_seconds, holds=fits
        )
        if not any(no_better(own.steps("expected"), one) for one in steps):
            codes = codes_of(planned)
            assert codes[Severity.ERROR] or UNCERTAIN.intersection(codes[Severity.WARNING]), choice
    assert not any(no_better(one, other) for one in steps for other in steps if one is not other)


def test_every_endpoint_is_counted_once(best):
    assert sum(best.rejected.values()) + len(best.plans) == best.searched["plans"]


def test_what_is_recommended_serves_as_many_requests_as_long(analysis, best):
    now = analysis.serving_plan
    for plan in best.plans:
        then = plan.analysis.serving_plan
        assert (then.max_model_len, then.quantization, then.dtype) == (now.max_model_len, now.quantization, now.dtype)
        assert then.concurrency * then.hardware.instances >= now.concurrency
        assert plan.analysis.serving.verdict is Verdict.FITS


def test_fewer_instances_serve_more_requests_each():
    space = EndpointSpace(analysis_of(instance={"type": "ml.g5.12xlarge", "count": 3}), Request())
    one = next(choice for choice in space.choices() if choice.number == 1)
    assert space.change(one).settings["deployment", "concurrency"] == 6


def test_quantisation_changes_only_where_that_is_allowed(analysis):
    found = optimize_endpoint(analysis, Request(keep=KEPT, allow=frozenset({"quantization"})))
    quantised = [plan for plan in found.plans if ("deployment", "quantization") in plan.change.settings]
    assert quantised
    assert all("rounded to" in plan.change.remark for plan in quantised)


def test_another_dtype_is_not_the_same_service(best):
    """A T4 has no bfloat16, and would serve in float16."""
    assert best.rejected["served_otherwise"]


def test_the_price_of_an_hour_is_limited_by_its_high_end(analysis):
    from hbspec.parsing import parse_money

    found = optimize_endpoint(analysis, Request(keep=KEPT, max_cost=parse_money("2 USD")))
    assert all(plan.burdens.hourly.high <= 2 for plan in found.plans)
    assert found.rejected["max_cost"]


def test_the_nearest_is_named_where_no_endpoint_will_do(analysis):
    found = optimize_endpoint(analysis, Request(keep=KEPT, max_seconds=0.1))
    assert found.plans == ()
    assert found.nearest[0] == "--max-cost and --max-time"


def test_autoscaling_keeps_the_number_of_instances():
    space = EndpointSpace(analysis_of(autoscaling={"min": 1, "max": 3}), Request())
    assert {choice.number for choice in space.choices()} == {1}
