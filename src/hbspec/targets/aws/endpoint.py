"""An endpoint as decided, and the bodies of the requests that make it.

The names of the model and of the configuration in the bodies are stems: `deploy.sh` adds a digest of what it sends.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from hbspec.plan.training_job import deployment_of_test, folder
from hbspec.spec.account import Vpc
from hbspec.targets.aws.asynchronous import Asynchronous
from hbspec.targets.aws.component import Component
from hbspec.targets.aws.engine_settings import BASE_CHANNEL
from hbspec.targets.aws.kept import Kept
from hbspec.targets.aws.operations import Bodies
from hbspec.targets.aws.ownership import BEFORE, tags_of
from hbspec.targets.aws.scaling import Scaling
from hbspec.targets.aws.scaling import requests as scaling_requests

CANDIDATE = "candidate"
CHALLENGER = "challenger"
"""The variant of a model that joins another's endpoint, where the variant there may well be called `candidate`."""
BASELINE, CONFIGURATION = "baseline", "CONFIGURATION"
"""What `deploy.sh` replaces by what it finds: the live endpoint's variant, and the name of its configuration."""


class Joined(NamedTuple):
    """An A/B test: the live endpoint that the model joins.

    Attributes:
        endpoint: its name.
        baseline: the name of the model that it serves.
        weights: of the baseline and of the new model in the traffic. A shadow's is the share of the requests that is
            copied to it, as the baseline's is 1.
        shadow: whether the new model only gets copies.
    """

    endpoint: str
    baseline: str
    weights: tuple[float, float]
    shadow: bool


@dataclass(frozen=True, slots=True)
class TrainingSource:
    """The training job that writes the model; where it is `alone`, a script takes the model of no other job's attempt.

    Otherwise the record of an evaluation would be said of a model that it is not of.
    """

    job: str
    region: str | None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """All values of the requests; without `training`, the author puts the model at `model_data`.

    `model_data` is an archive, or a folder of whole weights. `base` is the S3 prefix of the weights beside the model's
    own; None where they are on the Hub, or in the model. `late` are seconds of an answer that are too many.
    `joins` is None where the endpoint is the deployment's own, `asynchronous` where it answers at once, `component`
    where its variant names the model.
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
    late: float
    joins: Joined | None
    scaling: Scaling | None
    network: Vpc | None
    kept: Kept
    asynchronous: Asynchronous | None
    component: Component | None
    tags: Mapping[str, str]

    @property
    def deployment(self) -> str:
        """What the deployment is called: a test is one beside that of an endpoint of its own."""
        return deployment_of_test(self.name, self.joins.endpoint) if self.joins else self.name

    @property
    def live(self) -> str:
        """The name of the endpoint that serves the model."""
        return self.joins.endpoint if self.joins else self.name

    @property
    def measured(self) -> list[dict[str, str]]:
        """The dimensions of metrics on requests to the model."""
        if self.component:
            return [{"Name": "InferenceComponentName", "Value": self.component.name}]
        return [{"Name": "EndpointName", "Value": self.live}, {"Name": "VariantName", "Value": self.variant}]

    @property
    def variant(self) -> str:
        """The name of the model's variant."""
        return CHALLENGER if self.joins else CANDIDATE


def requests(endpoint: Endpoint) -> Bodies:
    """The bodies of the requests that make what serves the model.

    A test makes no endpoint: it has the configuration that the live endpoint is updated to, in which the baseline is a
    stand-in for the variant there. The tags are the author's.
    """
    tags = tags_of(endpoint.tags)
    noted = tags_of({**endpoint.tags, BEFORE: CONFIGURATION}) if endpoint.joins else tags
    return {
        "create_model": {
            "ModelName": endpoint.deployment,
            "ExecutionRoleArn": endpoint.role,
            "PrimaryContainer": _container(endpoint),
            **_vpc(endpoint),
            **tags,
        },
        "create_endpoint_config": {
            "EndpointConfigName": endpoint.deployment,
            **_role(endpoint),
            **_variants(endpoint),
            **endpoint.kept.body(),
            **(endpoint.asynchronous.body() if endpoint.asynchronous else {}),
            **noted,
        },
        **_creation(endpoint, tags),
        **_component(endpoint, tags),
        **scaling_requests(endpoint.live, endpoint.variant, endpoint.scaling, tags),
    }


def _creation(endpoint: Endpoint, tags: dict[str, Any]) -> Bodies:
    if endpoint.joins:
        return {}
    return {"create_endpoint": {"EndpointName": endpoint.name, "EndpointConfigName": endpoint.name, **tags}}


def _component(endpoint: Endpoint, tags: dict[str, Any]) -> Bodies:
    if endpoint.component is None:
        return {}
    return endpoint.component.requests(
        endpoint.live, endpoint.variant, endpoint.deployment, endpoint.startup_timeout, tags
    )


def _role(endpoint: Endpoint) -> dict[str, Any]:
    """What a configuration says instead of a model that its variant does not name."""
    return {"ExecutionRoleArn": endpoint.role, **_vpc(endpoint)} if endpoint.component else {}


def _variants(endpoint: Endpoint) -> dict[str, Any]:
    test = endpoint.joins
    if test is None:
        return {"ProductionVariants": [_variant(endpoint, 1.0)]}
    kept, new = test.weights
    baseline = {"VariantName": BASELINE, "ModelName": test.baseline, "InitialVariantWeight": kept}
    if test.shadow:
        return {"ProductionVariants": [baseline], "ShadowProductionVariants": [_variant(endpoint, new)]}
    return {"ProductionVariants": [baseline, _variant(endpoint, new)]}


def _container(endpoint: Endpoint) -> dict[str, Any]:
    body: dict[str, Any] = {"Image": endpoint.image}
    if endpoint.model_data.endswith("/"):
        body["ModelDataSource"] = {"S3DataSource": _unpacked(endpoint.model_data)}
    else:
        body["ModelDataUrl"] = endpoint.model_data
    if endpoint.base:
        source = _unpacked(folder(endpoint.base))
        body["AdditionalModelDataSources"] = [{"ChannelName": BASE_CHANNEL, "S3DataSource": source}]
    return body | {"Environment": dict(endpoint.environment)}


def _unpacked(uri: str) -> dict[str, str]:
    """A folder whose files are put into the container as they are."""
    return {"S3DataType": "S3Prefix", "S3Uri": uri, "CompressionType": "None"}


def _vpc(endpoint: Endpoint) -> dict[str, Any]:
    """The network that training runs in too."""
    network = endpoint.network
    if network is None:
        return {}
    return {"VpcConfig": {"SecurityGroupIds": list(network.security_groups), "Subnets": list(network.subnets)}}


def _variant(endpoint: Endpoint, weight: float) -> dict[str, Any]:
    component = endpoint.component
    body: dict[str, Any] = {
        "VariantName": endpoint.variant,
        **({} if component else {"ModelName": endpoint.deployment}),
        "InstanceType": endpoint.instance_type,
        "InitialInstanceCount": endpoint.instances,
        **(component.scaled_instances() if component else {"InitialVariantWeight": weight}),
        "ModelDataDownloadTimeoutInSeconds": endpoint.startup_timeout,
        "ContainerStartupHealthCheckTimeoutInSeconds": endpoint.startup_timeout,
        "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
    }
    if endpoint.inference_ami:
        body["InferenceAmiVersion"] = endpoint.inference_ami
    return body
