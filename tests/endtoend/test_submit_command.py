"""`hbspec submit`, `status`, `logs` and `stop` against a local SageMaker, over HTTP."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend
from moto.sagemaker.exceptions import SagemakerClientError, ValidationError
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto_strict import Server

from hbspec.api import compile_spec
from hbspec.cli import main
from hbspec.service import client, submission

SPEC = Path(__file__).parents[2] / "specs/heartbeat.yaml"
BUCKET = "heartbeat"
RUNNING = (("InProgress", "Starting"), ("InProgress", "Training"))
STARTED_ALREADY = 3
FILES = sum(file.path.startswith("source/") for file in compile_spec(SPEC))


@pytest.fixture
def server(sagemaker_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A SageMaker whose jobs run until they are stopped, seen from an empty folder."""
    monkeypatch.chdir(tmp_path)
    sagemaker_server.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": sagemaker_server.region}
    )
    sagemaker_server.course.states = RUNNING
    return sagemaker_server


@pytest.fixture
def source_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is uploaded, which takes longest, where it is not what is shown."""
    monkeypatch.setattr(submission, "_upload", lambda *_: None)


class Keyboard(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        return True


def started(server: Server) -> list[dict[str, Any]]:
    return [body for operation, body in server.requests if operation == "CreateTrainingJob"]


def keys(server: Server) -> set[str]:
    listed = server.client("s3").list_objects_v2(Bucket=BUCKET)
    return {entry["Key"] for entry in listed.get("Contents", ())}


def watched(server: Server) -> set[str]:
    """The training jobs whose metrics the alarms are on."""
    alarms = server.client("cloudwatch").describe_alarms()["MetricAlarms"]
    of_one = [dimension for alarm in alarms for dimension in alarm.get("Dimensions", ())]
    of_some = [
        dimension
        for alarm in alarms
        for query in alarm.get("Metrics", ())
        for dimension in query.get("MetricStat", {}).get("Metric", {}).get("Dimensions", ())
    ]
    return {dimension["Value"] for dimension in (*of_one, *of_some)}


def end(server: Server, name: str, status: str) -> None:
    """A job's last state."""
    job = sagemaker_backends[DEFAULT_ACCOUNT_ID][server.region].training_jobs[name]
    job.training_job_status = job.secondary_status = status
    server.course.looks.pop(name, None)


def submit(*options: str) -> int:
    return main(["submit", str(SPEC), *options])


def test_a_dry_run_tells_every_call_and_makes_none(server, capsys):
    assert submit("--dry-run", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (started(server), keys(server)) == ([], set())
    assert submit("--yes") == 0
    (body,) = started(server)
    operations = [call["operation"] for call in told["calls"]]
    assert [*dict.fromkeys(operations)] == [
        *("ListTrainingJobs", "ListObjectsV2", "PutObject"),
        *("PutMetricAlarm", "PutDashboard", "CreateTrainingJob"),
    ]
    assert told["calls"][-1]["parameters"] == body
    assert {call["parameters"]["Key"] for call in told["calls"] if call["operation"] == "PutObject"} == keys(server)


def test_what_is_started_is_shown_first(server, capsys):
    assert submit("--dry-run") == 0
    out, err = capsys.readouterr()
    for row in ("1 x ml.p4d.24xlarge", "budget 525.00 CAD", "until max_runtime", "stopped after 4.00 h"):
        assert row in err
    assert out.startswith("sagemaker ListTrainingJobs NameContains=heartbeat-deepseek-r1-qwen-32b-")
    assert out.rstrip().endswith("one with a number after this name")


def test_a_job_is_started_once_and_repeated_if_it_failed_or_was_stopped(server, capsys):
    assert submit("--yes") == 0
    (first,) = started(server)
    name = first["TrainingJobName"]
    assert submit("--yes") == STARTED_ALREADY
    assert f"{name}: this job was already started (InProgress); nothing was started now" in capsys.readouterr().err
    for number, status in ((2, "Failed"), (3, "Stopped")):
        end(server, started(server)[-1]["TrainingJobName"], status)
        assert submit("--yes") == 0
        assert started(server)[-1] == first | {"TrainingJobName": f"{name}-{number}"}
        assert {*watched(server)} == {f"{name}-{number}"}, "the alarms watch the last attempt"
        place = first["CheckpointConfig"]["S3Uri"]
        saved = f"checkpoint-{50 * number}"
        expected = {
            2: f"begins at the first update, since no checkpoint lies in {place}",
            3: f"continues from checkpoint-100, or an older one if that is damaged, in {place}",
        }[number]
        assert expected in " ".join(capsys.readouterr().err.split())
        key = place.removeprefix(f"s3://{BUCKET}/") + f"{saved}/hbspec.json"
        server.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"{}")
    end(server, f"{name}-3", "Completed")
    assert submit("--yes") == STARTED_ALREADY
    assert len(started(server)) == 3


