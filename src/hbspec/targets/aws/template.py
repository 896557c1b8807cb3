"""A CloudFormation template, made of request bodies: its resources have the same members under the same names.

Names that CloudFormation may choose are left out, so that a changed resource can be replaced beside the old one.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hbspec.targets.aws.dashboard import dashboard
from hbspec.targets.aws.endpoint import CANDIDATE
from hbspec.targets.aws.operations import Bodies

ALARMS = {
    "put_metric_alarm": "ErrorsAlarm",
    "put_metric_alarm_server_errors": "ServerErrorsAlarm",
    "put_metric_alarm_late": "LateAnswersAlarm",
}
"""The alarms on answers, by the name of the request; the first rolls back an update."""
COMPONENT_NAME = {"Fn::Sub": f"${{EndpointName}}-{CANDIDATE}"}
ENDPOINT_NAME = {"Fn::GetAtt": ["Endpoint", "EndpointName"]}


def template(bodies: Bodies, first_request: str) -> dict[str, Any]:
    """The template of an endpoint.

    Args:
        bodies: of the model, of a configuration with one variant, of the endpoint and its update, of its alarms, and of
            its autoscaling.
        first_request: the command that sends one, with CloudFormation's names of the region and the endpoint.
    """
    model, endpoint = bodies["create_model"], bodies["create_endpoint"]
    name, scales = endpoint["EndpointName"], "put_scaling_policy" in bodies
    configuration = bodies["create_endpoint_config"]
    resources = {
        "Model": resource("SageMaker::Model", _model(model)),
        "Configuration": resource("SageMaker::EndpointConfig", _configuration(configuration)),
        **{
            title: alarm_of_stack(_referring(bodies[request], name))
            for request, title in ALARMS.items()
            if request in bodies
        },
        "Endpoint": resource("SageMaker::Endpoint", _endpoint(endpoint, bodies["update_endpoint"], scales=scales)),
        **(_component(bodies["create_inference_component"]) if "create_inference_component" in bodies else {}),
        **(_scaling(bodies, name) if scales else {}),
        "Dashboard": _dashboard(bodies),
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"{name}: an endpoint of Amazon SageMaker, which is billed until the stack is deleted.",
        "Parameters": _parameters(model, name),
        "Conditions": notified(),
        "Resources": resources,
        "Outputs": _outputs(first_request),
    }


def _component(body: Mapping[str, Any]) -> dict[str, Any]:
    """The inference component, whose name is made of the endpoint's."""
    filled = {
        "InferenceComponentName": COMPONENT_NAME,
        "EndpointName": ENDPOINT_NAME,
        "Specification": {**body["Specification"], "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}},
    }
    return {"Component": resource("SageMaker::InferenceComponent", {**body, **filled})}


def alarm_of_stack(body: Mapping[str, Any]) -> dict[str, Any]:
    """An alarm that tells the topic of the parameter, if there is one."""
    told = {"Fn::If": ["Notified", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    return resource("CloudWatch::Alarm", _without(body, "AlarmName") | {"AlarmActions": told})


def notified() -> dict[str, Any]:
    """The condition on which alarms tell a topic."""
    return {"Notified": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]}}


def topic_parameter(topic: str) -> dict[str, str]:
    """The parameter that names the topic; `topic` is its default, empty for none."""
    return parameter(topic, "^(arn:aws[a-z\\-]*:sns:.+)?$", "The SNS topic that alarms are told to, if any")


def _dashboard(bodies: Bodies) -> dict[str, Any]:
    configuration = bodies["create_endpoint_config"]
    (variant,) = configuration["ProductionVariants"]
    body = dashboard(
        variant["VariantName"],
        queued="AsyncInferenceConfig" in configuration,
        component=COMPONENT_NAME["Fn::Sub"] if "create_inference_component" in bodies else None,
        endpoint="${EndpointName}",
        region="${AWS::Region}",
        alarms=[f"${{{title}.Arn}}" for request, title in ALARMS.items() if request in bodies],
    )
    return resource("CloudWatch::Dashboard", {"DashboardBody": {"Fn::Sub": json.dumps(body, separators=(",", ":"))}})


def _scaling(bodies: Bodies, name: str) -> dict[str, Any]:
    """The resources of autoscaling; a policy's reference is its ARN."""
    target = bodies["register_scalable_target"]
    scaled = {"ResourceId": {"Fn::Sub": _scaled(target["ResourceId"], name)}}
    found = {"ScalableTarget": resource("ApplicationAutoScaling::ScalableTarget", {**target, **scaled})}
    if "create_inference_component" in bodies:
        found["ScalableTarget"]["DependsOn"] = "Component"
    for request, title in (("put_scaling_policy", "ScalingPolicy"), ("put_scaling_policy_from_zero", "FromZeroPolicy")):
        if request in bodies:
            policy = {**_referring(bodies[request], name), **scaled}
            found[title] = resource("ApplicationAutoScaling::ScalingPolicy", policy) | {"DependsOn": "ScalableTarget"}
    if "put_metric_alarm_from_zero" in bodies:
        alarm = _without(_referring(bodies["put_metric_alarm_from_zero"], name), "AlarmName")
        applied = {"AlarmActions": [{"Ref": "FromZeroPolicy"}]}
        found["WaitingAlarm"] = resource("CloudWatch::Alarm", alarm | applied)
    return found


def _referring(value: Any, name: str) -> Any:
    """A part of a body in which dimensions have the name of the stack's endpoint."""
    if value == {"Name": "EndpointName", "Value": name}:
        return {"Name": "EndpointName", "Value": {"Ref": "EndpointName"}}
    if isinstance(value, dict) and value.get("Name") == "InferenceComponentName":
        return {"Name": "InferenceComponentName", "Value": COMPONENT_NAME}
    if isinstance(value, dict):
        return {key: _referring(inner, name) for key, inner in value.items()}
    return [_referring(inner, name) for inner in value] if isinstance(value, list) else value


def resource(kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """A resource of a kind below `AWS::`."""
    return {"Type": f"AWS::{kind}", "Properties": dict(properties)}


def _without(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in names}


def _model(body: Mapping[str, Any]) -> dict[str, Any]:
    container = dict(body["PrimaryContainer"])
    if "ModelDataUrl" in container:
        container["ModelDataUrl"] = {"Ref": "ModelDataUrl"}
    else:
        source = container["ModelDataSource"]["S3DataSource"]
        container["ModelDataSource"] = {"S3DataSource": {**source, "S3Uri": {"Ref": "ModelDataUrl"}}}
    filled = {"ExecutionRoleArn": {"Ref": "ExecutionRoleArn"}, "PrimaryContainer": container}
    return _without(body, "ModelName") | filled


def _configuration(body: Mapping[str, Any]) -> dict[str, Any]:
    (variant,) = body["ProductionVariants"]
    named = {**variant, "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}} if "ModelName" in variant else variant
    role = {"ExecutionRoleArn": {"Ref": "ExecutionRoleArn"}} if "ExecutionRoleArn" in body else {}
    return _without(body, "EndpointConfigName") | {"ProductionVariants": [named], **role}


def _endpoint(body: Mapping[str, Any], update: Mapping[str, Any], *, scales: bool) -> dict[str, Any]:
    """An endpoint that scales keeps its number of instances through an update; the configuration has the first one."""
    rollback = {"Alarms": [{"AlarmName": {"Ref": "ErrorsAlarm"}}]}
    filled: dict[str, Any] = {
        "EndpointName": {"Ref": "EndpointName"},
        "EndpointConfigName": {"Fn::GetAtt": ["Configuration", "EndpointConfigName"]},
        "DeploymentConfig": {**update["DeploymentConfig"], "AutoRollbackConfiguration": rollback},
    }
    return {**body, **filled, **({"RetainAllVariantProperties": True} if scales else {})}


def _scaled(resource_id: str, name: str) -> str:
    """The resource of autoscaling, with the name of the stack's endpoint."""
    if resource_id.startswith("inference-component/"):
        return f"inference-component/{COMPONENT_NAME['Fn::Sub']}"
    before, after = f"endpoint/{name}/", "endpoint/${Endpoint.EndpointName}/"
    return after + resource_id.removeprefix(before)


def parameter(default: str, pattern: str, about: str) -> dict[str, str]:
    """A parameter of the template."""
    return {"Type": "String", "Default": default, "AllowedPattern": pattern, "Description": about}


def _parameters(model: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {
        "ModelDataUrl": parameter(_place(model["PrimaryContainer"]), "^s3://.+$", "What the training job has written"),
        "ExecutionRoleArn": parameter(
            model["ExecutionRoleArn"], "^arn:aws[a-z\\-]*:iam::[0-9]{12}:role/.+$", "The role of the container"
        ),
        "EndpointName": parameter(name, "^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$", "The name that requests are sent to"),
        "AlarmTopicArn": topic_parameter(""),
    }


def _place(container: Mapping[str, Any]) -> str:
    """Where the model is: an archive, or a folder."""
    if "ModelDataUrl" in container:
        return str(container["ModelDataUrl"])
    return str(container["ModelDataSource"]["S3DataSource"]["S3Uri"])


def _outputs(first_request: str) -> dict[str, Any]:
    return {
        "EndpointName": {"Description": "The name that requests are sent to", "Value": ENDPOINT_NAME},
        "FirstRequest": {"Description": "Sends a request to the trained model", "Value": {"Fn::Sub": first_request}},
    }
