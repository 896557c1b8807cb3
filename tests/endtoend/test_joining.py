"""An A/B test, run by its scripts: it joins a live endpoint, leaves the baseline as it is, and is taken out again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deployed import NAME, NOTHING, REAL, UNDO, Run, attempt, calls, compiled, endpoint, made, running, sent
from moto_strict import Server

from hbspec.plan.training_job import deployment_of_test

LIVE, BASELINE = "heartbeat-live", "llama-4-scout-model"
TEST = deployment_of_test(NAME, LIVE)
DIGEST = re.compile(rf"{TEST}-[0-9a-f]{{12}}")
ALARM = f"{TEST}-challenger-errors"
VARIANT = {
    "VariantName": "AllTraffic",
    "ModelName": BASELINE,
    "InstanceType": "ml.p4de.24xlarge",
    "InitialInstanceCount": 2,
    "InitialVariantWeight": 1.0,
    "InferenceAmiVersion": "al2-ami-sagemaker-inference-gpu-2",
    "ContainerStartupHealthCheckTimeoutInSeconds": 1234,
}
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 10,
    "DestinationS3Uri": "s3://heartbeat/captured/",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}
HALF = "deployment.ab_test.candidate_weight=0.5"
SHADOW = "deployment.ab_test.shadow=true"


@pytest.fixture
def run(sagemaker_server: Server, tmp_path: Path) -> Iterator[Run]:
    with running(sagemaker_server, tmp_path) as run:
        yield run


def serve(server: Server, *variants: dict[str, Any]) -> None:
    """An endpoint that somebody else has made."""
    client = server.client()
    role = "arn:aws:iam::111122223333:role/Other"
    image = "763104351884.dkr.ecr.ca-central-1.amazonaws.com/djl-inference:0.30.0-lmi12.0.0-cu124"
    for name in {variant["ModelName"] for variant in variants}:
        client.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": image})
    client.create_endpoint_config(
        EndpointConfigName="heartbeat-today", ProductionVariants=variants, DataCaptureConfig=CAPTURE
    )
    client.create_endpoint(EndpointName=LIVE, EndpointConfigName="heartbeat-today")
    server.requests.clear()


@pytest.fixture
def live(sagemaker_server: Server) -> dict[str, list[str]]:
    """What there is while somebody else's endpoint serves the baseline."""
    sagemaker_server.fate.answers_to = "llama-4-scout"
    serve(sagemaker_server, VARIANT)
    return made(sagemaker_server)


def configuration(server: Server) -> dict[str, Any]:
    """The live endpoint's."""
    name = endpoint(server, LIVE)["EndpointConfigName"]
    return dict(server.client().describe_endpoint_config(EndpointConfigName=name))


def shares(server: Server) -> dict[str, float]:
    return {entry["VariantName"]: entry["CurrentWeight"] for entry in endpoint(server, LIVE)["ProductionVariants"]}


