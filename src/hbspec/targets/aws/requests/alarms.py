"""Rules of PutMetricAlarm that are not constraints of the API model's shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hbspec.catalog.limits import LONGEST_EVALUATION, LONGEST_EVALUATION_OF_MINUTES
from hbspec.diagnostics import Route

Said = Iterator[tuple[Route, str]]
HOUR = 3600
SHORT = (10, 20, 30)


def period_of_no_minutes(body: Mapping[str, Any]) -> Said:
    """A period is 10, 20 or 30 seconds, or whole minutes.

    Source: botocore's model, PutMetricAlarmInput$Period: "Valid values are 10, 20, 30, and any multiple of 60."
    """
    for route, period in _periods(body):
        if period not in SHORT and period % 60:
            yield route, f"the period is {period} s, neither {', '.join(map(str, SHORT))} nor whole minutes"


def evaluated_for_too_long(body: Mapping[str, Any]) -> Said:
    """An alarm looks back a week, and a day where its periods are shorter than an hour.

    Source: botocore's model, PutMetricAlarmInput$EvaluationPeriods: "can be no longer than seven days"; of shorter
    periods "one day (86,400 seconds)".
    """
    for route, period in _periods(body):
        longest = LONGEST_EVALUATION if period >= HOUR else LONGEST_EVALUATION_OF_MINUTES
        evaluated = period * body.get("EvaluationPeriods", 1)
        if evaluated > longest:
            yield route, f"the alarm evaluates {evaluated} s, the limit is {longest} s"


def metric_given_twice(body: Mapping[str, Any]) -> Said:
    """An alarm is of one metric, or of an expression over several.

    Source: botocore's model, PutMetricAlarmInput$Metrics: "If you use the Metrics parameter, you cannot include the
    Namespace, MetricName, Dimensions, Period, Unit, Statistic, or ExtendedStatistic parameters".
    """
    beside = ("Namespace", "MetricName", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
    if "Metrics" in body:
        for member in beside:
            if member in body:
                yield (member,), f"{member} is given together with Metrics"


def _periods(body: Mapping[str, Any]) -> Iterator[tuple[Route, int]]:
    if "Period" in body:
        yield ("Period",), body["Period"]
    for index, query in enumerate(body.get("Metrics", ())):
        if "Period" in query.get("MetricStat", {}):
            yield ("Metrics", index, "MetricStat", "Period"), query["MetricStat"]["Period"]


BODY_RULES = (period_of_no_minutes, evaluated_for_too_long, metric_given_twice)
