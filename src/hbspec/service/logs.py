"""The lines that an attempt has printed, as CloudWatch keeps them, and those that still come.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import sleep
from typing import NamedTuple

from hbspec.service.client import Clients, ServiceError, asking
from hbspec.service.status import status

GROUP = "/aws/sagemaker/TrainingJobs"
PAUSE_SECONDS = 5.0
LATE_SECONDS = 60
"""How much later than its neighbours an event may arrive: what came before is asked for again, and told once."""
PATIENCE = 60
"""Questions one after the other that may stay unanswered before following ends: five minutes."""
SILENT = 2
"""Questions one after the other without a new line, after the end of an attempt, until it is taken to be silent."""
MISSING = "ResourceNotFoundException"


class JobLine(NamedTuple):
    """One line: the time at which it was printed, in seconds since 1970, the host that printed it, and its text."""

    seconds: float
    host: str
    text: str


class _Told:
    """Events that were told, as far back as late ones are asked for."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._latest = 0

    def is_new(self, event: str, time: int) -> bool:
        """Whether the event was not told before; it is noted."""
        if event in self._times:
            return False
        self._times[event] = time
        self._latest = max(self._latest, time)
        return True

    def since(self) -> int:
        """Milliseconds from which events are asked for; what was told before then is forgotten."""
        since = max(0, self._latest - 1000 * LATE_SECONDS)
        self._times = {event: time for event, time in self._times.items() if time >= since}
        return since


def log_lines(clients: Clients, name: str) -> Iterator[JobLine]:
    """The lines of an attempt so far, in the order of their times; none if it has not printed any.

    Raises:
        ServiceError: the question was not answered.
    """
    yield from _new(clients, name, _Told())


def followed_lines(
    clients: Clients, name: str, say: Callable[[str], None], wait: Callable[[float], None] = sleep
) -> Iterator[JobLine | None]:
    """The lines of an attempt until it has ended and nothing new arrives; None before each pause.

    Args:
        clients: the services of the job's region.
        name: the attempt's name.
        say: takes a line on what is lost or expected.
        wait: waits for so many seconds.

    Raises:
        ServiceError: the service refuses, or does not answer for `PATIENCE` questions.
    """
    told, unanswered, silent = _Told(), 0, 0
    while silent < SILENT:  # the last lines arrive some seconds after the end
        try:
            ended = status(clients, name).ended
            silent += ended
            for line in _new(clients, name, told):
                silent = 0
                yield line
            unanswered = 0
        except ServiceError as lost:
            unanswered, silent = unanswered + 1, 0
            if lost.certain or unanswered > PATIENCE:
                raise
            say(f"{lost.message}; asking again")
        if silent < SILENT:
            yield None
            wait(PAUSE_SECONDS)


def _new(clients: Clients, name: str, told: _Told) -> Iterator[JobLine]:
    """The lines that were not told before."""
    streams = f"{name}/"
    pages = clients.logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, logStreamNamePrefix=streams, startTime=told.since()
    )
    try:
        with asking("FilterLogEvents"):
            for page in pages:
                for event in page["events"]:
                    stream = event["logStreamName"]
                    if stream.startswith(streams) and told.is_new(event["eventId"], event["timestamp"]):
                        host = "-".join(stream.removeprefix(streams).split("-")[:2])
                        yield JobLine(event["timestamp"] / 1000, host, event["message"])
    except ServiceError as refused:
        if refused.code != MISSING:  # the group appears with the first line of the account's first job
            raise