@pytest.mark.usefixtures("source_is_there")
def test_alarms_and_dashboard_are_there_before_the_job(server, capsys):
    assert submit("--dry-run") == 0
    told = capsys.readouterr()
    assert "5 alarms and a dashboard" in told.err
    assert told.out.count("cloudwatch PutMetricAlarm") == 5
    assert submit("--yes") == 0
    name = started(server)[0]["TrainingJobName"]
    found = server.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {alarm["AlarmName"].removeprefix(f"{name}-") for alarm in found} == {
        *("loss", "gpu-memory", "slow-steps", "fast-steps", "gradient-norm")
    }
    assert server.client("cloudwatch").list_dashboards()["DashboardEntries"][0]["DashboardName"] == name
    body = server.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    assert {widget["type"] for widget in json.loads(body)["widgets"]} == {"text", "metric", "alarm"}


@pytest.mark.usefixtures("source_is_there")
def test_a_job_without_alarms(server, capsys):
    assert submit("--yes", "--set", "monitoring.alarms=false") == 0
    assert server.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert "alarms" not in capsys.readouterr().err


@pytest.mark.usefixtures("source_is_there")
def test_json_says_what_was_started(server, capsys):
    assert submit("--yes", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["arn"].endswith(f"training-job/{told['name']}")
    assert (told["number"], told["status"], told["region"]) == (1, "", "ca-central-1")


@pytest.mark.usefixtures("source_is_there")
@pytest.mark.one_in(2)
@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("yes\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
def test_it_asks(answer, code, server, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", Keyboard(answer))
    assert submit() == code
    assert len(started(server)) == (code == 0)
    assert "? [y/N]" in capsys.readouterr().err


def test_nobody_there_to_answer(server, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert submit() == 2
    assert "give --yes" in capsys.readouterr().err
    assert (started(server), keys(server)) == ([], set())


def test_a_spec_that_changes_while_it_asks(server, monkeypatch, tmp_path, capsys):
    spec = tmp_path / "spec.yaml"
    written = SPEC.read_text().replace("./heartbeat", f"{SPEC.parent}/heartbeat")
    spec.write_text(written)

    class Editor(Keyboard):
        def readline(self, *_: Any) -> str:
            spec.write_text(written.replace("learning_rate: 1e-4", "learning_rate: 2e-4"))
            return "y\n"

    monkeypatch.setattr("sys.stdin", Editor())
    assert main(["submit", str(spec), "--allow-outside"]) == 2
    assert "changed while its job was shown" in capsys.readouterr().err
    assert started(server) == []


def test_a_spec_that_changed_since_it_was_compiled(server, capsys):
    assert main(["compile", str(SPEC)]) == 0
    capsys.readouterr()
    assert submit("--yes", "--set", "hyperparameters.learning_rate=2e-4") == 2
    assert "changed since build/heartbeat-deepseek-r1-qwen-32b/sagemaker was written" in capsys.readouterr().err
    assert started(server) == []
    assert submit("--yes") == 0


def test_a_spec_with_errors(server, capsys):
    assert submit("--yes", "--set", "hyperparameters.lr_scheduler_type=nope") == 1
    assert "HB219" in capsys.readouterr().err
    assert started(server) == []


def test_a_budget_that_is_certainly_exceeded_though_a_comment_allows_it(server, tmp_path, capsys):
    spec = tmp_path / "spec.yaml"
    text = SPEC.read_text().replace("./heartbeat", f"{SPEC.parent}/heartbeat")
    spec.write_text(text.replace("max_cost: 525 CAD", "max_cost: 1 CAD # hbspec: allow HB303, HB302"))
    assert main(["submit", str(spec), "--yes", "--allow-outside"]) in (1, 2)
    assert started(server) == []


@pytest.mark.one_in(3)
@pytest.mark.parametrize("failing", [0, 7, FILES - 1])
def test_an_upload_that_fails(failing, server, monkeypatch, capsys):
    putting, made = S3Backend.put_object, []

    def put_object(self: Any, *args: Any, **kwargs: Any) -> Any:
        if len(made) == failing:
            raise S3ClientError("AccessDenied", "no")
        made.append(args)
        return putting(self, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(S3Backend, "put_object", put_object)
        assert submit("--yes") == 1
    there = f"{failing} of {FILES} files lie in s3://heartbeat/" if failing else "nothing was uploaded"
    assert f"No job was started; {there}" in capsys.readouterr().err
    assert (len(keys(server)), started(server)) == (failing, [])
    assert submit("--yes") == 0, "the next submission goes on"
    assert len(keys(server)) == FILES


def test_a_file_of_somebody_else_beside_the_source(server, capsys):
    assert submit("--yes") == 0
    name = started(server)[0]["TrainingJobName"]
    end(server, name, "Failed")
    server.client("s3").put_object(Bucket=BUCKET, Key=f"models/{name}/code/sitecustomize.py", Body=b"")
    assert submit("--yes") == 1
    assert f"s3://heartbeat/models/{name}/code/sitecustomize.py is not a file of {name}" in capsys.readouterr().err
    assert len(started(server)) == 1


def test_a_request_that_the_service_refuses(server, monkeypatch, capsys):
    def refused(*_: Any, **__: Any) -> Any:
        raise ValidationError("ResourceLimitExceeded: 0 Instances of ml.p4d.24xlarge")

    monkeypatch.setattr(SageMakerModelBackend, "create_training_job", refused)
    assert submit("--yes") == 1
    said = capsys.readouterr().err
    assert "0 Instances of ml.p4d.24xlarge" in said
    assert f"No job was started; {FILES} of {FILES} files lie in" in said


@pytest.mark.usefixtures("source_is_there")
def test_a_region_without_instances_names_the_alternatives_and_starts_none(server, monkeypatch, capsys):
    class LimitError(SagemakerClientError):
        code = "ResourceLimitExceeded"

    def refused(*_: Any, **__: Any) -> Any:
        raise LimitError("The account-level service limit 'ml.p4d.24xlarge for training job usage' is 0 Instances")

    with monkeypatch.context() as patched:
        patched.setattr(SageMakerModelBackend, "create_training_job", refused)
        assert submit("--yes") == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "Alternatives" in said
    assert "dearer than ml.p4d.24xlarge" in said
    assert f"hbspec submit {SPEC} --set instance.type=ml.p5.48xlarge" in said
    assert len(started(server)) == 1, "the one that was refused"


@pytest.mark.usefixtures("source_is_there")
def test_an_answer_that_is_lost(server, monkeypatch, capsys):
    """The job exists, and nobody was told so."""
    monkeypatch.setattr(client, "ATTEMPTS", 1)
    creating = SageMakerModelBackend.create_training_job

    def lost(*args: Any, **kwargs: Any) -> Any:
        creating(*args, **kwargs)
        raise RuntimeError("which moto answers with 500")

    monkeypatch.setattr(SageMakerModelBackend, "create_training_job", lost)
    assert submit("--yes") == STARTED_ALREADY
    assert "this job was already started (InProgress)" in capsys.readouterr().err


def test_a_service_that_fails_before_it_starts_the_job(server, monkeypatch, capsys):
    monkeypatch.setattr(client, "ATTEMPTS", 1)

    def failed(*_: Any, **__: Any) -> Any:
        raise RuntimeError("which moto answers with 500")

    monkeypatch.setattr(SageMakerModelBackend, "create_training_job", failed)
    assert submit("--yes") == 1
    assert f"No job was started; {FILES} of {FILES} files lie in" in capsys.readouterr().err


@pytest.mark.one_in(2)
@pytest.mark.parametrize("command", ["submit", "status", "logs", "stop"])
def test_no_network(command, server, monkeypatch, capsys):
    monkeypatch.setattr(client, "ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert main([command, str(SPEC), *(["--yes"] if command in ("submit", "stop") else [])]) == 1
    said = capsys.readouterr().err
    assert "Could not connect to the endpoint" in said
    assert "check the network" in said
    assert "Traceback" not in said


@pytest.mark.one_in(2)
@pytest.mark.parametrize("command", ["submit", "status", "logs", "stop"])
def test_no_credentials(command, server, monkeypatch, capsys):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert main([command, str(SPEC), *(["--yes"] if command in ("submit", "stop") else [])]) == 1
    assert "AWS credentials are missing" in capsys.readouterr().err
    assert started(server) == []


def test_ctrl_c_says_how_to_learn_what_exists(server, monkeypatch, capsys):
    def put_object(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(submission, "b64encode", put_object)
    assert submit("--yes") == 130
    said = capsys.readouterr().err
    assert f"interrupted: `hbspec status {SPEC}` tells whether heartbeat-" in " ".join(said.split())
    assert started(server) == []


@pytest.mark.usefixtures("source_is_there")
def test_a_job_that_is_being_stopped_is_submitted_again_later(server, capsys):
    assert submit("--yes") == 0
    end(server, started(server)[0]["TrainingJobName"], "Stopping")
    assert submit("--yes") == STARTED_ALREADY
    assert "submit it again when it has stopped" in capsys.readouterr().err


def test_a_bucket_of_checkpoints_that_vanished(server, capsys):
    assert submit("--yes", "--set", "sagemaker.checkpoints=s3://vanished/checkpoints/") == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "the bucket of the checkpoints, vanished, does not exist. No job was started; nothing was uploaded" in said
    assert (started(server), keys(server)) == ([], set())


def test_credentials_that_expire_half_way(server, monkeypatch, capsys):
    putting, made = S3Backend.put_object, []

    def put_object(self: Any, *args: Any, **kwargs: Any) -> Any:
        made.append(args)
        if len(made) == 12:
            raise S3ClientError("ExpiredToken", "The provided token has expired.")
        return putting(self, *args, **kwargs)

    monkeypatch.setattr(S3Backend, "put_object", put_object)
    assert submit("--yes") == 1
    said = capsys.readouterr().err
    assert f"PutObject: the AWS credentials have expired. No job was started; 11 of {FILES} files lie in" in said
    assert said.rstrip().endswith("sign in, and run the command again")
