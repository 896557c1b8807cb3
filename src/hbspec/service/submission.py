"""Submitting: the calls in their order, each made once, and what exists after one of them fails.

Nothing is ever deleted: the source lies in a folder that this very job alone has, so that what a failed upload leaves
is overwritten with the same bytes by the next submission.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from hbspec.service.attempts import REPEATED, Attempt, attempts, next_name
from hbspec.service.checkpoints import continues_from, listing
from hbspec.service.client import Clients, ServiceError, asking
from hbspec.service.job import SubmittedJob
from hbspec.service.status import status

IN_USE = "ResourceInUse"
"""The code of CreateTrainingJob if a job of this name exists."""
DASHBOARD = "PutDashboard"
NOT_FOUND = frozenset({"ValidationException", "ResourceNotFound"})
"""Codes of DescribeTrainingJob if no job has this name: "Requested resource not found."."""


class ServiceCall(NamedTuple):
    """One call of the AWS API: the service as boto3 names it, the operation, its parameters; of a file, its size."""

    service: str
    operation: str
    parameters: dict[str, Any]


class Submitted(NamedTuple):
    """An attempt after its submission.

    Attributes:
        name: the attempt's name.
        number: its number, from 1 on.
        arn: the job's ARN; empty if it was already started.
        status: its status if it was already started, and nothing was started now; else empty.
    """

    name: str
    number: int
    arn: str = ""
    status: str = ""


def calls(job: SubmittedJob) -> Iterator[ServiceCall]:
    """Every call that submits a job which was never started, in order."""
    yield ServiceCall("sagemaker", "ListTrainingJobs", {"NameContains": job.name})
    yield ServiceCall("s3", "ListObjectsV2", listing(job.checkpoints))
    for file in job.source:
        yield ServiceCall(
            "s3", "PutObject", {"Bucket": job.bucket, "Key": job.prefix + file.path, "bytes": len(file.content)}
        )
    yield ServiceCall("s3", "ListObjectsV2", {"Bucket": job.bucket, "Prefix": job.prefix})
    for one in job.watched:
        yield ServiceCall("cloudwatch", one.operation, one.of(job.name, job.name))
    yield ServiceCall("sagemaker", "CreateTrainingJob", job.request)


def submit(clients: Clients, job: SubmittedJob, say: Callable[[str], None]) -> Submitted:
    """Start a job, or the next attempt of one that failed or was stopped; one that runs or has completed is left alone.

    Args:
        clients: the services of the job's region.
        job: the job.
        say: takes a line on what is under way.

    Raises:
        ServiceError: the job was not started; the message says what exists.
    """
    try:
        made = attempts(clients, job.name)
        if made and made[-1].status not in REPEATED:
            return _already(made[-1])
        where = continues_from(clients, job.checkpoints)
    except ServiceError as lost:
        raise _nothing_started(lost, job, 0) from lost
    name, number = next_name(job.name, made), made[-1].number + 1 if made else 1
    if made:
        say(f"{name}: attempt {number - 1} is {made[-1].status}, and this one {where}")
    _upload(clients, job, say)
    _watch(clients, job, name, say)
    return _create(clients, job, name, number)


def _already(attempt: Attempt) -> Submitted:
    return Submitted(attempt.name, attempt.number, status=attempt.status)


def _upload(clients: Clients, job: SubmittedJob, say: Callable[[str], None]) -> None:
    """The source, each file with the digest that S3 compares, and then nothing else in its folder."""
    say(f"uploading {len(job.source)} files to {job.code}")
    for number, file in enumerate(job.source):
        try:
            with asking("PutObject"):
                clients.s3.put_object(
                    Bucket=job.bucket,
                    Key=job.prefix + file.path,
                    Body=file.content,
                    ChecksumSHA256=b64encode(bytes.fromhex(file.digest)).decode(),
                )
        except ServiceError as lost:
            raise _nothing_started(lost, job, number) from lost
    try:
        _alone(clients, job)
    except ServiceError as lost:
        raise _nothing_started(lost, job, len(job.source)) from lost


def _watch(clients: Clients, job: SubmittedJob, name: str, say: Callable[[str], None]) -> None:
    """The alarms and the dashboard: new ones, or those of the attempt before, which now watch this one."""
    if job.watched:
        say(f"setting {len(job.alarms)} alarms and the dashboard {job.name}")
    for made, one in enumerate(job.watched):
        try:
            with asking(one.operation):
                put = (
                    clients.cloudwatch.put_dashboard
                    if one.operation == DASHBOARD
                    else clients.cloudwatch.put_metric_alarm
                )
                put(**one.of(job.name, name))
        except ServiceError as lost:
            failed = _nothing_started(lost, job, len(job.source), made)
            raise ServiceError(
                failed.message, f"{lost.action}, or set monitoring.alarms: false", lost.code, certain=lost.certain
            ) from lost


def _alone(clients: Clients, job: SubmittedJob) -> None:
    """Refuse a folder with a file that is not of the job: the container would find it beside the job's own."""
    ours = {job.prefix + file.path for file in job.source}
    with asking("ListObjectsV2"):
        pages = clients.s3.get_paginator("list_objects_v2").paginate(Bucket=job.bucket, Prefix=job.prefix)
        others = [entry["Key"] for page in pages for entry in page.get("Contents", ()) if entry["Key"] not in ours]
    if others:
        raise ServiceError(
            f"s3://{job.bucket}/{others[0]} is not a file of {job.name}, and the job would find it beside its own",
            "move it away, or set another sagemaker.job_name",
        )


def _create(clients: Clients, job: SubmittedJob, name: str, number: int) -> Submitted:
    """CreateTrainingJob; where it may have been answered to nobody, the service is asked whether the job exists."""
    try:
        with asking("CreateTrainingJob"):
            answer = clients.sagemaker.create_training_job(**job.attempt(name))
    except ServiceError as failed:
        if not failed.certain or failed.code == IN_USE:
            found = _found(clients, name, failed, job)
            if found is not None:
                return Submitted(name, number, status=found)
        raise _nothing_started(failed, job, len(job.source), len(job.watched)) from failed
    return Submitted(name, number, arn=answer["TrainingJobArn"])


def _found(clients: Clients, name: str, failed: ServiceError, job: SubmittedJob) -> str | None:
    """The status of an attempt that may exist; None if it does not."""
    try:
        return status(clients, name).status
    except ServiceError as lost:
        if lost.code in NOT_FOUND:
            return None
        raise ServiceError(
            f"{failed.message}. Whether {name} was started is not known; {len(job.source)} files lie in {job.code}",
            "run `hbspec status` before anything else",
            lost.code,
            certain=False,
        ) from lost


def _nothing_started(failed: ServiceError, job: SubmittedJob, uploaded: int, watching: int = 0) -> ServiceError:
    """The failure, with what exists after it."""
    there = f"{uploaded} of {len(job.source)} files lie in {job.code}" if uploaded else "nothing was uploaded"
    alarms = f", and {watching} of {len(job.watched)} alarms and dashboards are set" if watching else ""
    return failed.after(f"{failed.message}. No job was started; {there}{alarms}")
