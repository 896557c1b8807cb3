"""Inference components, which moto lacks: made on an endpoint whose variant names no model, updated, listed, deleted.

They are not deleted while they are made (aws/amazon-sagemaker-examples issue 3432). Assumed: that they may outlive an
endpoint that is deleted; by aws/amazon-sagemaker-feedback issue 49 it is the endpoint that is not deleted before them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any
from unittest import mock

from moto.applicationautoscaling import models as scaling
from moto.applicationautoscaling import responses
from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse
from moto.utilities.utils import get_partition

from hbspec.targets.aws.requests import validate

if TYPE_CHECKING:
    from moto_endpoints import Fate

Requests = list[tuple[str, dict[str, Any]]]
COPIES = "sagemaker:inference-component:DesiredCopyCount"
DIMENSIONS = Enum(
    "DIMENSIONS", {"COPIES": COPIES, **{kind.name: kind.value for kind in scaling.ScalableDimensionValueSet}}
)


@dataclass
class Hosted:
    """A component."""

    body: dict[str, Any]
    arn: str
    status: str = "InService"
    reason: str | None = None
    tags: list[dict[str, str]] = field(default_factory=list)

    def described(self) -> dict[str, Any]:
        return {
            **{key: value for key, value in self.body.items() if key not in ("Tags", "RuntimeConfig")},
            "InferenceComponentArn": self.arn,
            "InferenceComponentStatus": self.status,
            "FailureReason": self.reason,
        }


def _kept(backend: SageMakerModelBackend) -> dict[str, Hosted]:
    return backend.__dict__.setdefault("inference_components", {})


def hosted(account: str, region: str, endpoint: str) -> list[str]:
    """The names of an endpoint's components."""
    found = _kept(sagemaker_backends[account][region]).items()
    return [name for name, component in found if component.body["EndpointName"] == endpoint]


def hosts(account: str, region: str, endpoint: str) -> bool:
    """Whether the variants of an endpoint name no model."""
    backend = sagemaker_backends[account][region]
    configuration = backend.endpoint_configs[backend.endpoints[endpoint].endpoint_config_name]
    return not any("ModelName" in variant for variant in configuration.production_variants)


@contextmanager
def scaled_copies() -> Iterator[None]:
    """moto, with variants that name no model, the tags of components, and autoscaling of their copies."""
    valid = scaling._target_params_are_valid
    tagged, variants = SageMakerModelBackend._get_resource_from_arn, SageMakerModelBackend.validate_production_variants

    def _target_params_are_valid(namespace: str, r_id: str, dimension: str) -> bool:
        if dimension == COPIES:
            return namespace == "sagemaker" and r_id.startswith("inference-component/")
        return bool(valid(namespace, r_id, dimension))

    def _get_resource_from_arn(self: SageMakerModelBackend, arn: str) -> Any:
        _, _, name = arn.partition(":inference-component/")
        return _kept(self)[name] if name else tagged(self, arn)

    def validate_production_variants(self: SageMakerModelBackend, production_variants: list[dict[str, Any]]) -> None:
        variants(self, [variant for variant in production_variants if "ModelName" in variant])

    with (
        mock.patch.object(scaling, "_target_params_are_valid", _target_params_are_valid),
        mock.patch.object(responses, "ScalableDimensionValueSet", DIMENSIONS),
        mock.patch.object(SageMakerModelBackend, "_get_resource_from_arn", _get_resource_from_arn),
        mock.patch.object(SageMakerModelBackend, "validate_production_variants", validate_production_variants),
    ):
        yield


def component_handlers(requests: Requests, fate: Fate) -> list[Callable[[SageMakerResponse], ActionResult]]:
    """The handlers, named as moto names them."""

    def judged(operation: str, response: SageMakerResponse) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(response.body)
        requests.append((operation, body))
        problems = [problem.message for problem in validate(operation, body, response.region)]
        backend = response.sagemaker_backend
        if body["Specification"]["ModelName"] not in [model.model_name for model in backend.list_models()]:
            problems.append(f"Could not find model {body['Specification']['ModelName']}")
        if problems:
            raise ValidationError("; ".join(problems))
        return body

    def create_inference_component(self: SageMakerResponse) -> ActionResult:
        body = judged("CreateInferenceComponent", self)
        name, endpoint = body["InferenceComponentName"], self.sagemaker_backend.endpoints.get(body["EndpointName"])
        if name in _kept(self.sagemaker_backend):
            raise ValidationError(f'Cannot create already existing inference component "{name}".')
        if endpoint is None or endpoint.endpoint_status != "InService":
            raise ValidationError(f"Endpoint {body['EndpointName']} is not in service.")
        if not hosts(self.current_account, self.region, body["EndpointName"]):
            raise ValidationError("Inference components are not supported on an endpoint whose variants name a model.")
        place = f"{get_partition(self.region)}:sagemaker:{self.region}:{self.current_account}"
        arn = f"arn:{place}:inference-component/{name}"
        status = "Failed" if fate.component_fails else "InService"
        made = Hosted(body, arn, status, fate.component_fails or None, body.get("Tags", []))
        _kept(self.sagemaker_backend)[name] = made
        return ActionResult({"InferenceComponentArn": arn})

    def update_inference_component(self: SageMakerResponse) -> ActionResult:
        body = judged("UpdateInferenceComponent", self)
        component = _found(self)
        component.reason = fate.component_fails or None
        if not fate.component_fails:
            component.body = {**component.body, "Specification": body["Specification"]}
        return ActionResult({"InferenceComponentArn": component.arn})

    return [create_inference_component, update_inference_component, *_READING]


def _found(response: SageMakerResponse) -> Hosted:
    name = json.loads(response.body)["InferenceComponentName"]
    if name not in _kept(response.sagemaker_backend):
        raise ValidationError(f'Could not find inference component "{name}".')
    return _kept(response.sagemaker_backend)[name]


def describe_inference_component(self: SageMakerResponse) -> ActionResult:
    return ActionResult(_found(self).described())


def delete_inference_component(self: SageMakerResponse) -> ActionResult:
    component = _found(self)
    if component.status not in ("InService", "Failed"):
        raise ValidationError(f"Cannot delete inference component while it is in state {component.status}")
    del _kept(self.sagemaker_backend)[component.body["InferenceComponentName"]]
    return ActionResult({})


def list_inference_components(self: SageMakerResponse) -> ActionResult:
    asked = json.loads(self.body).get("NameContains", "")
    found = [component.described() for name, component in _kept(self.sagemaker_backend).items() if asked in name]
    return ActionResult({"InferenceComponents": found})


_READING = (describe_inference_component, delete_inference_component, list_inference_components)
