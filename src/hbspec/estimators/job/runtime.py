"""The running time that SageMaker compares with its time limits."""

from __future__ import annotations

from hbspec.estimators.job.time import NOT_BILLED, Time
from hbspec.units import Interval


def running_seconds(time: Time) -> Interval:
    """Seconds that SageMaker compares with `max_runtime`: the running time from the start of billing.

    The service does not document whether the upload counts ("any time spent … uploading models after it has been
    stopped" has a separate limit, API reference, StoppingCondition), so the low end leaves it out. With spot, all
    attempts count.
    """
    billed = [took for name, took in time.phases.items() if name not in NOT_BILLED and name != "upload"]
    upload = time.phases.get("upload", Interval.exact(0))
    return sum(billed, Interval(0, upload.expected, upload.high))
