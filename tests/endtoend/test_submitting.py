"""`submit.sh` and `deploy.sh`, run: a job is started once, nobody's files are lost, the trained model is deployed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_double import REFUSED, aws_double
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto_strict import Server

from hbspec.api import compile_spec
from hbspec.targets.lowering.artifact import Artifact

SPEC = Path(__file__).parents[2] / "specs/heartbeat.yaml"
STARTED_ALREADY = 3
BUCKET = "heartbeat"
Run = Callable[..., subprocess.CompletedProcess[str]]


@cache
def compiled(target: str, *overrides: str, force: bool = False) -> list[Artifact]:
    alone = ("evaluation=[]",) if target == "deployment" else ()  # without its gate
    return compile_spec(SPEC, target, overrides=(*alone, *overrides), force=force)


@pytest.fixture
def run(sagemaker_server: Server, tmp_path: Path) -> Iterator[Run]:
    """Compiles a target of the spec and runs its script in a world whose only `aws` is the double."""
    sagemaker_server.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": sagemaker_server.region}
    )

    def run(
        target: str,
        *overrides: str,
        arguments: tuple[str, ...] = (),
        edited: str = "",
        added: str = "",
        force: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        for file in compiled(target, *overrides, force=force):
            path = tmp_path / target / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content + b"\n" * (file.path == edited))
        if added:
            (tmp_path / target / added).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / target / added).write_bytes(b"1\n")
        script = tmp_path / target / {"sagemaker": "submit.sh", "deployment": "deploy.sh"}[target]
        return subprocess.run(
            ["bash", str(script), *arguments],
            env={**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    with aws_double(sagemaker_server, tmp_path):
        yield run


def jobs(server: Server) -> dict[str, Any]:
    """The jobs that moto keeps, which a test may give another status."""
    return dict(sagemaker_backends[DEFAULT_ACCOUNT_ID][server.region].training_jobs)


def keys(server: Server) -> set[str]:
    listed = server.client("s3").list_objects_v2(Bucket=BUCKET)
    return {entry["Key"] for entry in listed.get("Contents", ())}


def started(server: Server) -> list[dict[str, Any]]:
    return [body for operation, body in server.requests if operation == "CreateTrainingJob"]


def test_a_job_is_started_once(run: Run, sagemaker_server: Server) -> None:
    first = run("sagemaker")
    assert first.returncode == 0, first.stderr
    (body,) = started(sagemaker_server)
    code = next(channel for channel in body["InputDataConfig"] if channel["ChannelName"] == "code")
    folder = code["DataSource"]["S3DataSource"]["S3Uri"].removeprefix(f"s3://{BUCKET}/")
    assert {f"{folder}launch.sh", f"{folder}train.py"} <= keys(sagemaker_server)
    for status in ("InProgress", "Stopping", "Completed", "Deleting"):
        jobs(sagemaker_server)[body["TrainingJobName"]].training_job_status = status
        again = run("sagemaker")
        assert again.returncode == STARTED_ALREADY
        assert f"this job was already started ({status})" in again.stderr
        assert f"describe-training-job --region ca-central-1 --training-job-name {body['TrainingJobName']}" in (
            again.stderr
        )
    assert len(started(sagemaker_server)) == 1


def test_what_failed_or_was_stopped_goes_on_from_its_checkpoints(run: Run, sagemaker_server: Server) -> None:
    for status in ("Failed", "Stopped", "Completed"):
        assert run("sagemaker").returncode == 0
        jobs(sagemaker_server)[started(sagemaker_server)[-1]["TrainingJobName"]].training_job_status = status
    assert run("sagemaker").returncode == STARTED_ALREADY, "the third attempt completed"
    first, second, third = started(sagemaker_server)
    name = first["TrainingJobName"]
    assert [second["TrainingJobName"], third["TrainingJobName"]] == [f"{name}-2", f"{name}-3"]
    alarms = sagemaker_server.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {alarm["AlarmName"] for alarm in alarms} == {
        f"{name}-{watched}" for watched in ("loss", "gpu-memory", "slow-steps", "fast-steps", "gradient-norm")
    }
    assert {dimension["Value"] for alarm in alarms for dimension in alarm.get("Dimensions", ())} == {f"{name}-3"}
    dashboard = sagemaker_server.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    assert f'"{name}-3"' in dashboard
    assert f'"{name}-3/algo-1"' in dashboard
    assert f'"{name}"' not in dashboard
    assert first | {"TrainingJobName": ""} == second | {"TrainingJobName": ""} == third | {"TrainingJobName": ""}
    assert first["CheckpointConfig"]["S3Uri"] == f"s3://{BUCKET}/models/{name}/checkpoints/"


@pytest.mark.one_in(3)
@pytest.mark.parametrize("edited", ["create_training_job.json", "source/train.py", "source/launch.sh"])
def test_what_was_edited_since_is_not_started_under_the_old_name(
    edited: str, run: Run, sagemaker_server: Server
) -> None:
    changed = run("sagemaker", edited=edited)
    assert changed.returncode == 1
    assert changed.stderr.startswith(f"{edited} was changed since it was compiled.")
    assert (started(sagemaker_server), keys(sagemaker_server)) == ([], set())
    assert run("sagemaker").returncode == 0


@pytest.mark.one_in(5)
@pytest.mark.parametrize(
    "added", ["source/json.py", "source/.env", "source/more/its own.py", "source/new\nline.py", "source/train.py\n"]
)
def test_what_was_added_since_is_neither_uploaded_nor_run_under_the_old_name(
    added: str, run: Run, sagemaker_server: Server, tmp_path: Path
) -> None:
    """A module beside the script is imported in the place of a library's; a file with a secret leaves this machine."""
    changed = run("sagemaker", added=added)
    assert changed.returncode == 1
    assert changed.stderr.startswith(f"{added.splitlines()[0]} was added since it was compiled")
    assert (started(sagemaker_server), keys(sagemaker_server)) == ([], set())
    (tmp_path / "sagemaker" / added).unlink()
    assert run("sagemaker").returncode == 0


