"""An endpoint that answers at once and may have no instance: its inference component, made, updated and undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from deployed import (
    ALARM,
    ALONE,
    NAME,
    NOTHING,
    REAL,
    SCALED,
    TAG,
    UNDO,
    Run,
    attempt,
    endpoint,
    killed_and_run_again,
    made,
    running,
    sent,
)
from moto_strict import Server

FROM_ZERO = "deployment.autoscaling={min: 0, max: 3}"
HOSTED = (ALONE, FROM_ZERO)
COMPONENT = f"{NAME}-candidate"
WAITING = f"{NAME}-candidate-waiting"


@pytest.fixture
def run(sagemaker_server: Server, tmp_path: Path) -> Iterator[Run]:
    with running(sagemaker_server, tmp_path) as run:
        yield run


def served(server: Server) -> str:
    """The model of the component."""
    found = server.client().describe_inference_component(InferenceComponentName=COMPONENT)
    return str(found["Specification"]["ModelName"])


class TestMaking:
    def test_the_component_has_the_model_and_the_endpoint_has_none(self, run: Run, sagemaker_server: Server) -> None:
        done = run(*HOSTED)
        assert (done.returncode, done.stderr) == (0, "")
        after = made(sagemaker_server)
        assert after["components"] == [COMPONENT]
        assert served(sagemaker_server) == after["models"][0]
        assert sent(sagemaker_server) == [
            *("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "CreateInferenceComponent")
        ]
        body = dict(sagemaker_server.requests)["CreateInferenceComponent"]
        assert TAG in body["Tags"]
        assert f"--endpoint-name {NAME} --inference-component-name {COMPONENT}" in done.stdout

    def test_a_refused_request_starts_the_first_copy(self, run: Run, sagemaker_server: Server) -> None:
        run(*HOSTED)
        assert made(sagemaker_server)["scaled"] == [f"inference-component/{COMPONENT}"]
        scaling = sagemaker_server.client("application-autoscaling")
        found = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
        (step,) = (policy["PolicyARN"] for policy in found if policy["PolicyType"] == "StepScaling")
        (alarm,) = sagemaker_server.client("cloudwatch").describe_alarms(AlarmNames=[WAITING])["MetricAlarms"]
        assert (alarm["AlarmActions"], alarm["MetricName"]) == ([step], "NoCapacityInvocationFailures")
        assert alarm["Dimensions"] == [{"Name": "InferenceComponentName", "Value": COMPONENT}]

    def test_it_answers_by_its_name(self, run: Run, sagemaker_server: Server) -> None:
        run(*HOSTED)
        client = sagemaker_server.client("sagemaker-runtime")
        answer = client.invoke_endpoint(EndpointName=NAME, InferenceComponentName=COMPONENT, Body=b"{}")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        with pytest.raises(client.exceptions.ClientError, match="Inference Component Name"):
            client.invoke_endpoint(EndpointName=NAME, Body=b"{}")

    def test_it_is_made_once_and_undone(self, run: Run, sagemaker_server: Server) -> None:
        run(*HOSTED)
        before, operations = made(sagemaker_server), len(sent(sagemaker_server))
        again = run(*HOSTED)
        assert (again.returncode, again.stderr) == (0, "")
        assert f"The inference component {COMPONENT} has model" in again.stdout
        assert (made(sagemaker_server), len(sent(sagemaker_server))) == (before, operations)
        listed = run(*HOSTED, script="teardown.sh", words=("--list",)).stdout
        for line in (f"inference component {COMPONENT}", f"alarm {ALARM}", f"alarm {WAITING}"):
            assert f"  {line}\n" in listed
        assert run(*HOSTED, **UNDO).returncode == 0
        assert made(sagemaker_server) == NOTHING

    def test_another_model_is_an_update_of_the_component(self, run: Run, sagemaker_server: Server) -> None:
        run(*HOSTED)
        before, configuration = served(sagemaker_server), endpoint(sagemaker_server)["EndpointConfigName"]
        name = attempt(sagemaker_server, name="another-training")
        done = run(*HOSTED, words=(name,))
        assert (done.returncode, done.stderr) == (0, "")
        assert sent(sagemaker_server)[4:] == ["CreateModel", "UpdateInferenceComponent"]
        assert served(sagemaker_server) != before
        assert endpoint(sagemaker_server)["EndpointConfigName"] == configuration

    def test_a_component_that_does_not_start_is_explained(self, run: Run, sagemaker_server: Server) -> None:
        sagemaker_server.fate.component_fails = "the container did not start"
        done = run(*HOSTED)
        assert done.returncode == 1
        assert "Failed\tthe container did not start" in done.stderr
        assert f"  inference component {COMPONENT}\n" in done.stderr
        assert run(*HOSTED, **UNDO).returncode == 0
        assert made(sagemaker_server) == NOTHING

    def test_an_update_that_fails_is_no_success(self, run: Run, sagemaker_server: Server) -> None:
        run(*HOSTED)
        sagemaker_server.fate.component_fails = "the container did not start"
        done = run(*HOSTED, words=(attempt(sagemaker_server, name="another-training"),))
        assert done.returncode == 1
        assert "InService\tthe container did not start" in done.stderr


class TestOthers:
    @pytest.mark.one_in(2)
    @pytest.mark.parametrize(("before", "after"), [(HOSTED, (ALONE, SCALED)), ((ALONE,), HOSTED)])
    def test_an_endpoint_of_the_other_kind_is_not_updated(
        self, before: tuple[str, ...], after: tuple[str, ...], run: Run, sagemaker_server: Server
    ) -> None:
        run(*before)
        there = made(sagemaker_server)
        done = run(*after)
        assert done.returncode == 1
        assert "run teardown.sh, and deploy.sh again after it" in done.stderr
        assert made(sagemaker_server) == there
        assert run(*after, **UNDO).returncode == 0
        assert made(sagemaker_server) == NOTHING

    def test_a_component_that_outlives_its_endpoint_is_undone(self, run: Run, sagemaker_server: Server) -> None:
        run(*HOSTED)
        sagemaker_server.client().delete_endpoint(EndpointName=NAME)
        assert run(*HOSTED, **UNDO).returncode == 0
        assert made(sagemaker_server)["components"] == []


@pytest.mark.long
@pytest.mark.skipif(REAL is not None, reason="one call of the AWS CLI takes a second, and these are hundreds")
@pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.long)])
def test_both_scripts_may_be_killed_anywhere(step: int, run: Run, sagemaker_server: Server, tmp_path: Path) -> None:
    killed_and_run_again(run, HOSTED, sagemaker_server, tmp_path, step)
