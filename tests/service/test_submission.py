"""A submission that fails at any of its calls, before or after its effect: what is said of the job is true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from hbspec.service.client import ServiceError
from hbspec.service.job import SubmittedJob, WatchRequest
from hbspec.service.submission import calls, submit
from hbspec.targets.lowering.artifact import Artifact

SOURCE = (Artifact("a.py", b"1"), Artifact("b/c.py", b"2"), Artifact("launch.sh", b"3", executable=True))
NAME, PREFIX = "bot-0a1b2c3d4e5f", "models/bot-0a1b2c3d4e5f/code/"
JOB = SubmittedJob(
    NAME,
    "eu-west-1",
    {"TrainingJobName": NAME, "CheckpointConfig": {"S3Uri": "s3://models/checkpoints/"}},
    SOURCE,
    "bucket",
    PREFIX,
    (
        WatchRequest("PutMetricAlarm", f'{{"AlarmName": "{NAME}-loss", "Dimensions": [{{"Value": "{NAME}"}}]}}'),
        WatchRequest("PutDashboard", f'{{"DashboardName": "{NAME}", "DashboardBody": "[\\"{NAME}\\"]"}}'),
    ),
)
CALLS, CHECKPOINTS = len(list(calls(JOB))), 1
"""The number of the calls, and which of them lists the checkpoints."""


class Memory:
    """Both services, as their clients show them; one call fails, before its effect or after it."""

    def __init__(self, failing: int = -1, *, late: bool = False, kind: str = "lost") -> None:
        self.failing, self.late, self.kind, self.made = failing, late, kind, 0
        self.objects: dict[str, bytes] = {}
        self.saved: tuple[str, ...] = ()
        self.jobs: dict[str, str] = {}
        self.requests: list[dict[str, Any]] = []
        self.alarms: list[dict[str, Any]] = []
        self.dashboards: list[dict[str, Any]] = []
        self.sagemaker = self.s3 = self.cloudwatch = self

    def _call(self, effect: Callable[[], Any]) -> Any:
        number, self.made = self.made, self.made + 1
        if number != self.failing:
            return effect()
        if self.late:
            effect()
        if self.kind == "lost":
            raise ConnectionClosedError(endpoint_url="https://nowhere")
        status = {"InternalFailure": 500, "AccessDeniedException": 403, "NoSuchBucket": 404}[self.kind]
        raise ClientError(
            {"Error": {"Code": self.kind, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "x"
        )

    def get_paginator(self, operation: str) -> Any:
        """Pages of what lies here."""
        rows = {
            "list_training_jobs": lambda: {
                "TrainingJobSummaries": [
                    {"TrainingJobName": name, "TrainingJobStatus": status} for name, status in self.jobs.items()
                ]
            },
            "list_objects_v2": lambda: {
                "Contents": [{"Key": key} for key in self.objects],
                "CommonPrefixes": [{"Prefix": f"checkpoints/{name}/"} for name in self.saved],
            },
        }[operation]

        class Pages:
            def paginate(pages, **_: Any) -> list[Any]:  # noqa: N805
                return [self._call(rows)]

        return Pages()

    def put_object(self, **given: Any) -> None:
        self._call(lambda: self.objects.update({given["Key"]: given["Body"]}))

    def put_metric_alarm(self, **given: Any) -> None:
        self._call(lambda: self.alarms.append(given))

    def put_dashboard(self, **given: Any) -> None:
        self._call(lambda: self.dashboards.append(given))

    def create_training_job(self, **request: Any) -> Any:
        def create() -> dict[str, str]:
            name = request["TrainingJobName"]
            if name in self.jobs:
                answer = {"Error": {"Code": "ResourceInUse"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
                raise ClientError(answer, "CreateTrainingJob")
            assert set(self.objects) == {PREFIX + file.path for file in SOURCE}, "started without its source"
            assert self.alarms[-1]["Dimensions"] == [{"Value": name}], "started without its alarm"
            assert self.dashboards[-1]["DashboardBody"] == f'["{name}"]', "started without its dashboard"
            self.requests.append(request)
            self.jobs[name] = "InProgress"
            return {"TrainingJobArn": f"arn:{name}"}

        return self._call(create)

    def describe_training_job(self, **given: Any) -> Any:
        def describe() -> dict[str, str]:
            if given["TrainingJobName"] not in self.jobs:
                answer = {"Error": {"Code": "ValidationException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
                raise ClientError(answer, "DescribeTrainingJob")
            return {"TrainingJobStatus": self.jobs[given["TrainingJobName"]]}

        return self._call(describe)


def quiet(_: str) -> None:
    """Says nothing."""


@pytest.mark.parametrize("kind", ["lost", "InternalFailure", "AccessDeniedException"])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("failing", range(CALLS))
def test_whatever_fails_what_is_said_is_true_and_the_next_submission_starts_one_job(failing, late, kind):
    if late and kind == "AccessDeniedException":
        late = False  # a refusal has no effect
    memory = Memory(failing, late=late, kind=kind)
    failure, done = None, None
    try:
        done = submit(memory, JOB, quiet)
    except ServiceError as failed:
        failure = failed
    if done is None:
        assert "No job was started" in str(failure)
        assert memory.jobs == {}
    else:
        not_listed = failing == CHECKPOINTS and kind == "AccessDeniedException"
        assert (done.name, done.status) == (NAME, "" if not_listed else "InProgress")
        assert memory.jobs == {NAME: "InProgress"}
    memory.failing = -1
    submit(memory, JOB, quiet)
    assert memory.jobs == {NAME: "InProgress"}
    assert len(memory.requests) == 1


def test_nothing_is_claimed_where_nobody_answers_any_more():
    memory = Memory(CALLS - 1, late=True)
    memory.describe_training_job = lambda **_: (_ for _ in ()).throw(ConnectionClosedError(endpoint_url="https://x"))
    with pytest.raises(ServiceError, match=f"Whether {NAME} was started is not known"):
        submit(memory, JOB, quiet)


def test_two_who_submit_at_once_start_one_job():
    """The second one's list was made before the first one's job."""
    memory = Memory()
    submit(memory, JOB, quiet)
    rows, memory.jobs = memory.jobs, {}
    paginator = memory.get_paginator

    def once(operation: str) -> Any:
        found = paginator(operation)

        class Pages:
            def paginate(self, **given: Any) -> Any:
                pages = found.paginate(**given)
                memory.jobs = rows
                return pages

        return Pages()

    memory.get_paginator = once
    done = submit(memory, JOB, quiet)
    assert (done.name, done.status) == (NAME, "InProgress")
    assert len(memory.requests) == 1


@pytest.mark.parametrize(
    ("others", "following"),
    [
        ({}, NAME),
        ({NAME: "Failed"}, f"{NAME}-2"),
        ({NAME: "Failed", f"{NAME}-9": "Stopped", f"{NAME}-10": "Failed"}, f"{NAME}-11"),
        ({f"my-{NAME}": "InProgress", f"{NAME}-x": "InProgress", f"{NAME}-02": "InProgress"}, NAME),
    ],
)
def test_the_next_attempt(others, following):
    memory = Memory()
    memory.jobs = dict(others)
    assert submit(memory, JOB, quiet).name == following


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        ((), "begins at the first update, since no checkpoint lies in s3://models/checkpoints/"),
        (("tmp", "checkpoint-50x"), "begins at the first update"),
        (("checkpoint-50", "checkpoint-100", "checkpoint-9"), "continues from checkpoint-100, or an older one if"),
    ],
)
def test_what_the_next_attempt_continues_from_is_looked_up(saved, said):
    memory, told = Memory(), []
    memory.jobs, memory.saved = {NAME: "Failed"}, saved
    submit(memory, JOB, told.append)
    assert told[0].startswith(f"{NAME}-2: attempt 1 is Failed, and this one {said}")


def test_a_bucket_of_checkpoints_that_vanished_starts_nothing():
    memory = Memory(CHECKPOINTS, kind="NoSuchBucket")
    with pytest.raises(ServiceError, match="the bucket of the checkpoints, models, does not exist") as failed:
        submit(memory, JOB, quiet)
    assert "No job was started; nothing was uploaded" in str(failed.value)
    assert (memory.objects, memory.jobs) == ({}, {})


def test_checkpoints_that_the_submitter_may_not_list_are_no_reason_not_to_start():
    memory, told = Memory(CHECKPOINTS, kind="AccessDeniedException"), []
    memory.jobs = {NAME: "Stopped"}
    assert submit(memory, JOB, told.append).name == f"{NAME}-2"
    assert "you may not list s3://models/checkpoints/" in told[0]


def test_alarms_and_dashboard_keep_their_names_whatever_the_attempt():
    memory = Memory()
    memory.jobs = {NAME: "Failed"}
    assert submit(memory, JOB, quiet).name == f"{NAME}-2"
    assert [alarm["AlarmName"] for alarm in memory.alarms] == [f"{NAME}-loss"]
    assert [dashboard["DashboardName"] for dashboard in memory.dashboards] == [NAME]


def test_a_watch_that_is_refused_can_be_switched_off():
    memory = Memory(CALLS - 3, kind="AccessDeniedException")
    with pytest.raises(ServiceError, match="No job was started; 3 of 3 files") as failed:
        submit(memory, JOB, quiet)
    assert failed.value.action == "ask for this permission, or set monitoring.alarms: false"


def test_the_last_attempt_that_a_name_can_have():
    memory = Memory()
    memory.jobs = {f"{NAME}-999": "Failed"}
    with pytest.raises(ServiceError, match="999 attempts"):
        submit(memory, JOB, quiet)