def taken_out(run: Run, *overrides: str) -> None:
    done = run(*overrides, script="teardown.sh", words=("--yes",))
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("live")
class TestJoining:
    def test_the_baseline_keeps_what_it_has(self, run: Run, sagemaker_server: Server) -> None:
        done = run()
        assert (done.returncode, done.stderr) == (0, "")
        found = configuration(sagemaker_server)
        assert DIGEST.fullmatch(found["EndpointConfigName"])
        baseline, challenger = found["ProductionVariants"]
        assert baseline == VARIANT | {"InitialVariantWeight": 0.9}
        assert challenger["VariantName"] == "challenger"
        assert challenger["ModelName"] in made(sagemaker_server)["models"]
        assert DIGEST.fullmatch(challenger["ModelName"])
        assert challenger["InstanceType"] == "ml.g5.12xlarge"
        assert found["DataCaptureConfig"] == CAPTURE
        assert shares(sagemaker_server) == {"AllTraffic": pytest.approx(0.9), "challenger": pytest.approx(0.1)}
        assert sent(sagemaker_server) == ["CreateModel", "CreateEndpointConfig", "UpdateEndpoint"]
        update = sagemaker_server.requests[-1][1]
        assert update["DeploymentConfig"]["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": ALARM}]}
        assert update["EndpointName"] == LIVE
        assert "The configuration before, heartbeat-today, is kept." in done.stdout
        assert f"--endpoint-name {LIVE} --target-variant challenger" in done.stdout

    def test_the_same_test_is_joined_once(self, run: Run, sagemaker_server: Server) -> None:
        run()
        before, operations = made(sagemaker_server), len(sent(sagemaker_server))
        again = run()
        assert (again.returncode, again.stderr) == (0, "")
        assert made(sagemaker_server) == before
        assert len(sent(sagemaker_server)) == operations

    def test_other_shares_start_no_instance(self, run: Run, sagemaker_server: Server) -> None:
        run()
        done = run(HALF)
        assert (done.returncode, done.stderr) == (0, "")
        assert sent(sagemaker_server)[3:] == ["UpdateEndpointWeightsAndCapacities"]
        assert shares(sagemaker_server) == {"AllTraffic": pytest.approx(0.5), "challenger": pytest.approx(0.5)}

    def test_another_candidate_takes_the_place_of_the_first(self, run: Run, sagemaker_server: Server) -> None:
        run()
        first = configuration(sagemaker_server)
        done = run("deployment.max_model_len=2048")
        assert (done.returncode, done.stderr) == (0, "")
        second = configuration(sagemaker_server)
        assert [entry["VariantName"] for entry in second["ProductionVariants"]] == ["AllTraffic", "challenger"]
        assert second["ProductionVariants"][1]["ModelName"] != first["ProductionVariants"][1]["ModelName"]
        taken_out(run)
        assert endpoint(sagemaker_server, LIVE)["EndpointConfigName"] == "heartbeat-today"

    def test_instances_that_the_baseline_has_grown_to_are_kept(self, run: Run, sagemaker_server: Server) -> None:
        grown = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 5}]
        client = sagemaker_server.client()
        client.update_endpoint_weights_and_capacities(EndpointName=LIVE, DesiredWeightsAndCapacities=grown)
        run()
        counts = {
            entry["VariantName"]: entry["DesiredInstanceCount"]
            for entry in endpoint(sagemaker_server, LIVE)["ProductionVariants"]
        }
        assert counts == {"AllTraffic": 5, "challenger": 1}

    def test_a_shadow_gets_copies(self, run: Run, sagemaker_server: Server) -> None:
        done = run(SHADOW)
        assert (done.returncode, done.stderr) == (0, "")
        found = configuration(sagemaker_server)
        assert found["ProductionVariants"] == [VARIANT]
        (shadow,) = found["ShadowProductionVariants"]
        assert (shadow["VariantName"], shadow["InitialVariantWeight"]) == ("challenger", pytest.approx(0.1))
        assert "--target-variant" not in done.stdout
        assert run(SHADOW).returncode == 0
        assert sent(sagemaker_server) == ["CreateModel", "CreateEndpointConfig", "UpdateEndpoint"]
        taken_out(run, SHADOW)
        assert configuration(sagemaker_server)["EndpointConfigName"] == "heartbeat-today"

    def test_a_shadow_becomes_a_test(self, run: Run, sagemaker_server: Server) -> None:
        run(SHADOW)
        assert run().returncode == 0
        found = configuration(sagemaker_server)
        assert [entry["VariantName"] for entry in found["ProductionVariants"]] == ["AllTraffic", "challenger"]
        assert not found.get("ShadowProductionVariants")

    def test_it_joins_the_deployment_of_its_own_name(self, run: Run, sagemaker_server: Server) -> None:
        """The endpoint that the same spec has deployed without a test, which the test leaves as it was."""
        assert run("deployment.ab_test=null").returncode == 0
        before = made(sagemaker_server)
        (baseline,) = (name for name in before["models"] if name.startswith(NAME))
        current = endpoint(sagemaker_server)["EndpointConfigName"]
        own = ("deployment.ab_test.endpoint=null", f"deployment.ab_test.baseline={baseline}")
        done = run(*own)
        assert (done.returncode, done.stderr) == (0, "")
        variants = [entry["VariantName"] for entry in endpoint(sagemaker_server)["ProductionVariants"]]
        assert variants == ["candidate", "challenger"]
        taken_out(run, *own)
        assert made(sagemaker_server) == before
        assert endpoint(sagemaker_server)["EndpointConfigName"] == current


@pytest.fixture
def beside(run: Run, sagemaker_server: Server) -> tuple[str, ...]:
    """A test by the same spec of the endpoint that it has deployed: what it sets."""
    assert run("deployment.ab_test=null").returncode == 0
    (baseline,) = (name for name in made(sagemaker_server)["models"] if name.startswith(NAME))
    own = ("deployment.ab_test.endpoint=null", f"deployment.ab_test.baseline={baseline}")
    done = run(*own)
    assert (done.returncode, done.stderr) == (0, "")
    return own


