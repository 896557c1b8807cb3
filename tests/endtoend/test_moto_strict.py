"""The local SageMaker takes what the service would take and refuses what it would refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError
from moto_strict import Server, plain_server, strict_server

BODIES = Path(__file__).resolve().parents[1] / "targets" / "bodies"


def body(operation: str) -> dict[str, Any]:
    return json.loads((BODIES / f"{operation}.json").read_text(encoding="utf-8"))


def refusal(call: Any, **request: Any) -> tuple[str, str, int]:
    """Code, message and HTTP status of the error that a call gives."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    response = caught.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def make_models(client: Any) -> None:
    client.create_model(**body("CreateModel"))
    client.create_model(**body("CreateModel") | {"ModelName": "heartbeat-baseline"})


def test_a_training_job_comes_back_as_it_was_sent(sagemaker_server: Server) -> None:
    request = body("CreateTrainingJob")
    client = sagemaker_server.client()
    client.create_training_job(**request)
    described = client.describe_training_job(TrainingJobName=request["TrainingJobName"])
    tags = client.list_tags(ResourceArn=described["TrainingJobArn"])["Tags"]
    assert {key: described[key] for key in request if key != "Tags"} | {"Tags": tags} == request
    assert sagemaker_server.requests == [("CreateTrainingJob", request)]


def test_a_client_finds_the_server_by_the_environment(sagemaker_server: Server) -> None:
    client = boto3.session.Session().client("sagemaker")
    assert client.meta.endpoint_url == sagemaker_server.url
    assert client.list_training_jobs()["TrainingJobSummaries"] == []


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("section", "change", "message"),
    [
        (None, {"TrainingJobName": "bad_name!"}, "TrainingJobName 'bad_name!' does not match"),
        ("ResourceConfig", {"InstanceType": "ml.nope.1"}, "'ml.nope.1' is not one of its 225 values"),
        ("HyperParameters", {"P": "p" * 2501}, "is 2501 characters long, the limit is 2500"),
        (
            "StoppingCondition",
            {"MaxWaitTimeInSeconds": 60},
            "MaxWaitTimeInSeconds (60) is below MaxRuntimeInSeconds (57600)",
        ),
        (
            "AlgorithmSpecification",
            {"TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com/x:1"},
            "is in us-east-1",
        ),
    ],
)
def test_a_bad_training_job_is_refused(
    sagemaker_server: Server, section: str | None, change: dict[str, Any], message: str
) -> None:
    request = body("CreateTrainingJob")
    (request[section] if section else request).update(change)
    client = sagemaker_server.client()
    code, said, status = refusal(client.create_training_job, **request)
    assert (code, status) == ("ValidationException", 400)
    assert message in said
    assert client.list_training_jobs()["TrainingJobSummaries"] == []


def test_a_job_s_name_is_taken_once(sagemaker_server: Server) -> None:
    client = sagemaker_server.client()
    client.create_training_job(**body("CreateTrainingJob"))
    code, _, status = refusal(client.create_training_job, **body("CreateTrainingJob"))
    assert (code, status) == ("ResourceInUse", 400)


def test_two_variants_share_an_endpoint(sagemaker_server: Server) -> None:
    client = sagemaker_server.client()
    make_models(client)
    client.create_endpoint_config(**body("CreateEndpointConfig"))
    client.create_endpoint(**body("CreateEndpoint"))

    config = client.describe_endpoint_config(EndpointConfigName="heartbeat-ab")
    assert config["ProductionVariants"] == body("CreateEndpointConfig")["ProductionVariants"]
    endpoint = client.describe_endpoint(EndpointName="heartbeat")
    assert endpoint["EndpointStatus"] == "InService"
    shares = {variant["VariantName"]: variant["CurrentWeight"] for variant in endpoint["ProductionVariants"]}
    assert shares == {"baseline": 0.9, "candidate": 0.1}
    assert client.describe_model(ModelName="heartbeat-candidate")["EnableNetworkIsolation"] is True
    assert [operation for operation, _ in sagemaker_server.requests] == [
        "CreateModel",
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
    ]

    scaling = sagemaker_server.client("application-autoscaling")
    scaling.register_scalable_target(**body("RegisterScalableTarget"))
    scaling.put_scaling_policy(**body("PutScalingPolicy"))
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["PolicyName"] == "heartbeat-concurrency"


def test_a_shadow_variant_comes_back(sagemaker_server: Server) -> None:
    client = sagemaker_server.client()
    make_models(client)
    request = body("CreateEndpointConfig")
    request["ShadowProductionVariants"] = [request["ProductionVariants"].pop()]
    client.create_endpoint_config(**request)
    config = client.describe_endpoint_config(EndpointConfigName="heartbeat-ab")
    assert config["ShadowProductionVariants"] == request["ShadowProductionVariants"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"InstanceType": "ml.g5.13xlarge"}, "'ml.g5.13xlarge' is not one of its 277 values"),
        ({"ModelDataDownloadTimeoutInSeconds": 9999}, "is 9999, the limit is 3600"),
        ({"VariantName": "candidate"}, "2 variants are named 'candidate'"),
        ({"InferenceAmiVersion": "al2023"}, "'al2023' is not one of"),
    ],
)
def test_a_bad_variant_is_refused(sagemaker_server: Server, change: dict[str, Any], message: str) -> None:
    client = sagemaker_server.client()
    make_models(client)
    request = body("CreateEndpointConfig")
    request["ProductionVariants"][0].update(change)
    code, said, status = refusal(client.create_endpoint_config, **request)
    assert (code, status) == ("ValidationException", 400)
    assert message in said


