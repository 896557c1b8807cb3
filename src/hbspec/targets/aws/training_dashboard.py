"""The dashboard of a training job: the body of PutDashboard, after those of the alarms that it shows.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hbspec.catalog.partitions import partition
from hbspec.targets.aws.dashboard import HIGH, PERIOD, WIDE
from hbspec.targets.aws.operations import Bodies
from hbspec.targets.aws.training_alarms import COMPARISONS, alarms, loss_period
from hbspec.targets.aws.training_watch import GRADIENT, LOSS, MEMORY, NAMESPACE, OF_HOST, OF_JOB, STEP, TrainingWatch

SHOWN_HOSTS = 16
"""Instances whose use is shown; those of a larger job are alike."""
PEAK, RATE, EPOCH, EVALUATED = "train:gpu_peak_allocated_bytes", "train:learning_rate", "train:epoch", "eval:loss"


class Series(NamedTuple):
    """The series of the log in one widget."""

    title: str
    metrics: tuple[str, ...]
    statistic: str = "Average"


CHARTS = (
    Series("Loss, per trained token", (LOSS, EVALUATED)),
    Series("Norm of the gradients, before clipping", (GRADIENT,), "Maximum"),
    Series("Time of an update, s", (STEP,)),
    Series("Memory of the fullest GPU, bytes", (MEMORY, PEAK), "Maximum"),
    Series("Learning rate", (RATE,)),
    Series("Epoch", (EPOCH,), "Maximum"),
)
USES = (
    ("Use of the GPUs, percent, summed over those of an instance", ("GPUUtilization", "GPUMemoryUtilization")),
    ("Use of the host, percent", ("CPUUtilization", "MemoryUtilization", "DiskUtilization")),
)


def watch_bodies(watch: TrainingWatch) -> Bodies:
    """The bodies that make what watches a job: its alarms, and after them the dashboard that shows them."""
    made = alarms(watch)
    text = dashboard_text(watch, _arns(watch, made))
    return {**made, "put_dashboard": {"DashboardName": watch.job, "DashboardBody": text}}


def dashboard_text(watch: TrainingWatch, arns: Sequence[str]) -> str:
    """The text of the dashboard's body.

    Args:
        watch: of the job.
        arns: of its alarms; none where they are not known.
    """
    charts = [*_of_log(watch), *_of_hosts(watch), *_of_alarms(arns)]
    top = {"x": 0, "y": 0, "width": 2 * WIDE, "height": 3, **_text(watch)}
    places = (
        {"x": WIDE * (i % 2), "y": 3 + HIGH * (i // 2), "width": WIDE, "height": HIGH} for i in range(len(charts))
    )
    widgets = [top, *(place | chart for place, chart in zip(places, charts, strict=True))]
    return json.dumps({"widgets": widgets}, separators=(",", ":"), ensure_ascii=False)


def _text(watch: TrainingWatch) -> dict[str, Any]:
    lines = [f"{watch.job}: the last attempt. `hbspec stop` stops it; docs/submitting.md says how this is deleted."]
    lines += [
        "monitoring.loss has no alarm: how long its window takes is not known, or it is longer than a week."
        for bound in watch.bounds
        if bound.key not in COMPARISONS and loss_period(watch, bound) is None
    ]
    return {"type": "text", "properties": {"markdown": "\n\n".join(lines)}}


def _of_log(watch: TrainingWatch) -> Iterator[dict[str, Any]]:
    """A widget for each chart of which the job sends something, and one for the author's own metrics."""
    sent = set(watch.metrics)
    known = {name for chart in CHARTS for name in chart.metrics}
    others = Series("Own metrics", tuple(name for name in watch.metrics if name not in known))
    for chart in (*CHARTS, others):
        names = [name for name in chart.metrics if name in sent]
        lines = [
            {"label": f"monitoring.{bound.key}", "value": bound.value}
            for bound in watch.bounds
            if bound.metric in names and bound.key in COMPARISONS
        ]
        if names:
            series = [[NAMESPACE, name, OF_JOB, watch.job] for name in names]
            yield _metric(watch, chart.title, chart.statistic, series, lines)


def _of_hosts(watch: TrainingWatch) -> Iterator[dict[str, Any]]:
    hosts = [f"{watch.job}/algo-{number}" for number in range(1, min(watch.instances, SHOWN_HOSTS) + 1)]
    for title, names in USES:
        series = [[NAMESPACE, name, OF_HOST, host] for name in names for host in hosts]
        more = f", {SHOWN_HOSTS} of {watch.instances} instances" if watch.instances > SHOWN_HOSTS else ""
        yield _metric(watch, title + more, "Average", series)


def _of_alarms(arns: Sequence[str]) -> Iterator[dict[str, Any]]:
    if arns:
        yield {"type": "alarm", "properties": {"title": "Alarms", "alarms": list(arns)}}


def _arns(watch: TrainingWatch, made: Bodies) -> list[str]:
    """The ARNs of alarms, which need a region and an account; none without these."""
    home = partition(watch.region) if watch.region else None
    if home is None or not watch.account:
        return []
    prefix = f"arn:{home.name}:cloudwatch:{watch.region}:{watch.account}:alarm:"
    return [prefix + body["AlarmName"] for body in made.values()]


def _metric(
    watch: TrainingWatch,
    title: str,
    statistic: str,
    series: Sequence[Sequence[str]],
    lines: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    properties: dict[str, Any] = {"title": title, "view": "timeSeries", "stat": statistic, "period": PERIOD}
    properties |= {"region": watch.region} if watch.region else {}
    properties["metrics"] = [list(one) for one in series]
    properties |= {"annotations": {"horizontal": [dict(line) for line in lines]}} if lines else {}
    return {"type": "metric", "properties": properties}
