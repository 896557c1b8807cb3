"""The template of the target `cloudformation`: judged by cfn-lint, and made into a stack by moto.

Not shown: an update of a stack, where moto does not follow a replaced model to the configuration that names it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from deployed import NAME
from moto_strict import Server
from test_targets_cloudformation import lint

from hbspec.api import compile_spec

ROOT = Path(__file__).parents[2]
HEARTBEAT = ROOT / "specs/heartbeat.yaml"
ALONE, SCALED = "deployment.ab_test=null", "deployment.autoscaling={min: 1, max: 3}"
KEPT = ("sagemaker.kms_key=alias/heartbeat", "deployment.data_capture={percent: 20, uri: 's3://heartbeat/captured'}")
QUEUED = "deployment.async_inference={output: 's3://heartbeat/answers/', failures: 's3://heartbeat/failed/'}"
MERGED = ("deployment.adapters=merged", "deployment.quantization=fp8")
WATCHING = {"ErrorsAlarm", "ServerErrorsAlarm", "LateAnswersAlarm", "Dashboard"}
FROM_ZERO = "deployment.autoscaling={min: 0, max: 3}"
SCALING = {
    SCALED: ("ScalableTarget", "ScalingPolicy"),
    FROM_ZERO: ("ScalableTarget", "ScalingPolicy", "FromZeroPolicy", "WaitingAlarm"),
}


def template(*more: str, spec: Path = HEARTBEAT) -> dict[str, Any]:
    compiled = {
        file.path: file.content
        for file in compile_spec(spec, "cloudformation", overrides=("evaluation=[]", *more), force=True)
    }
    return dict(json.loads(compiled["template.json"]))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", ["heartbeat", "heartbeat-as-written"])
@pytest.mark.parametrize("more", [(), (SCALED,), (QUEUED,), (QUEUED, FROM_ZERO), (FROM_ZERO,), KEPT, MERGED])
def test_cfn_lint_has_nothing_to_say(name: str, more: tuple[str, ...], tmp_path: Path) -> None:
    content = template(ALONE, *more, spec=ROOT / f"specs/{name}.yaml")
    scaling = [name for override in more for name in SCALING.get(override, ())]
    hosted = {"Component"} if more == (FROM_ZERO,) else set()
    watching = hosted | WATCHING - ({"ServerErrorsAlarm"} if QUEUED in more else set())
    assert set(content["Resources"]) == {"Model", "Configuration", "Endpoint", *scaling, *watching}
    assert lint(content, tmp_path) == (0, [])


def test_cfn_lint_would_have_said_it(tmp_path: Path) -> None:
    content = template(ALONE, SCALED)
    content["Resources"]["Configuration"]["Properties"]["ProductionVariants"][0]["ModelName"] = {"Ref": "Nothing"}
    content["Resources"]["ScalableTarget"]["Properties"]["ResourceId"] = {"Fn::Sub": "${Endpoint.Name}"}
    content["Outputs"]["EndpointName"]["Value"] = {"Fn::GetAtt": ["Model", "Name"]}
    code, said = lint(content, tmp_path)
    assert code != 0
    for word in ("'Nothing' is not one of", "['EndpointName', 'EndpointArn']", "['ModelName', 'ModelArn']"):
        assert any(word in line for line in said)


def test_a_stack_is_created_and_deleted(sagemaker_server: Server) -> None:
    stacks, client = sagemaker_server.client("cloudformation"), sagemaker_server.client()
    compiled = template(ALONE)
    stacks.create_stack(StackName="stack", TemplateBody=json.dumps(compiled))
    before = served(stacks, client)
    assert before["url"] == compiled["Parameters"]["ModelDataUrl"]["Default"]
    assert before["environment"] == compiled["Resources"]["Model"]["Properties"]["PrimaryContainer"]["Environment"]
    watch = sagemaker_server.client("cloudwatch")
    names = {alarm["MetricName"]: alarm["AlarmName"] for alarm in watch.describe_alarms()["MetricAlarms"]}
    assert set(names) == {"InvocationModelErrors", "Invocation5XXErrors", "ModelLatency"}
    (listed,) = watch.list_dashboards()["DashboardEntries"]
    shown = json.loads(watch.get_dashboard(DashboardName=listed["DashboardName"])["DashboardBody"])["widgets"]
    assert {alarm.rpartition(":")[2] for alarm in shown[-1]["properties"]["alarms"]} == set(names.values())
    first = shown[0]["properties"]["metrics"][0]
    assert first == ["AWS/SageMaker", "Invocations", "EndpointName", NAME, "VariantName", "candidate"]
    assert shown[0]["properties"]["region"] == sagemaker_server.region
    stacks.delete_stack(StackName="stack")
    assert watch.describe_alarms()["MetricAlarms"] == watch.list_dashboards()["DashboardEntries"] == []
    assert client.list_endpoints()["Endpoints"] == client.list_models()["Models"] == []


def test_alarms_are_told_to_a_topic(sagemaker_server: Server) -> None:
    topic = f"arn:aws:sns:{sagemaker_server.region}:111122223333:alarms"
    parameters = [{"ParameterKey": "AlarmTopicArn", "ParameterValue": topic}]
    stacks = sagemaker_server.client("cloudformation")
    stacks.create_stack(StackName="stack", TemplateBody=json.dumps(template(ALONE)), Parameters=parameters)
    alarms = sagemaker_server.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert [alarm["AlarmActions"] for alarm in alarms] == [[topic]] * 3


def test_a_parameter_names_another_model(sagemaker_server: Server) -> None:
    stacks, url = sagemaker_server.client("cloudformation"), "s3://heartbeat/models/second/model.tar.gz"
    parameters = [{"ParameterKey": "ModelDataUrl", "ParameterValue": url}]
    stacks.create_stack(StackName="stack", TemplateBody=json.dumps(template(ALONE)), Parameters=parameters)
    assert served(stacks, sagemaker_server.client())["url"] == url


def served(stacks: Any, client: Any) -> dict[str, Any]:
    """The model behind the endpoint that the stack's outputs name; moto names it itself."""
    (stack,) = stacks.describe_stacks(StackName="stack")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    name = outputs["EndpointName"]
    assert f"--region {client.meta.region_name} --endpoint-name {name} " in outputs["FirstRequest"]
    configuration = client.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    (variant,) = client.describe_endpoint_config(EndpointConfigName=configuration)["ProductionVariants"]
    container = client.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]
    return {"url": container["ModelDataUrl"], "environment": container["Environment"]}
