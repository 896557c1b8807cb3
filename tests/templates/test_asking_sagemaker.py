"""A SageMaker endpoint, asked by boto3: requests and errors by the service's own model (botocore's Stubber)."""

from __future__ import annotations

import io
import json
from typing import Any

import boto3
import pytest
from asking import DeniedError, NoReplyError
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber
from endpoints import SageMakerEndpoint

MESSAGES = [{"role": "user", "content": "What is 1 + 1?"}]
PLACE = "s3://bucket/models/bot-0a1b2c3d4e5f/output/model.tar.gz"
VARIANT = {"VariantName": "candidate", "ModelName": "bot", "InitialInstanceCount": 1, "InstanceType": "ml.g5.xlarge"}


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Stubber]:
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    clients = {name: boto3.client(name, **keys) for name in ("sagemaker", "sagemaker-runtime")}
    monkeypatch.setattr(boto3, "client", lambda name, **_: clients[name])
    stubs = {name: Stubber(client) for name, client in clients.items()}
    control = stubs["sagemaker"]
    times = {"CreationTime": 0, "LastModifiedTime": 0, "EndpointStatus": "InService"}
    arn = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/bot"
    control.add_response(
        "describe_endpoint", {"EndpointName": "bot", "EndpointArn": arn, "EndpointConfigName": "c", **times}
    )
    configuration = {"EndpointConfigName": "c", "EndpointConfigArn": arn, "CreationTime": 0}
    control.add_response("describe_endpoint_config", {**configuration, "ProductionVariants": [VARIANT]})
    model = {"ModelName": "bot", "ModelArn": arn, "CreationTime": 0, "PrimaryContainer": {"ModelDataUrl": PLACE}}
    control.add_response("describe_model", model)
    for stub in stubs.values():
        stub.activate()
    return stubs


def endpoint(name: str = "bot/candidate") -> SageMakerEndpoint:
    return SageMakerEndpoint(name, "assistant", "us-east-1", 30, 0.0)


def answer(body: Any) -> dict[str, Any]:
    content = json.dumps(body).encode()
    return {"Body": StreamingBody(io.BytesIO(content), len(content))}


def test_it_is_asked_as_an_endpoint_of_chat_completions_and_says_what_it_serves(stubbed: dict[str, Stubber]) -> None:
    said = {"choices": [{"message": {"content": "2"}, "finish_reason": "stop"}], "usage": {"completion_tokens": 1}}
    stubbed["sagemaker-runtime"].add_response(
        "invoke_endpoint",
        answer(said),
        {"EndpointName": "bot", "TargetVariant": "candidate", "ContentType": "application/json", "Body": ANY},
    )
    asked = endpoint()
    assert asked.told["serves"] == [PLACE]
    assert asked.ask(MESSAGES, 8, 0)[:3] == ("2", "stop", 1)


@pytest.mark.parametrize(
    ("code", "more", "kind", "again"),
    [
        ("ThrottlingException", {}, "rate limit", True),
        ("ModelError", {"OriginalStatusCode": 500}, "server error", True),
        ("ModelError", {"OriginalStatusCode": 400}, "refused", False),
        ("ModelNotReadyException", {}, "server error", True),
        ("ServiceUnavailable", {}, "server error", True),
        ("SomethingNew", {}, "refused", False),
    ],
)
def test_its_errors_are_of_a_kind(
    stubbed: dict[str, Stubber], code: str, more: dict[str, Any], kind: str, again: bool
) -> None:
    stubbed["sagemaker-runtime"].add_client_error("invoke_endpoint", code, modeled_fields=more)
    with pytest.raises(NoReplyError) as none:
        endpoint().ask(MESSAGES, 8, 0)
    assert (none.value.kind, none.value.again) == (kind, again)


def test_a_refusal_of_who_asks_ends_the_run(stubbed: dict[str, Stubber]) -> None:
    stubbed["sagemaker-runtime"].add_client_error("invoke_endpoint", "AccessDeniedException", "no")
    with pytest.raises(DeniedError, match="cannot be asked"):
        endpoint().ask(MESSAGES, 8, 0)


def test_an_endpoint_that_the_service_does_not_know_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    client = boto3.client("sagemaker", **keys)
    stub = Stubber(client)
    stub.add_client_error("describe_endpoint", "ValidationException", "Could not find endpoint")
    stub.activate()
    monkeypatch.setattr(boto3, "client", lambda name, **_: client)
    with pytest.raises(DeniedError, match="Could not find endpoint"):
        endpoint()
