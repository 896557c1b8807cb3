"""`hbspec status`, `logs` and `stop` of a job that runs at a local SageMaker, over HTTP."""

from __future__ import annotations

import io
import json
from pathlib import Path
from time import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto_strict import Server

from hbspec.cli import main
from hbspec.service import client, logs, submission

SPEC = Path(__file__).parents[2] / "specs/heartbeat.yaml"
BUCKET = "heartbeat"
GROUP = "/aws/sagemaker/TrainingJobs"
BEGAN = 1000 * (int(time()) - 60)


@pytest.fixture
def job(sagemaker_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a job that was just submitted. The upload, which takes longest, is `test_submit_command.py`'s."""
    monkeypatch.chdir(tmp_path)
    sagemaker_server.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": sagemaker_server.region}
    )
    sagemaker_server.course.states = (
        ("InProgress", "Starting"),
        ("InProgress", "Downloading"),
        ("InProgress", "Training"),
    )
    monkeypatch.setattr(submission, "_upload", lambda *_: None)
    assert main(["submit", str(SPEC), "--yes"]) == 0
    return next(str(body["TrainingJobName"]) for name, body in sagemaker_server.requests if name == "CreateTrainingJob")


def put(server: Server, job: str, host: str, *lines: tuple[int, str]) -> None:
    """Lines of a host, at milliseconds after a minute ago: the service takes none that are weeks old."""
    service, stream = server.client("logs"), f"{job}/{host}-1790000000"
    if not service.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]:
        service.create_log_group(logGroupName=GROUP)
    if not service.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=stream)["logStreams"]:
        service.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    events = [{"timestamp": BEGAN + at, "message": text} for at, text in lines]
    service.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


def test_the_status_of_a_spec_and_of_a_name(job, sagemaker_server, capsys):
    capsys.readouterr()
    assert main(["status", str(SPEC)]) == 0
    told = capsys.readouterr().out
    assert f"{job}: InProgress (Downloading)" in told
    assert main(["status", job, "--format", "json"]) == 0
    (attempt,) = json.loads(capsys.readouterr().out)["attempts"]
    assert (attempt["status"], attempt["secondary"], attempt["instance_type"]) == (
        "InProgress",
        "Training",
        "ml.p4d.24xlarge",
    )
    assert [phase["name"] for phase in attempt["phases"]] == ["Starting", "Downloading", "Training"]


def test_a_failure_and_what_was_billed(job, sagemaker_server, capsys):
    sagemaker_server.course.states = (("Failed", "Failed"),)
    sagemaker_server.course.failure = "AlgorithmError: the loss is not a number"
    capsys.readouterr()
    assert main(["status", str(SPEC)]) == 0
    told = capsys.readouterr().out
    assert "AlgorithmError: the loss is not a number" in told
    assert "1.00 h" in told
    assert "40.07 CAD at 40.07 CAD/h on demand" in " ".join(told.split())


def test_a_job_that_was_never_started(sagemaker_server, capsys):
    for command in (["status", str(SPEC)], ["logs", str(SPEC)], ["stop", str(SPEC), "--yes"]):
        assert main(command) == (0 if command[0] == "status" else 1)
        assert "was never started in ca-central-1" in capsys.readouterr().err
    for command in ("status", "logs"):
        assert main([command, "nobody"]) == 1
        assert "Requested resource not found" in capsys.readouterr().err


def test_lines_of_one_host_and_of_two(job, sagemaker_server, capsys):
    assert main(["logs", job]) == 0
    assert "has not printed anything yet" in capsys.readouterr().err
    put(sagemaker_server, job, "algo-1", (0, "hbspec: step=1 loss=2.5"), (2000, "hbspec: step=2 loss=2.4"))
    put(sagemaker_server, f"{job}-2", "algo-1", (1, "of another attempt"))
    assert main(["logs", str(SPEC)]) == 0
    assert capsys.readouterr().out == "hbspec: step=1 loss=2.5\nhbspec: step=2 loss=2.4\n"


def test_a_token_in_a_line_is_not_printed(job, sagemaker_server, capsys):
    put(sagemaker_server, job, "algo-1", (0, "token hf_" + "abcdefghijklmnopqrstuvwxyzABCDEFGH"))
    assert main(["logs", job]) == 0
    assert capsys.readouterr().out == f"token hf_{'*' * 34}\n"


