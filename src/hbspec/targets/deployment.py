"""Target `deployment`: the bodies of CreateModel, CreateEndpointConfig, CreateEndpoint and the autoscaling requests.

With `ab_test`, the endpoint has two variants, the current model and the new one, and SageMaker splits the traffic by
their weights (a variant's share is its weight over the sum of weights).

The model is the output of the training job of the same spec. Which of its attempts completes is not known in advance,
so `create_model.json` names the model of the first attempt, and `deploy.sh` asks the service and replaces it by the
right one.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from shlex import quote
from typing import Any

from hbspec.analysis import Analysis
from hbspec.plan.training_job import author_name, folder
from hbspec.targets import sagemaker
from hbspec.targets.aws.engine_settings import BASE_CHANNEL, environment
from hbspec.targets.aws.first_request import FILE as REQUEST
from hbspec.targets.aws.first_request import first_request, in_service, invocation
from hbspec.targets.aws.refusals import refused, refused_by_engine
from hbspec.targets.aws.scaling import Scaling
from hbspec.targets.aws.scaling import requests as scaling_requests
from hbspec.targets.aws.serving_container import serving_container, start_up_seconds
from hbspec.targets.aws.submission import last_attempt, region_option
from hbspec.targets.job.hyperparameters import WEIGHTS
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import LoweringError, Needs
from hbspec.targets.lowering.shell import HERE, opening, owned
from hbspec.targets.lowering.target import Target

CANDIDATE = "candidate"
FILES = {
    "CreateModel": "create_model",
    "CreateEndpointConfig": "create_endpoint_config",
    "CreateEndpoint": "create_endpoint",
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


def lower(analysis: Analysis) -> Endpoint:
    """Choose the values of the requests.

    Raises:
        LoweringError: the spec lacks a key that a request needs, or the engine would refuse its settings.
    """
    spec = analysis.spec
    account, section = spec.sagemaker, spec.deployment
    needs = Needs("deployment")
    needs.take(section, ("deployment",), None)
    role = needs.take(account.role if account else None, ("sagemaker", "role"), "")
    output = needs.take(account.output if account else None, ("sagemaker", "output"), "")
    instance_type = needs.take(section.instance.type, ("deployment", "instance", "type"), "") if section else ""
    needs.done()
    assert section is not None  # noqa: S101 - Needs has just checked it
    plan = analysis.serving_plan
    container = serving_container(spec, plan, needs)
    if plan.adapters != "merged":
        needs.take(plan.weights, ("model", "id"), "", WEIGHTS)
    needs.done()
    training, variables = _training(analysis), environment(analysis, plan, start_up_seconds(plan))
    left_open = "bitsandbytes" if container.own else ""
    judged = {name: value for name, value in variables.items() if value != left_open}
    refused_by_engine(plan.engine, judged, container.release)
    vpc = account.vpc if account else None
    return Endpoint(
        name=spec.name,
        role=role,
        image=container.uri,
        inference_ami=container.host,
        region=plan.region,
        model_data=f"{folder(output)}{training.job if training else author_name(spec)}/output/model.tar.gz",
        base=plan.weights if plan.weights and plan.weights.startswith("s3://") else None,
        training=training,
        environment=variables,
        first_request=first_request(plan),
        instance_type=instance_type,
        instances=section.instance.count,
        startup_timeout=start_up_seconds(plan),
        variants=_variants(analysis),
        scaling=Scaling(*plan.scaling, plan.concurrency) if section.autoscaling else None,
        subnets=vpc.subnets if vpc else (),
        security_groups=vpc.security_groups if vpc else (),
        tags=account.tags if account else {},
    )


def _training(analysis: Analysis) -> TrainingSource | None:
    """The training job of the same spec; None if the spec describes its hardware instead of an instance type."""
    if analysis.spec.instance.type is None:
        return None
    job = sagemaker.lower(analysis, "deployment")
    return TrainingSource(job.name, job.region)


def _variants(analysis: Analysis) -> tuple[Variant, ...]:
    name, section = analysis.spec.name, analysis.spec.deployment
    test = section.ab_test if section else None
    if test is None:
        return (Variant(CANDIDATE, name, 1.0),)
    share = Decimal(str(test.candidate_weight))
    return (Variant("baseline", test.baseline, float(1 - share)), Variant(CANDIDATE, name, float(share)))


def emit(endpoint: Endpoint) -> list[Artifact]:
    """Write the files, after validating each body against the service's API model.

    Raises:
        LoweringError: the service would reject a body.
    """
    bodies = requests(endpoint)
    findings = [finding for operation, body in bodies.items() for finding in refused(operation, body, endpoint.region)]
    if findings:
        raise LoweringError(findings)
    return [
        *(json_artifact(f"{FILES[operation]}.json", body) for operation, body in bodies.items()),
        json_artifact(REQUEST, dict(endpoint.first_request)),
        script_artifact("deploy.sh", _deploy(endpoint, list(bodies))),
    ]


def requests(endpoint: Endpoint) -> dict[str, dict[str, Any]]:
    """The request bodies by operation, in the order of sending."""
    tags = {"Tags": [{"Key": key, "Value": value} for key, value in endpoint.tags.items()]} if endpoint.tags else {}
    return {
        "CreateModel": {
            "ModelName": endpoint.name,
            "ExecutionRoleArn": endpoint.role,
            "PrimaryContainer": _container(endpoint),
            **_vpc(endpoint),
            **tags,
        },
        "CreateEndpointConfig": {
            "EndpointConfigName": endpoint.name,
            "ProductionVariants": [_variant(endpoint, variant) for variant in endpoint.variants],
            **tags,
        },
        "CreateEndpoint": {"EndpointName": endpoint.name, "EndpointConfigName": endpoint.name, **tags},
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


def _deploy(endpoint: Endpoint, operations: list[str]) -> list[str]:
    return [
        *opening(
            f"{endpoint.name}: creates the model, the configuration and the endpoint, which is billed until deleted."
        ),
        f"cd -- {HERE}",
        *owned("create_endpoint.json", "EndpointName", endpoint.name),
        *(
            _trained(endpoint.training, endpoint.model_data)
            if endpoint.training
            else ['model="file://create_model.json"']
        ),
        *(line for operation in operations for line in _send(endpoint, operation)),
        *invocation(endpoint.name, endpoint.region, CANDIDATE if len(endpoint.variants) > 1 else ""),
    ]


def _trained(training: TrainingSource, compiled: str) -> list[str]:
    """Shell lines that set `model` to the body of CreateModel with the output of the completed attempt."""
    at, literal = region_option(training.region), json.dumps(compiled, ensure_ascii=False)
    return [
        "# Deploys the last completed attempt at the training job, or the training job that is named as the argument.",
        "name=${1:-}",
        'if [ -z "$name" ]; then',
        *(f"  {line}" for line in last_attempt(training.job, training.region, only="Completed")),
        "  if ((last == 0)); then",
        '    echo "$job: no attempt at this training job has completed. Compile the target sagemaker and run its" >&2',
        '    echo "submit.sh, or name another training job: deploy.sh JOB" >&2',
        "    exit 1",
        "  fi",
        '  echo "Using the model of $name ($status)."',
        "fi",
        f'trained=$(aws sagemaker describe-training-job{at} --training-job-name "$name" \\',
        "  --query ModelArtifacts.S3ModelArtifacts --output json)",
        'if [ "$trained" = null ]; then echo "$name: this training job has no model" >&2; exit 1; fi',
        f"compiled={quote(literal)}",
        "model=$(<create_model.json)",
        'model=${model%%"$compiled"*}$trained${model#*"$compiled"}',
    ]


def _send(endpoint: Endpoint, operation: str) -> Iterator[str]:
    service = "sagemaker" if operation.startswith("Create") else "application-autoscaling"
    file, region = FILES[operation], region_option(endpoint.region)
    trained = operation == "CreateModel" and endpoint.training is not None
    body = '"$model"' if trained else f"file://{file}.json"
    yield f"aws {service} {file.replace('_', '-')}{region} --cli-input-json {body}"
    if operation == "CreateEndpoint":
        yield from in_service(endpoint.name, endpoint.region)


TARGET = Target(
    "deployment", "the bodies of CreateModel, CreateEndpointConfig and CreateEndpoint", lower, emit, "deploy.sh"
)
