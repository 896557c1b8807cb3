"""The alarms and the dashboard of a training job: bodies that CloudWatch takes, on series that SageMaker publishes."""

from __future__ import annotations

import ast
import json
from functools import cache
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from compiled import BASE, ROOT, files, project, refusals

from hbspec.targets.aws.operations import OPERATIONS
from hbspec.targets.aws.requests import validate
from hbspec.targets.aws.training_alarms import PATIENCE

NAMESPACE = "/aws/sagemaker/TrainingJobs"
ALL = (
    "monitoring={loss: {decreasing_over: 300 steps}, gpu_memory: {max: 35 GB}, "
    "step_time: {min: 2s, max: 60s}, gradient_norm: {max: 10}}"
)


def watched(spec: Any, *overrides: str) -> dict[str, dict[str, Any]]:
    """The requests to CloudWatch, by name."""
    compiled = files(spec, "sagemaker", *overrides, force=True)
    names = {path.removesuffix(".json"): content for path, content in compiled.items()}
    return {name: json.loads(content) for name, content in names.items() if name in OPERATIONS}


@cache
def of_base() -> dict[str, dict[str, Any]]:
    return watched(BASE, ALL, "monitoring.alarm_topic=arn:aws:sns:us-east-1:111122223333:training")


def widgets(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return list(json.loads(dashboard["DashboardBody"])["widgets"])


def test_cloudwatch_would_take_every_body():
    service = ServiceModel(Loader().load_service_model("cloudwatch", "service-2"))
    for name, body in of_base().items():
        operation = OPERATIONS[name]
        assert not ParamValidator().validate(body, service.operation_model(operation).input_shape).has_errors()
        assert validate(operation, body, "us-east-1") == []


def test_each_bound_of_the_spec_is_an_alarm_on_what_the_job_sends():
    job = json.loads(files(BASE, "sagemaker", ALL)["create_training_job.json"])
    sent = {metric["Name"] for metric in job["AlgorithmSpecification"]["MetricDefinitions"]}
    bounds = {
        "gpu_memory": ("train:gpu_memory_bytes", "Maximum", "GreaterThanThreshold", 35e9, PATIENCE),
        "slow_steps": ("train:step_seconds", "Average", "GreaterThanThreshold", 60, PATIENCE),
        "fast_steps": ("train:step_seconds", "Average", "LessThanThreshold", 2, PATIENCE),
        "gradient_norm": ("train:grad_norm", "Maximum", "GreaterThanThreshold", 10, 1),
    }
    for name, expected in bounds.items():
        body = of_base()[f"put_metric_alarm_{name}"]
        keys = ("MetricName", "Statistic", "ComparisonOperator", "Threshold", "EvaluationPeriods")
        assert tuple(body[key] for key in keys) == expected
        assert body["MetricName"] in sent
        assert body["Namespace"] == NAMESPACE
        assert body["Dimensions"] == [{"Name": "TrainingJobName", "Value": job["TrainingJobName"]}]
        assert body["AlarmActions"] == ["arn:aws:sns:us-east-1:111122223333:training"]


def test_the_loss_is_compared_with_that_of_half_a_window_before():
    body = of_base()["put_metric_alarm_loss"]
    expression, series = body["Metrics"]
    assert (expression["Expression"], expression["ReturnData"]) == ("DIFF(loss)", True)
    assert (body["Threshold"], body["ComparisonOperator"]) == (0, "GreaterThanOrEqualToThreshold")
    metric = series["MetricStat"]["Metric"]
    assert (series["Id"], metric["Namespace"], metric["MetricName"]) == ("loss", NAMESPACE, "train:loss")
    (longer,) = watched(BASE, "monitoring={loss: {decreasing_over: 3000 steps}}")["put_metric_alarm_loss"]["Metrics"][
        1:
    ]
    one, ten = series["MetricStat"]["Period"], longer["MetricStat"]["Period"]
    assert 10 * (one - 60) < ten <= 10 * one, "whole minutes, which are rounded up"


def test_a_period_is_as_long_as_a_line_of_the_log_takes():
    every, each = (
        watched(BASE, ALL, f"hyperparameters.logging_steps={steps}")["put_metric_alarm_slow_steps"]["Period"]
        for steps in (50, 1)
    )
    assert every > each >= 60


def test_alarms_are_those_of_the_script_and_break_as_it_does():
    tree = ast.parse((ROOT / "templates/watches.py").read_text(encoding="utf-8"))
    values = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert values["PATIENCE"] == PATIENCE


def test_the_dashboard_shows_what_the_job_sends_and_each_instance():
    found = widgets(watched(BASE, ALL, "instance.count=2", "instance.parallelism=fsdp")["put_dashboard"])
    series = [line for widget in found for line in widget["properties"].get("metrics", ())]
    assert {line[0] for line in series} == {NAMESPACE}
    name = next(line[3] for line in series if line[2] == "TrainingJobName")
    assert {line[3] for line in series if line[2] == "Host"} == {f"{name}/algo-1", f"{name}/algo-2"}
    assert {line[3] for line in series if line[2] == "TrainingJobName"} == {name}
    (alarms,) = [widget["properties"]["alarms"] for widget in found if widget["type"] == "alarm"]
    assert f"arn:aws:cloudwatch:us-east-1:111122223333:alarm:{name}-loss" in alarms
    lines = [line for widget in found for line in widget["properties"].get("annotations", {}).get("horizontal", ())]
    assert {line["label"] for line in lines} == {
        *("monitoring.gpu_memory.max", "monitoring.gradient_norm.max"),
        *("monitoring.step_time.max", "monitoring.step_time.min"),
    }


def test_widgets_do_not_overlap():
    found = widgets(of_base()["put_dashboard"])
    cells = [
        (x, y)
        for widget in found
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        (ALL, "monitoring.alarms=false"),
        ("monitoring={metrics: [{name: mine, regex: 'mine=([0-9.]+)'}]}",),
    ],
)
def test_nothing_is_watched_without_a_bound_or_against_the_spec(overrides):
    assert watched(BASE, *overrides) == {}
    assert b"cloudwatch" not in files(BASE, "sagemaker", *overrides)["submit.sh"]


def test_a_script_of_the_authors_is_watched_by_the_series_that_it_sends(tmp_path):
    spec = project(tmp_path, "reads: arguments")
    assert watched(spec, ALL) == {}
    own = "monitoring={gpu_memory: {max: 35 GB}, metrics: [{name: 'train:gpu_memory_bytes', regex: 'mem=([0-9]+)'}]}"
    assert set(watched(spec, own)) == {"put_metric_alarm_gpu_memory", "put_dashboard"}


def test_an_unknown_time_of_an_update_leaves_the_loss_without_an_alarm_and_says_so():
    found = watched(BASE, ALL, "data.train.examples=null")
    assert "put_metric_alarm_loss" not in found
    assert found["put_metric_alarm_slow_steps"]["Period"] == 300
    assert "monitoring.loss has no alarm" in json.dumps(widgets(found["put_dashboard"]))


def test_a_job_is_the_same_without_alarms():
    names = {
        json.loads(files(BASE, "sagemaker", ALL, override)["create_training_job.json"])["TrainingJobName"]
        for override in ("monitoring.alarms=true", "monitoring.alarms=false")
    }
    assert len(names) == 1


def test_a_topic_that_is_none_is_refused_when_the_spec_is_checked():
    assert ("HB643", "monitoring.alarm_topic") in refusals(
        BASE, "sagemaker", ALL, "monitoring.alarm_topic=me@example.com"
    )
