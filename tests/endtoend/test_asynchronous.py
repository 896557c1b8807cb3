"""An endpoint with a queue, run by its scripts: made, asked by the printed commands, scaled from zero, and undone."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from deployed import ALARM, ALONE, NAME, NOTHING, REAL, UNDO, Run, endpoint, killed_and_run_again, made, running, sent
from moto_strict import Server

QUEUED = "deployment.async_inference={output: 's3://heartbeat/answers', failures: 's3://heartbeat/failed/'}"
FROM_ZERO = "deployment.autoscaling={min: 0, max: 3}"
WAITING = f"{NAME}-candidate-waiting"
SCALED = (ALONE, QUEUED, FROM_ZERO)


@pytest.fixture
def run(sagemaker_server: Server, tmp_path: Path) -> Iterator[Run]:
    place = {"LocationConstraint": sagemaker_server.region}
    sagemaker_server.client("s3").create_bucket(Bucket="heartbeat", CreateBucketConfiguration=place)
    with running(sagemaker_server, tmp_path) as run:
        yield run


class TestMaking:
    def test_the_configuration_has_the_queue(self, run: Run, sagemaker_server: Server) -> None:
        done = run(ALONE, QUEUED)
        assert (done.returncode, done.stderr) == (0, "")
        name = endpoint(sagemaker_server)["EndpointConfigName"]
        (body,) = (body for operation, body in sagemaker_server.requests if operation == "CreateEndpointConfig")
        assert body["EndpointConfigName"] == name
        assert body["AsyncInferenceConfig"] == {
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
            "OutputConfig": {"S3OutputPath": "s3://heartbeat/answers/", "S3FailurePath": "s3://heartbeat/failed/"},
        }
        assert made(sagemaker_server)["alarms"] == [ALARM]

    def test_an_alarm_starts_the_first_instance(self, run: Run, sagemaker_server: Server) -> None:
        done = run(*SCALED)
        assert (done.returncode, done.stderr) == (0, "")
        assert set(made(sagemaker_server)["alarms"]) >= {ALARM, WAITING}
        scaling = sagemaker_server.client("application-autoscaling")
        (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 3)
        found = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
        arns = {policy["PolicyType"]: policy["PolicyARN"] for policy in found}
        assert set(arns) == {"TargetTrackingScaling", "StepScaling"}
        alarms = sagemaker_server.client("cloudwatch").describe_alarms(AlarmNames=[WAITING])
        (alarm,) = alarms["MetricAlarms"]
        assert alarm["AlarmActions"] == [arns["StepScaling"]]
        assert alarm["MetricName"] == "HasBacklogWithoutCapacity"

    def test_it_is_made_once_and_undone(self, run: Run, sagemaker_server: Server) -> None:
        run(*SCALED)
        before = made(sagemaker_server)
        assert run(*SCALED).returncode == 0
        assert made(sagemaker_server) == before
        assert sent(sagemaker_server) == ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"]
        listed = run(*SCALED, script="teardown.sh", words=("--list",))
        for name in (ALARM, WAITING):
            assert f"  alarm {name}\n" in listed.stdout
        assert run(*SCALED, **UNDO).returncode == 0
        assert made(sagemaker_server) == NOTHING

    def test_the_alarm_is_undone_where_the_spec_has_no_queue_any_more(self, run: Run, sagemaker_server: Server) -> None:
        run(*SCALED)
        assert run(ALONE, **UNDO).returncode == 0
        assert made(sagemaker_server) == NOTHING

    def test_an_alarm_of_somebody_else_is_left_as_it_is(self, run: Run, sagemaker_server: Server) -> None:
        watch = sagemaker_server.client("cloudwatch")
        watch.put_metric_alarm(
            AlarmName=WAITING,
            Namespace="Other",
            MetricName="Other",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
        )
        done = run(*SCALED)
        assert done.returncode == 1
        assert f"alarm {WAITING} exists and was not made by this deployment" in done.stderr
        run(*SCALED, **UNDO)
        assert made(sagemaker_server) == NOTHING | {"alarms": [WAITING]}

    @pytest.mark.skipif(REAL is not None, reason="one call of the AWS CLI takes a second, and these are hundreds")
    @pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.long)])
    def test_both_scripts_may_be_killed_anywhere(
        self, step: int, run: Run, sagemaker_server: Server, tmp_path: Path
    ) -> None:
        killed_and_run_again(run, SCALED, sagemaker_server, tmp_path, step)


class TestAsking:
    def test_the_printed_commands_send_the_first_request(
        self, run: Run, sagemaker_server: Server, tmp_path: Path
    ) -> None:
        done = run(ALONE, QUEUED)
        _, _, commands = done.stdout.partition("at the OutputLocation that it says:\n")
        assert [line.split()[:3] for line in commands.splitlines()[1:]] == [
            ["aws", "s3", "cp"],
            ["aws", "sagemaker-runtime", "invoke-endpoint-async"],
        ]
        environment = {**os.environ, "PATH": f"{tmp_path / 'shims'}:/usr/bin:/bin"}
        script = "set -e\n" + commands
        asked = subprocess.run(["bash", "-c", script], env=environment, cwd="/", capture_output=True, text=True)
        assert (asked.returncode, asked.stderr) == (0, "")
        found = re.search(r's3://heartbeat/(answers/[^"]+)', asked.stdout.rpartition("OutputLocation")[2])
        assert found is not None
        body = sagemaker_server.client("s3").get_object(Bucket="heartbeat", Key=found[1])["Body"].read()
        assert body == b'{"model": "candidate"}'

    def test_it_takes_no_request_that_is_answered_at_once(self, run: Run, sagemaker_server: Server) -> None:
        run(ALONE, QUEUED)
        client = sagemaker_server.client("sagemaker-runtime")
        with pytest.raises(ClientError, match="does not support this inference type"):
            client.invoke_endpoint(EndpointName=NAME, Body=b"{}")