def test_a_variant_needs_its_model(sagemaker_server: Server) -> None:
    code, said, _ = refusal(sagemaker_server.client().create_endpoint_config, **body("CreateEndpointConfig"))
    assert code == "ValidationException"
    assert "Could not find model" in said


def test_what_botocore_refuses_is_never_sent(sagemaker_server: Server) -> None:
    with pytest.raises(ParamValidationError, match="InstanceTyp"):
        sagemaker_server.client().create_training_job(
            **body("CreateTrainingJob") | {"ResourceConfig": {"InstanceTyp": "ml.p4d.24xlarge"}}
        )
    assert sagemaker_server.requests == []


@pytest.fixture
def served(sagemaker_server: Server) -> Any:
    """A client of a server with an endpoint, and with a second configuration."""
    client = sagemaker_server.client()
    make_models(client)
    client.create_endpoint_config(**body("CreateEndpointConfig"))
    client.create_endpoint(**body("CreateEndpoint"))
    client.create_endpoint_config(**body("CreateEndpointConfig") | {"EndpointConfigName": "second"})
    return client


def test_an_endpoint_is_updated_in_its_own_time(served: Any, sagemaker_server: Server) -> None:
    sagemaker_server.fate.looks = 1
    update = {"EndpointName": "heartbeat", "EndpointConfigName": "second"}
    served.update_endpoint(**update)
    code, said, _ = refusal(served.update_endpoint, **update)
    assert (code, said) == ("ValidationException", "Cannot update in-progress endpoint")
    assert served.describe_endpoint(EndpointName="heartbeat")["EndpointStatus"] == "Updating"
    described = served.describe_endpoint(EndpointName="heartbeat")
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", "second")


def test_what_is_taken_or_in_use_is_refused(served: Any) -> None:
    for call, request in (
        (served.create_model, "CreateModel"),
        (served.create_endpoint_config, "CreateEndpointConfig"),
        (served.create_endpoint, "CreateEndpoint"),
    ):
        assert "Cannot create already existing" in refusal(call, **body(request))[1]
    assert "an endpoint uses it" in refusal(served.delete_endpoint_config, EndpointConfigName="heartbeat-ab")[1]
    served.delete_endpoint_config(EndpointConfigName="second")
    update = {"EndpointName": "heartbeat", "EndpointConfigName": "second"}
    assert "Could not find endpoint configuration" in refusal(served.update_endpoint, **update)[1]


def test_a_variant_that_scales_is_not_removed(served: Any, sagemaker_server: Server) -> None:
    scaling = sagemaker_server.client("application-autoscaling")
    scaling.register_scalable_target(**body("RegisterScalableTarget"))
    config = body("CreateEndpointConfig") | {"EndpointConfigName": "third"}
    config["ProductionVariants"] = config["ProductionVariants"][:1]
    served.create_endpoint_config(**config)
    update = {"EndpointName": "heartbeat", "EndpointConfigName": "third"}
    assert "must be deregistered as scalable targets" in refusal(served.update_endpoint, **update)[1]
    scaling.deregister_scalable_target(
        **{key: body("RegisterScalableTarget")[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
    )
    served.update_endpoint(**update)


def test_weights_are_those_of_variants_that_there_are(served: Any) -> None:
    served.update_endpoint_weights_and_capacities(**body("UpdateEndpointWeightsAndCapacities"))
    weights = served.describe_endpoint(EndpointName="heartbeat")["ProductionVariants"]
    assert {entry["VariantName"]: entry["DesiredWeight"] for entry in weights} == {"baseline": 0.5, "candidate": 0.5}
    other = [{"VariantName": "third", "DesiredWeight": 1.0}]
    asked = {"EndpointName": "heartbeat", "DesiredWeightsAndCapacities": other}
    assert "is/are not present" in refusal(served.update_endpoint_weights_and_capacities, **asked)[1]


def test_moto_alone_would_not_do() -> None:
    """Why there is a strict server. A failure here means that moto has learnt, and that a patch can go."""
    with plain_server("ca-central-1") as server:
        client = server.client()
        request = body("CreateTrainingJob") | {"TrainingJobName": "bad_name!"}
        request["ResourceConfig"] |= {"InstanceType": "ml.nope.1"}
        client.create_training_job(**request)
        client.create_training_job(**request)
        described = client.describe_training_job(TrainingJobName="bad_name!")
        assert [metric["Name"] for metric in described["AlgorithmSpecification"]["MetricDefinitions"]] == ["test:dcg"]
        assert "Environment" not in described

        make_models(client)
        code, said, _ = refusal(client.create_endpoint_config, **body("CreateEndpointConfig"))
        assert code == "ValidationException"
        assert "ml.g5.12xlarge" in said


def test_the_patches_end_with_the_server() -> None:
    with strict_server("ca-central-1"):
        pass
    with plain_server("ca-central-1") as server:
        server.client().create_training_job(**body("CreateTrainingJob") | {"TrainingJobName": "bad_name!"})