class TestNotEndingAnothers:
    """A test ends where its own scripts end it, whoever else deploys to the endpoint or tears it down."""

    def test_a_second_test_of_an_endpoint_is_refused(
        self, live: dict[str, list[str]], run: Run, sagemaker_server: Server
    ) -> None:
        run()
        there, before = made(sagemaker_server), endpoint(sagemaker_server, LIVE)["EndpointConfigName"]
        attempt(sagemaker_server, name="another-training")
        done = run("name=another", words=("another-training",))
        assert done.returncode == 1
        assert f"The endpoint {LIVE} has further variants, and a test has two: challenger" in done.stderr
        assert made(sagemaker_server) == there
        assert endpoint(sagemaker_server, LIVE)["EndpointConfigName"] == before
        taken_out(run)
        assert made(sagemaker_server) == live

    def test_nor_does_it_take_the_place_of_a_shadow(
        self, live: dict[str, list[str]], run: Run, sagemaker_server: Server
    ) -> None:
        run(SHADOW)
        before = endpoint(sagemaker_server, LIVE)["EndpointConfigName"]
        attempt(sagemaker_server, name="another-training")
        assert run("name=another", words=("another-training",)).returncode == 1
        assert endpoint(sagemaker_server, LIVE)["EndpointConfigName"] == before
        taken_out(run, SHADOW)
        assert made(sagemaker_server) == live

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("changed", [(), ("deployment.max_model_len=2048",)])
    def test_a_deployment_does_not_update_its_endpoint_while_one_runs(
        self, changed: tuple[str, ...], beside: tuple[str, ...], run: Run, sagemaker_server: Server
    ) -> None:
        there, before = made(sagemaker_server), endpoint(sagemaker_server)
        done = run("deployment.ab_test=null", *changed)
        assert done.returncode == 1
        assert f"The endpoint {NAME} has a test of {deployment_of_test(NAME, NAME)}" in done.stderr
        assert made(sagemaker_server) == there
        assert endpoint(sagemaker_server)["EndpointConfigName"] == before["EndpointConfigName"]
        taken_out(run, *beside)
        assert run("deployment.ab_test=null", *changed).returncode == 0

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("word", ["--yes", "--list"])
    def test_nor_is_its_endpoint_deleted(
        self, word: str, beside: tuple[str, ...], run: Run, sagemaker_server: Server
    ) -> None:
        there = made(sagemaker_server)
        done = run("deployment.ab_test=null", script="teardown.sh", words=(word,))
        assert done.returncode == 1
        assert f"The endpoint {NAME} has a test of {deployment_of_test(NAME, NAME)}" in done.stderr
        assert made(sagemaker_server) == there
        taken_out(run, *beside)
        taken_out(run, "deployment.ab_test=null")
        assert made(sagemaker_server) == NOTHING

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("call", ["list-tags", "list-endpoint-configs"])
    def test_a_question_that_fails_is_not_taken_for_no_test(
        self, call: str, beside: tuple[str, ...], run: Run, sagemaker_server: Server, tmp_path: Path
    ) -> None:
        """Whichever of the questions of its kind: none of them may end the test."""
        before = endpoint(sagemaker_server)["EndpointConfigName"]
        shim = tmp_path / "shims/aws"
        whole = shim.read_text()
        for which in range(1, 5):
            count = tmp_path / "asked"
            count.write_text("0")
            failing = (
                f'if [ "$2" = {call} ]; then asked=$(($(< "{count}") + 1)); echo $asked > "{count}"; '
                f"if [ $asked = {which} ]; then exit 255; fi; fi\n"
            )
            shim.write_text(whole.replace("\n", f"\n{failing}", 1))
            assert run("deployment.ab_test=null").returncode != 0
            assert run("deployment.ab_test=null", **UNDO).returncode != 0
            assert endpoint(sagemaker_server)["EndpointConfigName"] == before
        shim.write_text(whole)