def test_lines_are_followed_to_the_end_of_the_job_each_told_once(job, sagemaker_server):
    asked: list[float] = []

    def wait(seconds: float) -> None:
        asked.append(seconds)
        if len(asked) == 1:
            put(sagemaker_server, job, "algo-1", (0, "first"), (5000, "second"))
        if len(asked) == 2:  # which arrives late, beside what was told
            put(sagemaker_server, job, "algo-2", (4000, "late"))
        if len(asked) == 4:
            sagemaker_server.course.states = (("Completed", "Completed"),)
            sagemaker_server.course.looks[job] = 0
        if len(asked) == 5:
            put(sagemaker_server, job, "algo-1", (9000, "last"))

    told = [(line.host, line.text) for line in logs.followed_lines(_clients(), job, print, wait) if line]
    assert told == [("algo-1", "first"), ("algo-1", "second"), ("algo-2", "late"), ("algo-1", "last")]
    assert set(asked) == {logs.PAUSE_SECONDS}


def test_following_outlives_a_lost_connection(job, sagemaker_server, monkeypatch):
    put(sagemaker_server, job, "algo-1", (0, "first"))
    sagemaker_server.course.states = (("Completed", "Completed"),)
    said: list[str] = []
    tries = iter((True, False, True, *(False,) * 9))
    real = logs.status

    def status(*given: Any) -> Any:
        if next(tries):
            raise client.ServiceError("DescribeTrainingJob: no route", "wait", certain=False)
        return real(*given)

    monkeypatch.setattr(logs, "status", status)
    told = [line.text for line in logs.followed_lines(_clients(), job, said.append, lambda _: None) if line]
    assert told == ["first"]
    assert said == ["DescribeTrainingJob: no route; asking again"] * 2


def test_following_ends_where_the_service_refuses_or_stays_away(job, monkeypatch):
    for certain, times in ((True, 1), (False, logs.PATIENCE + 1)):
        asked: list[Any] = []

        def status(*given: Any, certain: bool = certain, asked: list[Any] = asked) -> Any:
            asked.append(given)
            raise client.ServiceError("no", "wait", certain=certain)

        monkeypatch.setattr(logs, "status", status)
        with pytest.raises(client.ServiceError):
            list(logs.followed_lines(_clients(), job, lambda _: None, lambda _: None))
        assert len(asked) == times


def test_a_job_is_stopped_once(job, sagemaker_server, capsys):
    assert main(["stop", str(SPEC), "--yes"]) == 0
    said = capsys.readouterr().err
    assert f"{job} is being stopped" in said
    assert f"delete-alarms --region ca-central-1 --alarm-names {job}-loss" in " ".join(said.split())
    assert f"delete-dashboards --region ca-central-1 --dashboard-names {job}" in " ".join(said.split())
    assert main(["stop", job, "--yes"]) == 0
    assert f"{job} is Stopped already; nothing was asked for" in capsys.readouterr().err
    assert main(["submit", str(SPEC), "--yes"]) == 0
    assert f"{job}-2 was started (attempt 2)" in capsys.readouterr().err


