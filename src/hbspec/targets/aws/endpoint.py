"""An endpoint as decided, and the bodies of the requests that make it.

The names of the model and of the configuration in the bodies are stems: `deploy.sh` adds a digest of what it sends.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hbspec.plan.training_job import folder
from hbspec.targets.aws.engine_settings import BASE_CHANNEL
from hbspec.targets.aws.ownership import tags_of
from hbspec.targets.aws.scaling import Scaling
from hbspec.targets.aws.scaling import requests as scaling_requests

CANDIDATE = "candidate"
FILES = {
    "CreateModel": "create_model",
    "CreateEndpointConfig": "create_endpoint_config",
    "CreateEndpoint": "create_endpoint",
    "UpdateEndpoint": "update_endpoint",
    "PutMetricAlarm": "put_metric_alarm",
    "RegisterScalableTarget": "register_scalable_target",
    "PutScalingPolicy": "put_scaling_policy",
}
"""File names by operation; with hyphens, also the commands of the AWS CLI."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One production variant, with the model's name and its weight in the traffic."""

    name: str
    model: str
    weight: float


@dataclass(frozen=True, slots=True)
class TrainingSource:
    """The training job that writes the model."""

    job: str
    region: str | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """All values of the requests; without `training`, the author puts the model at `model_data`.

    `base` is the S3 prefix of the weights beside the model's own; None where they are on the Hub, or in the model.
    """

    name: str
    role: str
    image: str
    inference_ami: str | None
    region: str | None
    model_data: str
    base: str | None
    training: TrainingSource | None
    environment: Mapping[str, str]
    first_request: Mapping[str, Any]
    instance_type: str
    instances: int
    startup_timeout: int
    variants: tuple[Variant, ...]
    scaling: Scaling | None
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    tags: Mapping[str, str]


def requests(endpoint: Endpoint) -> dict[str, dict[str, Any]]:
    """The bodies of the requests that make a new endpoint, by operation, in the order of sending."""
    tags = tags_of(endpoint.name, endpoint.tags)
    return {
        "CreateModel": {
            "ModelName": endpoint.name,
            "ExecutionRoleArn": endpoint.role,
            "PrimaryContainer": _container(endpoint),
            **_vpc(endpoint),
            "Tags": tags,
        },
        "CreateEndpointConfig": {
            "EndpointConfigName": endpoint.name,
            "ProductionVariants": [_variant(endpoint, variant) for variant in endpoint.variants],
            "Tags": tags,
        },
        "CreateEndpoint": {"EndpointName": endpoint.name, "EndpointConfigName": endpoint.name, "Tags": tags},
        **scaling_requests(endpoint.name, CANDIDATE, endpoint.scaling),
    }


def _container(endpoint: Endpoint) -> dict[str, Any]:
    body: dict[str, Any] = {"Image": endpoint.image, "ModelDataUrl": endpoint.model_data}
    if endpoint.base:
        source = {"S3DataType": "S3Prefix", "S3Uri": folder(endpoint.base), "CompressionType": "None"}
        body["AdditionalModelDataSources"] = [{"ChannelName": BASE_CHANNEL, "S3DataSource": source}]
    return body | {"Environment": dict(endpoint.environment)}


def _vpc(endpoint: Endpoint) -> dict[str, Any]:
    """The network that training runs in too."""
    groups = {"SecurityGroupIds": list(endpoint.security_groups), "Subnets": list(endpoint.subnets)}
    return {"VpcConfig": groups} if endpoint.subnets else {}


def _variant(endpoint: Endpoint, variant: Variant) -> dict[str, Any]:
    body: dict[str, Any] = {
        "VariantName": variant.name,
        "ModelName": variant.model,
        "InstanceType": endpoint.instance_type,
        "InitialInstanceCount": endpoint.instances,
        "InitialVariantWeight": variant.weight,
        "ModelDataDownloadTimeoutInSeconds": endpoint.startup_timeout,
        "ContainerStartupHealthCheckTimeoutInSeconds": endpoint.startup_timeout,
        "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
    }
    if endpoint.inference_ami and variant.model == endpoint.name:
        body["InferenceAmiVersion"] = endpoint.inference_ami
    return body