class TestTakingOut:
    def test_nothing_of_others_is_lost(self, live: dict[str, list[str]], run: Run, sagemaker_server: Server) -> None:
        scaled = "deployment.autoscaling={min: 1, max: 3}"
        run(scaled)
        listed = run(scaled, script="teardown.sh", words=("--list",))
        for line in (
            f"variant challenger of endpoint {LIVE}, which goes back to configuration heartbeat-today",
            "autoscaling of variant challenger",
            f"alarm {ALARM}",
        ):
            assert f"  {line}\n" in listed.stdout
        done = run(scaled, script="teardown.sh", words=("--yes",))
        assert (done.returncode, done.stderr) == (0, "")
        assert made(sagemaker_server) == live
        assert endpoint(sagemaker_server, LIVE)["EndpointConfigName"] == "heartbeat-today"
        assert shares(sagemaker_server) == {"AllTraffic": 1.0}

    @pytest.mark.skipif(REAL is not None, reason="one call of the AWS CLI takes a second, and these are hundreds")
    @pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.long)])
    def test_both_scripts_may_be_killed_anywhere(
        self, step: int, live: dict[str, list[str]], run: Run, sagemaker_server: Server, tmp_path: Path
    ) -> None:
        run()
        joining, expected = calls(tmp_path), made(sagemaker_server)
        taken_out(run)
        leaving = calls(tmp_path)
        assert joining > 15
        for number in range(2, joining + 1, step):
            assert run(killed=number).returncode == -9
            done = run()
            assert (done.returncode, done.stderr) == (0, ""), number
            assert made(sagemaker_server) == expected, number
            assert shares(sagemaker_server) == {"AllTraffic": pytest.approx(0.9), "challenger": pytest.approx(0.1)}
            assert run(script="teardown.sh", words=("--yes",), killed=min(number, leaving)).returncode == -9
            taken_out(run)
            assert made(sagemaker_server) == live, number


class TestRefusing:
    def test_an_endpoint_that_is_not_there(self, run: Run, sagemaker_server: Server) -> None:
        done = run()
        assert done.returncode == 1
        assert f"There is no endpoint {LIVE}." in done.stderr
        assert sent(sagemaker_server) == []

    def test_a_baseline_that_it_does_not_serve(
        self, live: dict[str, list[str]], run: Run, sagemaker_server: Server
    ) -> None:
        done = run("deployment.ab_test.baseline=another")
        assert done.returncode == 1
        assert f"The endpoint {LIVE} does not serve the baseline another." in done.stderr
        assert made(sagemaker_server) == live

    def test_a_name_that_the_baseline_does_not_answer_to(
        self, live: dict[str, list[str]], run: Run, sagemaker_server: Server
    ) -> None:
        done = run("deployment.ab_test.served_model_name=llama")
        assert done.returncode == 1
        assert "The model `llama` does not exist." in done.stderr
        assert "Set deployment.ab_test.served_model_name" in done.stderr
        assert made(sagemaker_server) == live

    def test_an_endpoint_with_a_third_variant(self, run: Run, sagemaker_server: Server) -> None:
        serve(sagemaker_server, VARIANT, VARIANT | {"VariantName": "third", "ModelName": "third-model"})
        done = run()
        assert done.returncode == 1
        assert f"The endpoint {LIVE} has further variants, and a test has two: third" in done.stderr
        assert sent(sagemaker_server) == []

    @pytest.mark.parametrize(
        ("names", "said"),
        [(("one", "two"), "more than one variant of llama-4-scout-model"), (("challenger",), "called challenger, as")],
    )
    def test_a_baseline_that_is_not_one_variant(
        self, names: tuple[str, ...], said: str, run: Run, sagemaker_server: Server
    ) -> None:
        serve(sagemaker_server, *(VARIANT | {"VariantName": name} for name in names))
        done = run()
        assert done.returncode == 1
        assert said in done.stderr
        assert sent(sagemaker_server) == []

    def test_an_update_that_is_rolled_back(
        self, live: dict[str, list[str]], run: Run, sagemaker_server: Server
    ) -> None:
        sagemaker_server.fate.update_fails = "an alarm went off"
        done = run()
        assert done.returncode == 1
        assert "the endpoint answers with heartbeat-today, as before" in done.stderr
        sagemaker_server.fate.update_fails = ""
        taken_out(run)
        assert made(sagemaker_server) == live


def test_the_bodies_say_what_the_script_fills_in() -> None:
    files = {file.path: file.content for file in compiled("deployment")}
    assert "create_endpoint.json" not in files
    config = json.loads(files["create_endpoint_config.json"])
    assert config["ProductionVariants"][0] == {
        "VariantName": "baseline",
        "ModelName": BASELINE,
        "InitialVariantWeight": 0.9,
    }
    assert {"Key": "hbspec:before", "Value": "CONFIGURATION"} in config["Tags"]
