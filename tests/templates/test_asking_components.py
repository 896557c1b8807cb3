"""Which of the models of a SageMaker endpoint is asked, and where it lies: its variants and its components."""

from __future__ import annotations

import io
import json

import boto3
import pytest
from asking import DeniedError
from botocore.response import StreamingBody
from botocore.stub import Stubber
from endpoints import SageMakerEndpoint

ARN = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/"
WHEN = "2026-01-01T00:00:00Z"
ADAPTERS = "s3://bucket/job/output/model.tar.gz"


class Service:
    """Both services, each with the replies that it gives in turn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        names = ("sagemaker", "sagemaker-runtime")
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        made = {name: boto3.client(name, **keys) for name in names}
        self.at, self.runtime = (Stubber(made[name]) for name in names)
        monkeypatch.setattr(boto3, "client", lambda name, **_: made[name])
        self.at.activate()
        self.runtime.activate()

    def variants(self, *named: tuple[str, str | None]) -> None:
        """The endpoint's variants, each with its model, if it names one."""
        about = {"EndpointName": "live", "EndpointArn": ARN + "live", "CreationTime": WHEN, "LastModifiedTime": WHEN}
        of_endpoint = {**about, "EndpointConfigName": "configured", "EndpointStatus": "InService"}
        self.at.add_response("describe_endpoint", of_endpoint, {"EndpointName": "live"})
        found = [{"VariantName": name, **({"ModelName": model} if model else {})} for name, model in named]
        configured = {"EndpointConfigName": "configured", "EndpointConfigArn": ARN + "configured", "CreationTime": WHEN}
        self.at.add_response("describe_endpoint_config", {**configured, "ProductionVariants": found})

    def components(self, *names: str) -> None:
        of_each = {"EndpointName": "live", "EndpointArn": ARN + "live", "VariantName": "all", "CreationTime": WHEN}
        of_each |= {"LastModifiedTime": WHEN, "InferenceComponentArn": ARN + "component"}
        listed = [{"InferenceComponentName": name, **of_each} for name in names]
        self.at.add_response("list_inference_components", {"InferenceComponents": listed})

    def component(self, name: str, **specification: object) -> None:
        found = {"InferenceComponentName": name, "InferenceComponentArn": ARN + "component", "EndpointName": "live"}
        found |= {"EndpointArn": ARN + "live", "CreationTime": WHEN, "LastModifiedTime": WHEN}
        asked = {"InferenceComponentName": name}
        self.at.add_response("describe_inference_component", {**found, "Specification": specification}, asked)

    def model(self, name: str, **container: object) -> None:
        found = {"ModelName": name, "ModelArn": ARN + "model", "CreationTime": WHEN, "PrimaryContainer": container}
        self.at.add_response("describe_model", found, {"ModelName": name})

    def answers(self, text: str, **target: str) -> None:
        """The one request that the endpoint gets is one for this target."""
        body = json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).encode()
        expected = {"EndpointName": "live", "ContentType": "application/json", **target}
        sent = {"messages": [], "max_tokens": 8, "temperature": 0.0, "seed": 0}
        reply = {"Body": StreamingBody(io.BytesIO(body), len(body))}
        self.runtime.add_response("invoke_endpoint", reply, {**expected, "Body": json.dumps(sent)})


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    return Service(monkeypatch)


def asked(name: str = "live") -> SageMakerEndpoint:
    return SageMakerEndpoint(name, None, None, 5, 0.0)


def test_the_models_of_all_variants_are_said(service: Service) -> None:
    service.variants(("today", "old"), ("new", "trained"))
    service.model("old", ModelDataUrl="s3://bucket/old/model.tar.gz")
    place = {"S3Uri": "s3://bucket/job/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    service.model("trained", ModelDataSource={"S3DataSource": place})
    assert asked().told["serves"] == ["s3://bucket/job/", "s3://bucket/old/model.tar.gz"]


def test_a_variant_that_is_named_is_the_one_that_is_asked(service: Service) -> None:
    service.variants(("today", "old"), ("new", "trained"))
    service.model("trained", ModelDataUrl=ADAPTERS)
    service.answers("yes", TargetVariant="new")
    endpoint = asked("live/new")
    assert (endpoint.told["serves"], endpoint.told["part"]) == ([ADAPTERS], "new")
    assert endpoint.ask([], 8, 0).text == "yes"


@pytest.mark.parametrize("of_model", [True, False])
def test_the_only_component_is_asked_and_its_model_is_said(service: Service, of_model: bool) -> None:
    service.variants(("all", None))
    service.components("trained")
    service.component("trained", **({"ModelName": "m"} if of_model else {"Container": {"ArtifactUrl": ADAPTERS}}))
    if of_model:
        service.model("m", ModelDataUrl=ADAPTERS)
    service.answers("yes", InferenceComponentName="trained")
    endpoint = asked()
    assert endpoint.told["serves"] == [ADAPTERS]
    assert endpoint.ask([], 8, 0).text == "yes"


@pytest.mark.parametrize("name", ["live", "live/c"])
def test_of_several_components_one_is_to_be_named(service: Service, name: str) -> None:
    service.variants(("all", None))
    service.components("b", "a")
    with pytest.raises(DeniedError, match=r"name one of the components of live: sagemaker:live/a or /b"):
        asked(name)


def test_an_endpoint_that_names_no_model_serves_none_that_is_known(service: Service) -> None:
    service.variants(("all", None))
    service.components()
    assert asked().told["serves"] == []
