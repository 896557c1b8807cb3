"""Alarms of CloudWatch on a training job: the bodies of PutMetricAlarm.

An alarm tells; what ends a run is the script (`templates/watches.py`), which knows more: it compares the loss with that
of the run's beginning, and leaves out the first line. CloudWatch compares the mean loss of half a window with that of
the half before, so that a run that has converged sets its alarm off, too. A bound is broken when three periods in a row
are outside, as in the script; the norm of gradients at once, since nothing ends a run for it.

The job sends a value with each line of its log, so that a period is at least as long as a line takes. Between attempts
and after the last one data are missing, and an alarm is in the state INSUFFICIENT_DATA.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any, NamedTuple

from hbspec.catalog.limits import LONGEST_EVALUATION, LONGEST_EVALUATION_OF_MINUTES
from hbspec.targets.aws.operations import Bodies
from hbspec.targets.aws.ownership import tags_of
from hbspec.targets.aws.training_watch import NAMESPACE, OF_JOB, Bound, TrainingWatch
from hbspec.units import HOUR

MINUTE = 60
UNKNOWN_PERIOD = 300
"""Seconds of a period where it is not known how long a line takes."""
PATIENCE = 3
"""Periods in a row outside a bound; `PATIENCE` of `templates/watches.py`."""


class BoundAlarm(NamedTuple):
    """How a series is compared with its bound.

    Attributes:
        name: what the alarm's name ends in, and its file's.
        said: of the series, before the bound.
        statistic: of a period.
        above: whether values above the bound break it, rather than those below.
        periods: in a row that break it.
    """

    name: str
    said: str
    statistic: str
    above: bool = True
    periods: int = PATIENCE


COMPARISONS: Mapping[str, BoundAlarm] = {
    "gpu_memory.max": BoundAlarm("gpu_memory", "The fullest GPU holds more than {:,.0f} bytes", "Maximum"),
    "step_time.max": BoundAlarm("slow_steps", "An update takes more than {:g} s", "Average"),
    "step_time.min": BoundAlarm("fast_steps", "An update takes less than {:g} s", "Average", above=False),
    "gradient_norm.max": BoundAlarm("gradient_norm", "The norm of the gradients is above {:g}", "Maximum", periods=1),
}


def alarms(watch: TrainingWatch) -> Bodies:
    """The bodies of the alarms, by the names of their files.

    That of the loss is left out where the time of an update is not known, or half a window is longer than CloudWatch
    looks back: its window is a time.
    """
    bodies: dict[str, dict[str, Any]] = {}
    for bound in watch.bounds:
        if bound.key in COMPARISONS:
            comparison = COMPARISONS[bound.key]
            bodies[f"put_metric_alarm_{comparison.name}"] = _of_value(watch, bound, comparison)
        elif (period := loss_period(watch, bound)) is not None:
            bodies["put_metric_alarm_loss"] = _of_loss(watch, bound, period)
    return bodies


def loss_period(watch: TrainingWatch, bound: Bound) -> int | None:
    """Seconds of half a window of the loss, as long as it takes at most; None where the loss has none."""
    if watch.update_seconds is None:
        return None
    updates = max(bound.value / 2, watch.line_updates)
    period = _whole_minutes(updates * watch.update_seconds)
    return period if 2 * period <= LONGEST_EVALUATION else None


def _of_value(watch: TrainingWatch, bound: Bound, comparison: BoundAlarm) -> dict[str, Any]:
    seconds = watch.update_seconds and watch.line_updates * watch.update_seconds
    period = _whole_minutes(seconds) if seconds else UNKNOWN_PERIOD
    longest = LONGEST_EVALUATION if period >= HOUR else LONGEST_EVALUATION_OF_MINUTES
    return {
        **_named(watch, comparison.name, f"{comparison.said.format(bound.value)} (monitoring.{bound.key})"),
        "Namespace": NAMESPACE,
        "MetricName": bound.metric,
        "Dimensions": _dimensions(watch),
        "Statistic": comparison.statistic,
        "Period": period,
        "EvaluationPeriods": max(1, min(comparison.periods, longest // period)),
        "Threshold": bound.value,
        "ComparisonOperator": "GreaterThanThreshold" if comparison.above else "LessThanThreshold",
        "TreatMissingData": "missing",
        **tags_of(watch.tags),
    }


def _of_loss(watch: TrainingWatch, bound: Bound, period: int) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html, DIFF."""
    said = f"The mean loss of {period} s is not below that of the {period} s before"
    series = {"Namespace": NAMESPACE, "MetricName": bound.metric, "Dimensions": _dimensions(watch)}
    return {
        **_named(watch, "loss", f"{said} (monitoring.{bound.key}: {bound.value:g} updates)"),
        "Metrics": [
            {"Id": "change", "Expression": "DIFF(loss)", "Label": "change of the loss", "ReturnData": True},
            {
                "Id": "loss",
                "MetricStat": {"Metric": series, "Period": period, "Stat": "Average"},
                "ReturnData": False,
            },
        ],
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "missing",
        **tags_of(watch.tags),
    }


def _named(watch: TrainingWatch, name: str, said: str) -> dict[str, Any]:
    told = {"AlarmActions": [watch.topic]} if watch.topic else {}
    return {"AlarmName": f"{watch.job}-{name.replace('_', '-')}", "AlarmDescription": f"{watch.job}: {said}.", **told}


def _dimensions(watch: TrainingWatch) -> list[dict[str, str]]:
    return [{"Name": OF_JOB, "Value": watch.job}]


def _whole_minutes(seconds: float) -> int:
    """A period that CloudWatch takes, at least as long."""
    return MINUTE * max(1, ceil(seconds / MINUTE))
