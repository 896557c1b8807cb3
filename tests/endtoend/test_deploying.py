"""`deploy.sh` and `teardown.sh`, run: repeated, stopped anywhere, refused by what others have made, and undone."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployed import (
    ALARM,
    ALONE,
    DIGEST,
    NAME,
    NOTHING,
    REAL,
    SCALED,
    TAG,
    Run,
    attempt,
    calls,
    compiled,
    endpoint,
    made,
    running,
    sent,
)
from moto_strict import Server


@pytest.fixture
def run(sagemaker_server: Server, tmp_path: Path) -> Iterator[Run]:
    with running(sagemaker_server, tmp_path) as run:
        yield run


class TestRepeating:
    def test_the_same_content_is_made_once(self, run: Run, sagemaker_server: Server) -> None:
        first = run(ALONE, SCALED)
        assert (first.returncode, first.stderr) == (0, "")
        after = made(sagemaker_server)
        assert after["endpoints"] == [NAME]
        assert after["alarms"] == [ALARM]
        assert after["scaled"] == [f"endpoint/{NAME}/variant/candidate"]
        assert all(DIGEST.fullmatch(name) for name in (*after["configs"], *after["models"]))
        assert (len(after["configs"]), len(after["models"])) == (1, 1)
        again = run(ALONE, SCALED)
        assert again.stderr == ""
        assert made(sagemaker_server) == after
        assert sent(sagemaker_server) == ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"]
        assert f"has configuration {after['configs'][0]} already" in again.stdout
        assert "The endpoint answers:" in again.stdout

    def test_everything_has_the_tag(self, run: Run, sagemaker_server: Server) -> None:
        run(ALONE, "sagemaker.tags={project: heartbeat}")
        client = sagemaker_server.client()
        arns = [
            client.list_models()["Models"][0]["ModelArn"],
            client.list_endpoint_configs()["EndpointConfigs"][0]["EndpointConfigArn"],
            client.list_endpoints()["Endpoints"][0]["EndpointArn"],
        ]
        for arn in arns:
            assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "project", "Value": "heartbeat"}, TAG]
        watch = sagemaker_server.client("cloudwatch")
        (alarm,) = watch.describe_alarms()["MetricAlarms"]
        assert TAG in watch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]

    def test_another_content_is_an_update_that_keeps_the_configuration_before(
        self, run: Run, sagemaker_server: Server
    ) -> None:
        run(ALONE)
        before = endpoint(sagemaker_server)["EndpointConfigName"]
        done = run(ALONE, "deployment.max_model_len=2048")
        assert (done.returncode, done.stderr) == (0, "")
        after = endpoint(sagemaker_server)["EndpointConfigName"]
        assert after != before
        assert set(made(sagemaker_server)["configs"]) == {before, after}
        assert f"The configuration before, {before}, is kept." in done.stdout
        assert f"update-endpoint --region ca-central-1 --endpoint-name {NAME} --endpoint-config-name {before}" in (
            done.stdout
        )
        operation, body = sagemaker_server.requests[-1]
        assert (operation, body["EndpointConfigName"]) == ("UpdateEndpoint", after)
        assert body["DeploymentConfig"]["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": ALARM}]}

    def test_the_model_of_another_job_is_an_update(self, run: Run, sagemaker_server: Server) -> None:
        run(ALONE)
        name = attempt(sagemaker_server, name="another-training")
        assert run(ALONE, words=(name,)).returncode == 0
        assert sent(sagemaker_server)[3:] == ["CreateModel", "CreateEndpointConfig", "UpdateEndpoint"]

    def test_another_instance_type_of_what_scales(self, run: Run, sagemaker_server: Server) -> None:
        run(ALONE, SCALED)
        done = run(ALONE, SCALED, "deployment.instance.type=ml.g6.12xlarge", "expect=null")
        assert (done.returncode, done.stderr) == (0, "")
        assert made(sagemaker_server)["scaled"] == [f"endpoint/{NAME}/variant/candidate"]
        assert sent(sagemaker_server)[-1] == "UpdateEndpoint"

    def test_scaling_keeps_the_instances_that_there_are(self, run: Run, sagemaker_server: Server) -> None:
        run(ALONE, SCALED)
        grown = [{"VariantName": "candidate", "DesiredInstanceCount": 3}]
        sagemaker_server.client().update_endpoint_weights_and_capacities(
            EndpointName=NAME, DesiredWeightsAndCapacities=grown
        )
        run(ALONE, SCALED, "deployment.max_model_len=2048")
        (variant,) = endpoint(sagemaker_server)["ProductionVariants"]
        assert variant["DesiredInstanceCount"] == 3


@pytest.mark.skipif(REAL is not None, reason="one call of the AWS CLI takes a second, and these are hundreds")
class TestStopping:
    @pytest.mark.parametrize("before", ["nothing", pytest.param("another content", marks=pytest.mark.long)])
    @pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.long)])
    def test_a_run_that_was_killed_anywhere_is_continued(
        self, step: int, before: str, run: Run, sagemaker_server: Server, tmp_path: Path
    ) -> None:
        earlier = (ALONE, SCALED, "deployment.max_model_len=2048")
        if before != "nothing":
            run(*earlier)
        run(ALONE, SCALED)
        whole, expected = calls(tmp_path), made(sagemaker_server)
        live = endpoint(sagemaker_server)["EndpointConfigName"]
        assert whole > 10
        for number in range(2, whole + 1, step):
            assert run(ALONE, SCALED, script="teardown.sh", words=("--yes",)).returncode == 0
            assert made(sagemaker_server) == NOTHING
            if before != "nothing":
                run(*earlier)
            assert run(ALONE, SCALED, killed=number).returncode == -9
            done = run(ALONE, SCALED)
            assert (done.returncode, done.stderr) == (0, ""), number
            assert made(sagemaker_server) == expected, number
            assert endpoint(sagemaker_server)["EndpointConfigName"] == live

    @pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.long)])
    def test_a_tear_down_that_was_killed_anywhere_is_continued(
        self, step: int, run: Run, sagemaker_server: Server, tmp_path: Path
    ) -> None:
        run(ALONE, SCALED)
        run(ALONE, SCALED, script="teardown.sh", words=("--yes",))
        for number in range(2, calls(tmp_path) + 1, step):
            run(ALONE, SCALED)
            assert run(ALONE, SCALED, script="teardown.sh", words=("--yes",), killed=number).returncode == -9
            assert run(ALONE, SCALED, script="teardown.sh", words=("--yes",)).returncode == 0
            assert made(sagemaker_server) == NOTHING, number

    def test_a_change_under_way_is_waited_for(self, run: Run, sagemaker_server: Server) -> None:
        sagemaker_server.fate.looks = 1
        run(ALONE)
        before = endpoint(sagemaker_server)["EndpointConfigName"]
        assert run(ALONE, "deployment.max_model_len=2048", after="update-endpoint").returncode == -9
        assert sent(sagemaker_server)[-1] == "UpdateEndpoint"
        assert run(ALONE).returncode == 0
        assert endpoint(sagemaker_server)["EndpointConfigName"] == before
        assert run(ALONE, script="teardown.sh", words=("--yes",)).returncode == 0
        assert made(sagemaker_server) == NOTHING


class TestFailing:
    def test_a_creation_that_fails_is_explained_and_cleared_by_the_tear_down(
        self, run: Run, sagemaker_server: Server
    ) -> None:
        sagemaker_server.fate.creation_fails = "the container did not start"
        done = run(ALONE)
        assert done.returncode == 1
        assert "Failed\tthe container did not start" in done.stderr
        assert "What this deployment has made so far" in done.stderr
        for kind, name in (
            ("endpoint", NAME),
            ("alarm", ALARM),
            ("model", made(sagemaker_server)["models"][0]),
            ("endpoint-config", made(sagemaker_server)["configs"][0]),
        ):
            assert f"  {kind} {name}\n" in done.stderr
        assert "teardown.sh" in done.stderr
        assert "answers:" not in done.stdout

        again = run(ALONE)
        assert again.returncode == 1
        assert "can only be deleted: run teardown.sh" in again.stderr

        assert run(ALONE, script="teardown.sh", words=("--yes",)).returncode == 0
        assert made(sagemaker_server) == NOTHING
        sagemaker_server.fate.creation_fails = ""
        assert run(ALONE).returncode == 0

    def test_an_update_that_is_rolled_back_is_no_success(self, run: Run, sagemaker_server: Server) -> None:
        run(ALONE)
        before = endpoint(sagemaker_server)["EndpointConfigName"]
        sagemaker_server.fate.update_fails = "an alarm went off"
        done = run(ALONE, "deployment.max_model_len=2048")
        assert done.returncode == 1
        assert "an alarm went off" in done.stderr
        assert f"was rolled back; the endpoint answers with {before}, as before" in done.stderr
        sagemaker_server.fate.update_fails = ""
        assert run(ALONE, "deployment.max_model_len=2048").returncode == 0

    def test_nothing_is_made_before_a_job_completed(self, run: Run, sagemaker_server: Server) -> None:
        done = run(ALONE, words=("no-such-job",))
        assert done.returncode != 0
        assert "What this deployment has made" not in done.stderr
        assert made(sagemaker_server) == NOTHING

    def test_a_stop_by_hand_says_what_there_is(self, run: Run, sagemaker_server: Server) -> None:
        done = run(ALONE, after="create-endpoint", signal="INT")
        assert done.returncode != 0
        kinds = [line.split()[0] for line in done.stderr.splitlines() if line.startswith("  ")]
        assert kinds == ["model", "endpoint-config", "alarm", "endpoint"]
        assert "Run deploy.sh again to go on from there, or teardown.sh" in done.stderr


class TestOthers:
    """What others have made under the same names is neither used nor deleted."""

    @pytest.fixture
    def foreign(self, run: Run, sagemaker_server: Server) -> dict[str, list[str]]:
        """An endpoint of the deployment's name, which somebody else has made."""
        client = sagemaker_server.client()
        files = {file.path: file.content for file in compiled("deployment", ALONE)}
        bodies = {name: json.loads(files[f"{name}.json"]) | {"Tags": []} for name in (
            "create_model", "create_endpoint_config", "create_endpoint",
        )}  # fmt: skip
        client.create_model(**bodies["create_model"])
        client.create_endpoint_config(**bodies["create_endpoint_config"])
        client.create_endpoint(**bodies["create_endpoint"])
        return made(sagemaker_server)

    def test_an_endpoint_of_the_same_name_is_refused(
        self, run: Run, foreign: dict[str, list[str]], sagemaker_server: Server
    ) -> None:
        done = run(ALONE)
        assert done.returncode == 1
        assert f"endpoint {NAME} exists and was not made by this deployment" in done.stderr
        assert made(sagemaker_server) == foreign

    def test_an_endpoint_of_the_same_name_is_left_alone(
        self, run: Run, foreign: dict[str, list[str]], sagemaker_server: Server
    ) -> None:
        done = run(ALONE, script="teardown.sh", words=("--yes",))
        assert (done.returncode, done.stderr) == (0, "")
        assert f"  endpoint {NAME}\n" in done.stdout
        assert "There is nothing that deploy.sh has made." in done.stdout
        assert made(sagemaker_server) == foreign

    def test_what_lacks_the_tag_is_left_alone_beside_what_has_it(self, run: Run, sagemaker_server: Server) -> None:
        run(ALONE)
        client = sagemaker_server.client()
        body = {key: value for key, value in sagemaker_server.requests[1][1].items() if key != "Tags"}
        for name in (f"{NAME}-0123456789ab", f"{NAME}-x", f"{NAME}-0123456789abc"):
            client.create_model(**body | {"ModelName": name})
        done = run(ALONE, script="teardown.sh", words=("--yes",))
        assert done.returncode == 0
        left = f"(it has no tag {TAG['Key']}={NAME}):\n  model {NAME}-0123456789ab\n"
        assert left in done.stdout
        assert len(made(sagemaker_server)["models"]) == 3

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("kind", ["alarm", "model"])
    def test_another_name_that_is_taken(self, kind: str, run: Run, sagemaker_server: Server) -> None:
        run(ALONE)
        ours = made(sagemaker_server)
        run(ALONE, script="teardown.sh", words=("--yes",))
        if kind == "alarm":
            body = json.loads(next(file.content for file in compiled("deployment", ALONE) if "alarm" in file.path))
            sagemaker_server.client("cloudwatch").put_metric_alarm(**{k: v for k, v in body.items() if k != "Tags"})
        else:
            body = next(dict(body) for operation, body in sagemaker_server.requests if operation == "CreateModel")
            sagemaker_server.client().create_model(**body | {"Tags": [{"Key": TAG["Key"], "Value": "another"}]})
        done = run(ALONE)
        name = ALARM if kind == "alarm" else ours["models"][0]
        assert done.returncode == 1
        assert f"{kind} {name} exists and was not made by this deployment" in done.stderr
        assert made(sagemaker_server)["endpoints"] == []
        run(ALONE, script="teardown.sh", words=("--yes",))
        assert made(sagemaker_server)[f"{kind}s"] == [name]


