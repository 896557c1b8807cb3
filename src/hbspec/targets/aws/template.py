"""A CloudFormation template, made of request bodies: its resources have the same members under the same names.

Names that CloudFormation may choose are left out, so that a changed resource can be replaced beside the old one.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ENDPOINT_NAME = {"Fn::GetAtt": ["Endpoint", "EndpointName"]}


def template(bodies: Mapping[str, Mapping[str, Any]], request: str) -> dict[str, Any]:
    """The template of an endpoint.

    Args:
        bodies: of CreateModel, CreateEndpointConfig with one variant, CreateEndpoint, and those of autoscaling.
        request: the file with the first request.
    """
    model, endpoint = bodies["CreateModel"], bodies["CreateEndpoint"]
    name, scales = endpoint["EndpointName"], "PutScalingPolicy" in bodies
    resources = {
        "Model": _resource("SageMaker::Model", _model(model)),
        "Configuration": _resource("SageMaker::EndpointConfig", _configuration(bodies["CreateEndpointConfig"])),
        "Endpoint": _resource("SageMaker::Endpoint", _endpoint(endpoint, scales=scales)),
    }
    if scales:
        target, policy = bodies["RegisterScalableTarget"], bodies["PutScalingPolicy"]
        scaled = {"ResourceId": {"Fn::Sub": _of_endpoint(target["ResourceId"], name)}}
        resources["ScalableTarget"] = _resource("ApplicationAutoScaling::ScalableTarget", {**target, **scaled})
        resources["ScalingPolicy"] = {
            **_resource("ApplicationAutoScaling::ScalingPolicy", {**policy, **scaled}),
            "DependsOn": "ScalableTarget",
        }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"{name}: an endpoint of Amazon SageMaker, which is billed until the stack is deleted.",
        "Parameters": _parameters(model, name),
        "Resources": resources,
        "Outputs": _outputs(request),
    }


def _resource(kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
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
    named = {**variant, "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]}}
    return _without(body, "EndpointConfigName") | {"ProductionVariants": [named]}


def _endpoint(body: Mapping[str, Any], *, scales: bool) -> dict[str, Any]:
    """An endpoint that scales keeps its number of instances through an update; the configuration has the first one."""
    filled: dict[str, Any] = {
        "EndpointName": {"Ref": "EndpointName"},
        "EndpointConfigName": {"Fn::GetAtt": ["Configuration", "EndpointConfigName"]},
    }
    return {**body, **filled, **({"RetainAllVariantProperties": True} if scales else {})}


def _of_endpoint(resource_id: str, name: str) -> str:
    """`endpoint/NAME/variant/VARIANT` with the name of the stack's endpoint."""
    before, after = f"endpoint/{name}/", "endpoint/${Endpoint.EndpointName}/"
    return after + resource_id.removeprefix(before)


def _parameters(model: Mapping[str, Any], name: str) -> dict[str, Any]:
    def parameter(default: str, pattern: str, about: str) -> dict[str, str]:
        return {"Type": "String", "Default": default, "AllowedPattern": pattern, "Description": about}

    return {
        "ModelDataUrl": parameter(_place(model["PrimaryContainer"]), "^s3://.+$", "What the training job has written"),
        "ExecutionRoleArn": parameter(
            model["ExecutionRoleArn"], "^arn:aws[a-z\\-]*:iam::[0-9]{12}:role/.+$", "The role of the container"
        ),
        "EndpointName": parameter(name, "^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$", "The name that requests are sent to"),
    }


def _place(container: Mapping[str, Any]) -> str:
    """Where the model is: an archive, or a folder."""
    if "ModelDataUrl" in container:
        return str(container["ModelDataUrl"])
    return str(container["ModelDataSource"]["S3DataSource"]["S3Uri"])


def _outputs(request: str) -> dict[str, Any]:
    command = (
        "aws sagemaker-runtime invoke-endpoint --region ${AWS::Region} --endpoint-name ${Endpoint.EndpointName} "
        f"--content-type application/json --body fileb://{request} answer.json"
    )
    return {
        "EndpointName": {"Description": "The name that requests are sent to", "Value": ENDPOINT_NAME},
        "FirstRequest": {"Description": "Sends a request to the trained model", "Value": {"Fn::Sub": command}},
    }
