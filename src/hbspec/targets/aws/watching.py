"""Alarms of a stack on failed and on late answers, beside the one that rolls back an update.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

from hbspec.analysis import Analysis
from hbspec.catalog.limits import MAX_ANSWER_SECONDS, MAX_ASYNCHRONOUS_SECONDS
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.serving.endpoint import serving
from hbspec.targets.aws.endpoint import Endpoint
from hbspec.targets.aws.guarding import failed_requests
from hbspec.targets.aws.operations import Bodies

LATE_PERIOD, LATE_PERIODS = 300, 2
"""Seconds over which answers are averaged, and how many such averages are late before the alarm goes off. Assumed."""
LATE_SHARE = 0.8
"""Of the time that the service waits for the model: what takes longer is close to being cut off. Assumed."""
MICROSECONDS = 1e6


def late_seconds(analysis: Analysis) -> float:
    """Seconds of a typical answer that are more than predicted under full load, or close to the service's limit.

    Where nothing is predicted, the limit alone counts.
    """
    section = analysis.spec.deployment
    queued = section is not None and section.async_inference is not None
    close = LATE_SHARE * (MAX_ASYNCHRONOUS_SECONDS if queued else MAX_ANSWER_SECONDS)
    try:
        load = serving(analysis.serving_plan).load
    except NotKnownError:
        return close
    return min(close, load.latency_seconds.high) if load else close


def alarms(endpoint: Endpoint) -> Bodies:
    """The bodies of the alarms.

    The one that rolls back an update counts refused requests, too, but of an asynchronous endpoint only the model's own
    errors, so that another one on these is not needed.
    """
    errors = failed_requests(endpoint, "Invocation5XXErrors")
    return {
        **({} if endpoint.asynchronous else {"put_metric_alarm_server_errors": errors}),
        "put_metric_alarm_late": {
            **errors,
            "AlarmName": f"{endpoint.deployment}-{endpoint.variant}-late",
            "AlarmDescription": f"Answers of {endpoint.live} take more than {endpoint.late:.3g} s on average.",
            "MetricName": "ModelLatency",
            "Period": LATE_PERIOD,
            "EvaluationPeriods": LATE_PERIODS,
            "Threshold": round(endpoint.late * MICROSECONDS),
        },
    }