class TestAsking:
    def test_without_a_terminal_nothing_is_deleted(self, run: Run, sagemaker_server: Server) -> None:
        run(ALONE, SCALED)
        before = made(sagemaker_server)
        done = run(ALONE, SCALED, script="teardown.sh")
        assert done.returncode == 1
        assert "there is no terminal to ask at" in done.stderr
        assert made(sagemaker_server) == before

    def test_a_list_deletes_nothing(self, run: Run, sagemaker_server: Server) -> None:
        run(ALONE, SCALED)
        before = made(sagemaker_server)
        done = run(ALONE, SCALED, script="teardown.sh", words=("--list",))
        assert (done.returncode, done.stderr) == (0, "")
        assert made(sagemaker_server) == before
        for line in (
            f"endpoint {NAME}",
            "autoscaling of its variant candidate",
            f"endpoint configuration {before['configs'][0]}",
            f"model {before['models'][0]}",
            f"alarm {ALARM}",
        ):
            assert f"  {line}\n" in done.stdout

    def test_another_word_is_refused(self, run: Run) -> None:
        done = run(ALONE, script="teardown.sh", words=("--force",))
        assert (done.returncode, done.stderr) == (2, "usage: teardown.sh [--list | --yes]\n")

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(("answer", "code"), [("yes\n", 0), ("y\n", 1), ("\n", 1)])
    def test_at_a_terminal_one_is_asked(
        self, answer: str, code: int, run: Run, sagemaker_server: Server, tmp_path: Path
    ) -> None:
        run(ALONE)
        before = made(sagemaker_server)
        ours, theirs = pty.openpty()
        os.write(ours, answer.encode())
        done = subprocess.run(
            ["bash", str(tmp_path / "teardown.sh")],
            env={**os.environ, "PATH": f"{tmp_path}/shims:/usr/bin:/bin"},
            stdin=theirs,
            capture_output=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code
        assert made(sagemaker_server) == (before if code else NOTHING)
