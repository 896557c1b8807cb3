"""What is compiled, sent by boto3 to a SageMaker that judges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto_strict import Server

from hbspec.api import compile_spec

ROOT = Path(__file__).parents[2]
SPECS = (ROOT / "specs/heartbeat-as-written.yaml", ROOT / "specs/heartbeat.yaml")
NAME = "heartbeat-deepseek-r1-qwen-32b"


def bodies(spec: Path, target: str, *overrides: str) -> dict[str, Any]:
    return {
        file.path: json.loads(file.content)
        for file in compile_spec(spec, target, overrides=("evaluation=[]", *overrides), force=True)
        if file.path.startswith("create_")
    }


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_the_training_job_is_taken_as_compiled(spec: Path, sagemaker_server: Server) -> None:
    (body,) = bodies(spec, "sagemaker").values()
    client = sagemaker_server.client()
    client.create_training_job(**body)
    assert sagemaker_server.requests == [("CreateTrainingJob", body)]
    described = client.describe_training_job(TrainingJobName=body["TrainingJobName"])
    for member in ("HyperParameters", "ResourceConfig", "StoppingCondition", "InputDataConfig", "OutputDataConfig"):
        assert described[member] == body[member]
    assert described["AlgorithmSpecification"]["ContainerEntrypoint"] == ["/bin/bash"]


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_the_endpoint_comes_up(spec: Path, sagemaker_server: Server) -> None:
    compiled, client = bodies(spec, "deployment", "deployment.ab_test=null"), sagemaker_server.client()
    client.create_model(**compiled["create_model.json"])
    client.create_endpoint_config(**compiled["create_endpoint_config.json"])
    client.create_endpoint(**compiled["create_endpoint.json"])
    described = client.describe_endpoint(EndpointName=NAME)
    assert described["EndpointStatus"] == "InService"
    assert [operation for operation, _ in sagemaker_server.requests] == [
        *("CreateModel", "CreateEndpointConfig", "CreateEndpoint")
    ]


def test_the_server_would_have_refused_a_wrong_one(sagemaker_server: Server) -> None:
    (body,) = bodies(SPECS[1], "sagemaker").values()
    body["ResourceConfig"]["InstanceType"] = "ml.p4d.96xlarge"
    with pytest.raises(ClientError, match=r"ml\.p4d\.96xlarge"):
        sagemaker_server.client().create_training_job(**body)
