"""What moto lacks of endpoints, or is too lenient about: states that take time, updates, names in use.

UpdateEndpoint is not in moto, an endpoint is InService at once, ListModels takes no filter, a configuration in use is
deleted. The service's own words are from its public error reports.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.cloudwatch.models import CloudWatchBackend
from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpoint, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse
from moto_answers import answering, answering_later
from moto_components import component_handlers, scaled_copies

from hbspec.targets.aws.requests import validate

Requests = list[tuple[str, dict[str, Any]]]
MOVING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


@dataclass
class Fate:
    """What becomes of endpoints: how many times a change is seen under way, and why it fails, if it does.

    With `answers_to`, a request that names another model is refused as vLLM does.
    """

    looks: int = 0
    creation_fails: str = ""
    update_fails: str = ""
    answers_to: str = ""
    component_fails: str = ""


@contextmanager
def endpoints_as_served(requests: Requests, fate: Fate) -> Iterator[None]:
    """moto, patched; what is asked is added to `requests`."""
    backend = SageMakerModelBackend
    creating, describing, deleting = backend.create_endpoint, backend.describe_endpoint, backend.delete_endpoint
    deleting_config, deleting_alarms = backend.delete_endpoint_config, CloudWatchBackend.delete_alarms

    def create_endpoint(self: Any, *args: Any, **kwargs: Any) -> FakeEndpoint:
        endpoint = creating(self, *args, **kwargs)
        config = self.endpoint_configs[endpoint.endpoint_config_name]
        endpoint.shadow_production_variants = getattr(config, "shadow_production_variants", None)
        _begin(endpoint, "Creating", fate.looks, lambda: _created(endpoint, fate))
        return endpoint

    def describe_endpoint(self: Any, name: str) -> dict[str, Any]:
        endpoint = self.endpoints.get(name)
        if endpoint is not None:
            _look(endpoint)
        return describing(self, name)

    def delete_endpoint(self: Any, name: str) -> None:
        endpoint = self.endpoints.get(name)
        if endpoint is not None and endpoint.endpoint_status in MOVING:
            raise ValidationError("Cannot update in-progress endpoint")
        if endpoint is None or not fate.looks:
            deleting(self, name)
        else:
            _begin(endpoint, "Deleting", fate.looks, lambda: deleting(self, name))

    def delete_endpoint_config(self: Any, name: str) -> None:
        if any(name == endpoint.endpoint_config_name for endpoint in self.endpoints.values()):
            raise ValidationError(f'Cannot delete endpoint configuration "{name}": an endpoint uses it')
        deleting_config(self, name)

    def delete_alarms(self: Any, names: list[str]) -> None:
        for name in set(names) & set(self.alarms):
            self.tagger.delete_all_tags_for_resource(self.alarms[name].alarm_arn)  # moto gives them to its namesake
        deleting_alarms(self, names)

    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(CloudWatchBackend, "delete_alarms", delete_alarms))
        for replacement in (create_endpoint, describe_endpoint, delete_endpoint, delete_endpoint_config):
            patches.enter_context(mock.patch.object(backend, replacement.__name__, replacement))
        for asked in (answering(fate), answering_later()):
            patches.enter_context(mock.patch.object(SageMakerRuntimeResponse, asked.__name__, asked))
        for handler in (_list_models, _updating(requests, fate), _weighing(requests)):
            name = handler.__name__.lstrip("_")
            patches.enter_context(mock.patch.object(SageMakerResponse, name, handler, create=True))
        for handler in component_handlers(requests, fate):
            patches.enter_context(mock.patch.object(SageMakerResponse, handler.__name__, handler, create=True))
        patches.enter_context(scaled_copies())
        yield


def _begin(endpoint: FakeEndpoint, status: str, looks: int, end: Callable[[], None]) -> None:
    endpoint.endpoint_status, endpoint.looks, endpoint.end = status, looks, end
    if not looks:
        end()


def _look(endpoint: FakeEndpoint) -> None:
    if endpoint.endpoint_status in MOVING:
        endpoint.looks -= 1
        if endpoint.looks < 0:
            endpoint.end()


def _created(endpoint: FakeEndpoint, fate: Fate) -> None:
    endpoint.endpoint_status = "Failed" if fate.creation_fails else "InService"
    endpoint.failure_reason = fate.creation_fails or None


def _judged(operation: str, response: SageMakerResponse, requests: Requests) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(response.body)
    requests.append((operation, body))
    problems = [problem.message for problem in validate(operation, body, response.region)]
    if problems:
        raise ValidationError(f"{len(problems)} validation error(s) detected: {'; '.join(problems)}")
    return body


def _found(response: SageMakerResponse, body: dict[str, Any]) -> FakeEndpoint:
    endpoint = response.sagemaker_backend.endpoints.get(body["EndpointName"])
    if endpoint is None:
        raise ValidationError(f'Could not find endpoint "{body["EndpointName"]}".')
    if endpoint.endpoint_status not in ("InService", "OutOfService"):
        raise ValidationError("Cannot update in-progress endpoint")
    return endpoint


def _list_models(self: SageMakerResponse) -> ActionResult:
    asked = json.loads(self.body)
    known = [model.response_object for model in self.sagemaker_backend.list_models()]
    models = [model for model in known if asked.get("NameContains", "") in model["ModelName"]]
    models.sort(key=lambda model: model["CreationTime"], reverse=asked.get("SortOrder") == "Descending")
    return ActionResult({"Models": models})


def _updating(requests: Requests, fate: Fate) -> Callable[[SageMakerResponse], ActionResult]:
    def _update_endpoint(self: SageMakerResponse) -> ActionResult:
        body = _judged("UpdateEndpoint", self, requests)
        endpoint, configs = _found(self, body), self.sagemaker_backend.endpoint_configs
        if body["EndpointConfigName"] not in configs:
            raise ValidationError(f'Could not find endpoint configuration "{body["EndpointConfigName"]}".')
        config = configs[body["EndpointConfigName"]]
        _refuse_scaled(self, configs[endpoint.endpoint_config_name], config, endpoint.endpoint_name)

        def end() -> None:
            endpoint.endpoint_status, endpoint.failure_reason = "InService", fate.update_fails or None
            if not fate.update_fails:
                _exchange(endpoint, config, body)

        _begin(endpoint, "Updating", fate.looks, end)
        return ActionResult({"EndpointArn": endpoint.arn})

    return _update_endpoint


def _exchange(endpoint: FakeEndpoint, config: Any, body: dict[str, Any]) -> None:
    before = {variant["VariantName"]: variant for variant in endpoint.production_variants}
    variants = endpoint._process_production_variants(config.production_variants)
    if body.get("RetainAllVariantProperties"):
        excluded = {entry["VariantPropertyType"] for entry in body.get("ExcludeRetainedVariantProperties", ())}
        kept = {"DesiredInstanceCount", "DesiredWeight"} - excluded
        for variant in variants:
            old = before.get(variant["VariantName"], {})
            for member in kept & old.keys():
                variant[member] = variant[member.replace("Desired", "Current")] = old[member]
    endpoint.endpoint_config_name, endpoint.production_variants = config.endpoint_config_name, variants
    shadows = getattr(config, "shadow_production_variants", None)
    endpoint.shadow_production_variants = endpoint._process_production_variants(shadows) if shadows else None


def _refuse_scaled(response: SageMakerResponse, old: Any, new: Any, name: str) -> None:
    targets = applicationautoscaling_backends[response.current_account][response.region].targets
    scaled = {key for kept in targets.values() for key in kept}
    kept = {variant["VariantName"]: variant.get("InstanceType") for variant in new.production_variants}
    for variant in old.production_variants:
        title = variant["VariantName"]
        if f"endpoint/{name}/variant/{title}" in scaled and kept.get(title) != variant.get("InstanceType"):
            raise ValidationError(
                f"The variant(s) {title} must be deregistered as scalable targets with AWS Auto Scaling before they "
                "can be removed or have their instance type updated."
            )


def _weighing(requests: Requests) -> Callable[[SageMakerResponse], ActionResult]:
    def _update_endpoint_weights_and_capacities(self: SageMakerResponse) -> ActionResult:
        body = _judged("UpdateEndpointWeightsAndCapacities", self, requests)
        endpoint = _found(self, body)
        variants = {variant["VariantName"]: variant for variant in endpoint.production_variants}
        for desired in body["DesiredWeightsAndCapacities"]:
            if desired["VariantName"] not in variants:
                raise ValidationError(f'The variant name(s) "{desired["VariantName"]}" is/are not present')
            for member in ("Weight", "InstanceCount"):
                if f"Desired{member}" in desired:
                    value = desired[f"Desired{member}"]
                    variants[desired["VariantName"]] |= {f"Desired{member}": value, f"Current{member}": value}
        return ActionResult({"EndpointArn": endpoint.arn})

    return _update_endpoint_weights_and_capacities
