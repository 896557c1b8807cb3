"""What watches a training job as a template: the bodies that its submission sends, under CloudFormation's names."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from compiled import BASE, files, refusals

TOPIC = "arn:aws:sns:us-east-1:111122223333:training"
BOUNDS = (
    "monitoring={loss: {decreasing_over: 300 steps}, gpu_memory: {max: 35 GB}, step_time: {min: 2s, max: 60s}, "
    "gradient_norm: {max: 10}, metrics: [{name: 'cost: ${x}', regex: 'cost=([0-9.]+)'}]}"
)
ALL = (BOUNDS, f"monitoring.alarm_topic={TOPIC}", "sagemaker.tags={team: chat}")
NAMES = {
    "LossAlarm": "put_metric_alarm_loss",
    "GpuMemoryAlarm": "put_metric_alarm_gpu_memory",
    "SlowStepsAlarm": "put_metric_alarm_slow_steps",
    "FastStepsAlarm": "put_metric_alarm_fast_steps",
    "GradientNormAlarm": "put_metric_alarm_gradient_norm",
}
CLI = """#!/usr/bin/env python3
import json, os, sys
if "list-training-jobs" in sys.argv:
    print(os.environ.get("ATTEMPTS", ""))
elif "cloudformation" in sys.argv:
    with open("calls", "a") as calls:
        print(json.dumps(sys.argv[1:]), file=calls)
"""


@cache
def compiled(*overrides: str) -> dict[str, bytes]:
    return files(BASE, "monitoring", *overrides)


def template(*overrides: str) -> dict[str, Any]:
    return dict(json.loads(compiled(*overrides)["template.json"]))


@cache
def sent() -> dict[str, dict[str, Any]]:
    """What the submission of the same job sends, by the name of the request."""
    bodies = files(BASE, "sagemaker", *ALL).items()
    return {path.removesuffix(".json"): json.loads(text) for path, text in bodies if path.startswith("put_")}


@cache
def job() -> str:
    return str(sent()["put_dashboard"]["DashboardName"])


def filled(value: Any, **parameters: str) -> Any:
    """A part of the template as CloudFormation reads it."""
    if isinstance(value, dict) and set(value) == {"Ref"}:
        return parameters[value["Ref"]]
    if isinstance(value, dict) and set(value) == {"Fn::If"}:
        condition, then, _ = value["Fn::If"]
        assert condition == "Notified"
        return filled(then, **parameters)
    if isinstance(value, dict):
        return {key: filled(inner, **parameters) for key, inner in value.items()}
    return [filled(inner, **parameters) for inner in value] if isinstance(value, list) else value


def test_the_alarms_are_those_that_are_sent() -> None:
    found = {name: part for name, part in template(*ALL)["Resources"].items() if part["Type"].endswith("::Alarm")}
    assert set(found) == set(NAMES)
    for name, part in found.items():
        read = filled(part["Properties"], TrainingJobName=job(), AlarmTopicArn=TOPIC)
        expected = {key: value for key, value in sent()[NAMES[name]].items() if key != "AlarmName"}
        assert read == expected


def test_the_dashboard_is_the_one_that_is_sent() -> None:
    text = template(*ALL)["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for title, name in NAMES.items():
        arn = f"arn:aws:cloudwatch:us-east-1:111122223333:alarm:{sent()[name]['AlarmName']}"
        text = text.replace(f"${{{title}.Arn}}", arn)
    text = text.replace("${TrainingJobName}", job()).replace("${AWS::Region}", "us-east-1").replace("${!", "${")
    assert json.loads(text) == json.loads(sent()["put_dashboard"]["DashboardBody"])


def test_parameters_have_the_specs_values_as_defaults() -> None:
    given = {name: entry["Default"] for name, entry in template(*ALL)["Parameters"].items()}
    assert given == {"TrainingJobName": job(), "AlarmTopicArn": TOPIC}
    assert template(BOUNDS)["Parameters"]["AlarmTopicArn"]["Default"] == ""


def test_a_submission_without_alarms_leaves_them_to_the_stack() -> None:
    assert compiled(*ALL, "monitoring.alarms=false") == compiled(*ALL)


@pytest.mark.parametrize(
    "more", ["monitoring.alarms=true", "monitoring={metrics: [{name: mine, regex: 'mine=([0-9.]+)'}]}"]
)
def test_a_job_of_which_nothing_is_bounded_is_refused(more: str) -> None:
    assert refusals(BASE, "monitoring", more) == [("HB040", "monitoring")]


def test_what_cloudformation_would_replace_is_refused_at_its_key() -> None:
    metrics = "monitoring.metrics=[{name: '{{resolve:ssm:/team}}', regex: 'cost=([0-9.]+)'}]"
    assert refusals(BASE, "monitoring", BOUNDS, metrics) == [("HB540", "monitoring.metrics.0.name")]


@pytest.mark.parametrize(
    ("attempts", "named", "watched"),
    [("", "", "{}"), ("{0}\tFailed\n{0}-2\tInProgress", "", "{}-2"), ("{0}-2\tFailed", "other-7", "other-7")],
    ids=["none yet", "the last attempt", "a named one"],
)
def test_the_script_watches_the_last_attempt(attempts: str, named: str, watched: str, tmp_path: Path) -> None:
    for path, content in compiled(*ALL).items():
        (tmp_path / path).write_bytes(content)
    (tmp_path / "aws").write_text(CLI)
    (tmp_path / "aws").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ATTEMPTS": attempts.format(job()), "JOB": named}
    done = subprocess.run(["bash", "deploy.sh"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    deployed, *_ = map(json.loads, (tmp_path / "calls").read_text().splitlines())
    stack, overrides = (deployed[deployed.index(option) + 1] for option in ("--stack-name", "--parameter-overrides"))
    assert stack == f"monitoring-{job()}"
    assert overrides == f"TrainingJobName={watched.format(job())}"
    assert "The alarms and the dashboard are billed until the stack is deleted:" in done.stdout
