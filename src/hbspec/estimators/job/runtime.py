"""What SageMaker's limits on time are held against."""

from __future__ import annotations

from hbspec.estimators.job.time import NOT_BILLED, Time
from hbspec.units import Interval


def running_seconds(time: Time) -> Interval:
    """What `max_runtime` is held against: what the job runs from the moment that it is billed.

    The service does not say whether the upload counts ("any time spent … uploading models after it has been stopped" is
    limited apart, API reference, StoppingCondition), so that the low end leaves it out. With spot, all attempts count.
    """
    billed = [took for name, took in time.phases.items() if name not in NOT_BILLED and name != "upload"]
    upload = time.phases.get("upload", Interval.exact(0))
    return sum(billed, Interval(0, upload.expected, upload.high))
