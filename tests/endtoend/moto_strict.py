"""A local SageMaker that judges: moto's server, with requests validated as the service model and our rules say.

moto keeps state and answers as SageMaker does, but takes any CreateTrainingJob, refuses every GPU instance since g4dn
for endpoints, and forgets members that it does not know. Whether the real service agrees with this one is not shown
here: no AWS account was asked.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any
from unittest import mock

import boto3
from moto.core.base_backend import BackendDict
from moto.core.utils import camelcase_to_underscores
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sagemaker.exceptions import ResourceInUseException, ValidationError
from moto.sagemaker.models import FakeEndpointConfig
from moto.sagemaker.responses import SageMakerResponse
from moto_endpoints import Fate, endpoints_as_served
from moto_jobs import Course, jobs_as_run
from moto_stacks import AlarmOfStack
from werkzeug.serving import make_server

from hbspec.targets.aws.requests import validate

HOST = "127.0.0.1"
CREDENTIALS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}

# What a request makes: the member that names it and where moto keeps it.
RESOURCES = {
    "CreateTrainingJob": ("TrainingJobName", "training_jobs"),
    "CreateModel": ("ModelName", "_models"),
    "CreateEndpointConfig": ("EndpointConfigName", "endpoint_configs"),
    "CreateEndpoint": ("EndpointName", "endpoints"),
}


assert AlarmOfStack.cloudformation_type(), "moto must know it before the first stack"


@dataclass(frozen=True)
class Server:
    """A running server: `requests` are the operations and bodies that it was sent, refused ones included.

    A test may change what becomes of its endpoints and of its training jobs.
    """

    url: str
    region: str
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    fate: Fate = field(default_factory=Fate)
    course: Course = field(default_factory=Course)
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str = "sagemaker") -> Any:
        """A boto3 client of this server, the same one each time."""
        if service not in self.clients:
            self.clients[service] = _session(self.region).client(service, endpoint_url=self.url)
        return self.clients[service]


@functools.cache
def _session(region: str) -> Any:
    """One for all servers: each reads the descriptions of the services anew, half a second of JSON."""
    return boto3.session.Session(region_name=region, **CREDENTIALS)


@contextmanager
def plain_server(region: str) -> Iterator[Server]:
    """moto's server as it is, on a free port, empty at the start and at the end."""
    BackendDict.reset()
    server = make_server(HOST, 0, _application(), threaded=True, request_handler=MotoRequestHandler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)  # how long its end takes
    thread.start()
    try:
        yield Server(f"http://{HOST}:{server.server_port}", region)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        BackendDict.reset()


@functools.cache
def _application() -> DomainDispatcherApplication:
    """One for all servers: it makes the routes of a service when it is first asked for it, and keeps no state."""
    return DomainDispatcherApplication(create_backend_app)


@contextmanager
def strict_server(region: str) -> Iterator[Server]:
    """The same, with every request that makes something judged by `validate`."""
    with plain_server(region) as server, ExitStack() as patches:
        # The schema has the service's present list of instance types, moto's own is of 2020.
        patches.enter_context(mock.patch.object(FakeEndpointConfig, "validate_instance_type", return_value=None))
        patches.enter_context(endpoints_as_served(server.requests, server.fate))
        patches.enter_context(jobs_as_run(server.course))
        for operation in RESOURCES:
            name = camelcase_to_underscores(operation)
            strict = _judged(operation, getattr(SageMakerResponse, name), server.requests)
            patches.enter_context(mock.patch.object(SageMakerResponse, name, strict))
        yield server


def _judged(
    operation: str, handler: Callable[[SageMakerResponse], Any], requests: list[tuple[str, dict[str, Any]]]
) -> Callable[[SageMakerResponse], Any]:
    """moto's handler of an operation, with a judge before it and a memory behind it."""
    member, store = RESOURCES[operation]

    @functools.wraps(handler)
    def judged(response: SageMakerResponse) -> Any:
        body = json.loads(response.body)
        requests.append((operation, body))
        problems = [problem.message for problem in validate(operation, body, response.region)]
        if problems:
            raise ValidationError(f"{len(problems)} validation error(s) detected: {'; '.join(problems)}")
        kept = getattr(response.sagemaker_backend, store)
        if body[member] in kept:
            if operation == "CreateTrainingJob":
                raise ResourceInUseException(f"{member} {body[member]} is in use")
            raise ValidationError(f'Cannot create already existing {operation} "{body[member]}".')
        answer = handler(response)
        # moto has a canned MetricDefinitions, and nothing of Environment, RetryStrategy, ShadowProductionVariants.
        for key, value in body.items():
            setattr(kept[body[member]], camelcase_to_underscores(key), value)
        if body.get("OutputDataConfig", {}).get("CompressionType") == "NONE":  # which moto does not know
            artifacts = kept[body[member]].model_artifacts
            artifacts["S3ModelArtifacts"] = artifacts["S3ModelArtifacts"].removesuffix(".tar.gz")
        return answer

    return judged