def test_an_attempt_without_instances_names_the_alternatives(job, sagemaker_server, capsys):
    sagemaker_server.course.states = (("Failed", "Failed"),)
    sagemaker_server.course.failure = "CapacityError: Unable to provision requested ML compute capacity."
    assert main(["status", str(SPEC)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "ml.p5.48xlarge" in said
    assert f"next: hbspec submit {SPEC} --set instance.type=ml.p5.48xlarge" in said


def test_stopping_asks(job, sagemaker_server, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["stop", job]) == 2
    assert "give --yes" in capsys.readouterr().err
    answers = io.StringIO("no\n")
    answers.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", answers)
    assert main(["stop", job]) == 1
    assert "nothing was stopped" in capsys.readouterr().err
    assert sagemaker_server.client().describe_training_job(TrainingJobName=job)["TrainingJobStatus"] == "InProgress"


def _clients() -> client.Clients:
    return client.Clients("ca-central-1")


def test_a_job_is_watched_and_verified(job, sagemaker_server, monkeypatch, capsys):
    lines = [(1000 * step, f"hbspec: step={step} loss={3 - step / 10} step_seconds=34.5") for step in range(1, 4)]
    put(sagemaker_server, job, "algo-1", *lines)
    capsys.readouterr()
    for words in ([str(SPEC)], [str(SPEC), job]):
        assert main(["watch", *words]) == 0
        told = capsys.readouterr().out
        assert job in told
        assert "3 of 300" in told
    sagemaker_server.course.states = (("Completed", "Completed"),)
    monkeypatch.setattr(logs, "PAUSE_SECONDS", 0)
    assert main(["watch", str(SPEC), "--follow"]) == 0


def test_a_job_is_verified_by_its_bill(job, sagemaker_server, capsys):
    """An hour costs 40.07 CAD, and the budget of the spec pays for more than one."""
    put(sagemaker_server, job, "algo-1", (0, "hbspec: step=1 loss=2.5"))
    sagemaker_server.course.states = (("Completed", "Completed"),)
    capsys.readouterr()
    for hours, code, verdict in ((1, 0, "held"), (40, 1, "broken")):
        sagemaker_server.course.billed = hours * 3600
        assert main(["verify", str(SPEC), "--format", "json"]) == code
        told = json.loads(capsys.readouterr().out)
        judged = {one["key"]: one["verdict"] for one in told["judged"]}
        assert (judged["budget.max_cost"], judged["instance.max_runtime"]) == (verdict, verdict)
        assert told["bill"]["billable_seconds"] == hours * 3600
    assert main(["verify", str(SPEC)]) == 1
    assert "billed 40.0 h" in " ".join(capsys.readouterr().out.split())


def test_a_bill_is_of_all_attempts(job, sagemaker_server, capsys):
    sagemaker_server.course.states = (("Failed", "Failed"),)
    sagemaker_server.course.failure = "ClientError: the bucket of the checkpoints does not exist"
    main(["status", str(SPEC)])
    assert main(["submit", str(SPEC), "--yes"]) == 0
    put(sagemaker_server, f"{job}-2", "algo-1", (0, "hbspec: step=1 loss=2.5"))
    capsys.readouterr()
    assert main(["verify", str(SPEC), "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in told["bill"]["attempts"]] == [job, f"{job}-2"]
    assert any("the bucket of the checkpoints does not exist" in note for note in told["notes"])
    assert told["bill"]["billable_seconds"] == 7200


@pytest.mark.one_in(3)
@pytest.mark.parametrize("words", [["watch"], ["watch", "--follow"], ["verify"]], ids="-".join)
def test_credentials_that_expire_lose_nothing_that_was_read(job, sagemaker_server, monkeypatch, capsys, words):
    lines = [(1000 * step, f"hbspec: step={step} loss=2.5 step_seconds=34.5") for step in range(1, 4)]
    put(sagemaker_server, job, "algo-1", *lines)
    monkeypatch.setattr(logs, "_new", _expiring(logs._new))
    capsys.readouterr()
    assert main([*words[:1], str(SPEC), *words[1:], "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["state"] == "update 3 of 300"
    assert told["whole"] is False
    said = "the log was not read to its end, but only 3 lines: FilterLogEvents: the AWS credentials have expired"
    assert any(note.startswith(said) for note in told["notes"])


def _expiring(new: Any) -> Any:
    def lines(*given: Any) -> Any:
        with client.asking("FilterLogEvents"):
            yield from new(*given)
            raise ClientError({"Error": {"Code": "ExpiredTokenException"}}, "FilterLogEvents")

    return lines


def test_what_is_neither_a_file_nor_a_job(sagemaker_server, capsys):
    assert main(["watch", str(SPEC), "nobody"]) == 2
    said = capsys.readouterr().err
    assert "nobody is not a file, and of a training job: DescribeTrainingJob was refused" in said
    assert main(["watch", str(SPEC), "nobody.log"]) == 2
    assert "nobody.log: No such file or directory" in capsys.readouterr().err
    assert main(["watch", str(SPEC)]) == 2
    assert "was never started in ca-central-1" in capsys.readouterr().err
