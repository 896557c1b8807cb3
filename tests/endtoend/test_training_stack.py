"""The template of the target `monitoring`: judged by cfn-lint, and made into a stack by moto."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from moto_strict import Server
from test_targets_cloudformation import lint

from hbspec.api import compile_spec

HEARTBEAT = Path(__file__).parents[2] / "specs/heartbeat.yaml"
TOPIC = "monitoring.alarm_topic=arn:aws:sns:ca-central-1:111122223333:training"


def template(*more: str) -> dict[str, Any]:
    compiled = compile_spec(HEARTBEAT, "monitoring", overrides=("evaluation=[]", *more), force=True)
    return dict(json.loads(next(file.content for file in compiled if file.path == "template.json")))


@pytest.mark.parametrize(
    ("more", "alarms"),
    [
        ((), 5),
        ((TOPIC, "sagemaker.tags={team: chat}"), 5),
        (("monitoring={loss: {decreasing_over: 300000 steps}}", "hyperparameters.max_steps=400000"), 0),
    ],
    ids=["as it is", "with a topic", "a window too long for an alarm"],
)
def test_cfn_lint_has_nothing_to_say(more: tuple[str, ...], alarms: int, tmp_path: Path) -> None:
    content = template(*more)
    assert len(content["Resources"]) == alarms + 1
    assert lint(content, tmp_path) == (0, [])


def test_cfn_lint_would_have_said_it(tmp_path: Path) -> None:
    content = template()
    content["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"] = "${Nothing.Arn}"
    content["Resources"]["LossAlarm"]["Properties"]["Metric"] = []
    code, said = lint(content, tmp_path)
    assert code != 0
    for word in ("'Nothing' is not one", "'Metric' was unexpected"):
        assert any(word in line for line in said), said


def test_a_stack_watches_an_attempt_until_it_is_deleted(sagemaker_server: Server) -> None:
    content = template()
    attempt = f"{content['Parameters']['TrainingJobName']['Default']}-2"
    stacks, watch = sagemaker_server.client("cloudformation"), sagemaker_server.client("cloudwatch")
    parameters = [{"ParameterKey": "TrainingJobName", "ParameterValue": attempt}]
    stacks.create_stack(StackName="stack", TemplateBody=json.dumps(content), Parameters=parameters)
    alarms = watch.describe_alarms()["MetricAlarms"]
    bounded = {alarm["MetricName"] for alarm in alarms if "MetricName" in alarm}
    assert bounded == {"train:gpu_memory_bytes", "train:step_seconds", "train:grad_norm"}
    of_attempt = [{"Name": "TrainingJobName", "Value": attempt}]
    assert [alarm["Dimensions"] for alarm in alarms if "MetricName" in alarm] == [of_attempt] * 4
    (stack,) = stacks.describe_stacks(StackName="stack")["Stacks"]
    (output,) = stack["Outputs"]
    shown = json.loads(watch.get_dashboard(DashboardName=output["OutputValue"])["DashboardBody"])["widgets"]
    assert {arn.rpartition(":")[2] for arn in shown[-1]["properties"]["alarms"]} == {
        alarm["AlarmName"] for alarm in alarms
    }
    lines = [line for widget in shown for line in widget["properties"].get("metrics", ())]
    assert {line[3] for line in lines} == {attempt, f"{attempt}/algo-1"}
    assert {widget["properties"].get("region") for widget in shown} == {None, sagemaker_server.region}
    stacks.delete_stack(StackName="stack")
    assert watch.describe_alarms()["MetricAlarms"] == watch.list_dashboards()["DashboardEntries"] == []