def test_a_link_to_a_folder_of_somebody_is_not_uploaded(run: Run, sagemaker_server: Server, tmp_path: Path) -> None:
    """The AWS CLI follows links."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/weights.bin").write_bytes(b"theirs")
    (tmp_path / "sagemaker/source").mkdir(parents=True)
    (tmp_path / "sagemaker/source/linked").symlink_to(tmp_path / "theirs")
    assert run("sagemaker").returncode == 1
    assert (started(sagemaker_server), keys(sagemaker_server)) == ([], set())


@pytest.mark.one_in(4)
@pytest.mark.parametrize("left", [".DS_Store", "Thumbs.db", "__pycache__/train.cpython-311.pyc", "more/.DS_Store"])
def test_what_systems_and_python_leave_stops_nothing(left: str, run: Run) -> None:
    done = run("sagemaker", added=f"source/{left}")
    assert done.returncode == 0, done.stderr


def test_a_longer_limit_goes_on_with_the_same_job(run: Run, sagemaker_server: Server) -> None:
    run("sagemaker", "instance.max_runtime=3h")
    jobs(sagemaker_server)[started(sagemaker_server)[0]["TrainingJobName"]].training_job_status = "Stopped"
    assert run("sagemaker", "instance.max_runtime=4h").returncode == 0
    stopped, longer = started(sagemaker_server)
    assert longer["TrainingJobName"] == f"{stopped['TrainingJobName']}-2"
    assert longer["CheckpointConfig"] == stopped["CheckpointConfig"]


def test_the_last_attempt_counts_where_earlier_ones_were_deleted(run: Run, sagemaker_server: Server) -> None:
    run("sagemaker")
    name = started(sagemaker_server)[0]["TrainingJobName"]
    jobs(sagemaker_server)[name].training_job_status = "Failed"
    run("sagemaker")
    jobs(sagemaker_server)[f"{name}-2"].training_job_status = "InProgress"
    del sagemaker_backends[DEFAULT_ACCOUNT_ID][sagemaker_server.region].training_jobs[name]
    assert run("sagemaker").returncode == STARTED_ALREADY


def test_a_job_whose_name_only_contains_this_one_is_another(run: Run, sagemaker_server: Server) -> None:
    run("sagemaker")
    (body,) = started(sagemaker_server)
    name = body["TrainingJobName"]
    kept = sagemaker_backends[DEFAULT_ACCOUNT_ID][sagemaker_server.region].training_jobs
    del kept[name]
    for other in (f"x{name}", f"{name}-0a1b2c3d4e5f", f"{name}-02", f"{name}-x"):
        sagemaker_server.client().create_training_job(**body | {"TrainingJobName": other[-63:]})
    assert run("sagemaker").returncode == 0
    assert name in kept


def test_a_race_that_was_lost_says_the_same(
    run: Run, sagemaker_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("sagemaker")
    nothing = {"TrainingJobSummaries": []}
    monkeypatch.setattr(SageMakerModelBackend, "list_training_jobs", lambda *_, **__: nothing)
    again = run("sagemaker")
    assert again.returncode == STARTED_ALREADY
    assert "this job was already started" in again.stderr


def test_what_else_the_service_refuses_is_passed_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ValidationError("no such role")

    monkeypatch.setattr(SageMakerModelBackend, "create_training_job", refuse)
    refused = run("sagemaker")
    assert refused.returncode == REFUSED
    assert "no such role" in refused.stderr
    assert "already started" not in refused.stderr


def test_nothing_in_the_bucket_is_lost(run: Run, sagemaker_server: Server) -> None:
    """Two jobs that share the prefix of their source with each other and with what others keep there."""
    others = {"train/a.jsonl", "shared/mine.txt", "shared/source/train.py", "models/old/output/model.tar.gz"}
    for key in others:
        sagemaker_server.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"theirs")
    one = (f"sagemaker.code=s3://{BUCKET}/shared",)
    assert run("sagemaker", *one).returncode == 0
    after_one = keys(sagemaker_server)
    assert run("sagemaker", *one, "hyperparameters.lora_r=8").returncode == 0
    assert others < after_one < keys(sagemaker_server)
    assert len(started(sagemaker_server)) == 2
    for key in others:
        assert sagemaker_server.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"theirs"


class TestDeploying:
    def test_there_is_nothing_to_deploy_before_a_job_completed(self, run: Run, sagemaker_server: Server) -> None:
        run("sagemaker")
        jobs(sagemaker_server)[started(sagemaker_server)[0]["TrainingJobName"]].training_job_status = "InProgress"
        refused = run("deployment", "deployment.ab_test=null")
        assert refused.returncode == 1
        assert "no attempt at this training job has completed" in refused.stderr
        assert {operation for operation, _ in sagemaker_server.requests} == {"CreateTrainingJob"}

    def test_the_model_is_that_of_the_attempt_that_completed(self, run: Run, sagemaker_server: Server) -> None:
        run("sagemaker")
        name = started(sagemaker_server)[0]["TrainingJobName"]
        jobs(sagemaker_server)[name].training_job_status = "Failed"
        run("sagemaker")
        done = run("deployment", "deployment.ab_test=null")
        assert (done.returncode, done.stderr) == (0, "")
        assert "The endpoint answers:" in done.stdout
        assert self.deployed(sagemaker_server) == f"s3://{BUCKET}/models/{name}-2/output/model.tar.gz"

    def test_another_job_can_be_named(self, run: Run, sagemaker_server: Server) -> None:
        run("sagemaker", "sagemaker.output=s3://heartbeat/elsewhere")
        name = started(sagemaker_server)[0]["TrainingJobName"]
        assert run("deployment", "deployment.ab_test=null", arguments=(name,)).returncode == 0
        assert self.deployed(sagemaker_server) == f"s3://{BUCKET}/elsewhere/{name}/output/model.tar.gz"

    WHOLE = ("hyperparameters.method=full", "hyperparameters.optim=adamw_torch", "deployment.ab_test=null")

    def test_whole_weights_leave_the_job_unpacked_and_are_served_so(self, run: Run, sagemaker_server: Server) -> None:
        assert run("sagemaker", *self.WHOLE, force=True).returncode == 0
        (job,) = started(sagemaker_server)
        assert job["OutputDataConfig"]["CompressionType"] == "NONE"
        done = run("deployment", *self.WHOLE, force=True)
        assert (done.returncode, done.stderr) == (0, "")
        (body,) = [body for operation, body in sagemaker_server.requests if operation == "CreateModel"]
        assert "ModelDataUrl" not in body["PrimaryContainer"]
        assert body["PrimaryContainer"]["ModelDataSource"]["S3DataSource"] == {
            "S3DataType": "S3Prefix",
            "S3Uri": f"s3://{BUCKET}/models/{job['TrainingJobName']}/output/model/",
            "CompressionType": "None",
        }

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize(
        ("trained", "served", "said"),
        [((), WHOLE, "its model is an archive"), (WHOLE, ("deployment.ab_test=null",), "its model is unpacked")],
    )
    def test_another_kind_of_model_than_compiled_is_refused(
        self, trained: tuple[str, ...], served: tuple[str, ...], said: str, run: Run, sagemaker_server: Server
    ) -> None:
        run("sagemaker", *trained, force=True)
        (job,) = started(sagemaker_server)
        refused = run("deployment", *served, arguments=(job["TrainingJobName"],), force=True)
        assert refused.returncode == 1
        assert said in refused.stderr
        assert {operation for operation, _ in sagemaker_server.requests} == {"CreateTrainingJob"}

    @staticmethod
    def deployed(server: Server) -> str:
        (body,) = [body for operation, body in server.requests if operation == "CreateModel"]
        return str(body["PrimaryContainer"]["ModelDataUrl"])
