"""The dashboard of a stack: requests or their queue, latency, errors, and the use of the instances.

Of an asynchronous endpoint the service publishes the length and the age of its queue, but neither the number of its
requests nor its own overhead. The use of GPUs is summed over those of an instance: four at work are at 400 percent.
https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

REQUESTS, INSTANCES, COPIES = "AWS/SageMaker", "/aws/sagemaker/Endpoints", "/aws/sagemaker/InferenceComponents"
"""Namespaces of the metrics."""
PERIOD = 60
WIDE, HIGH = 12, 6
"""Columns and rows of a widget; a dashboard has 24 columns."""


class Chart(NamedTuple):
    """The metrics of one widget: of the endpoint as a whole, or of its variant or inference component."""

    title: str
    statistic: str
    metrics: Sequence[str]
    namespace: str = REQUESTS
    of_variant: bool = True


def charts(*, queued: bool) -> Iterator[Chart]:
    """The charts of an endpoint with or without a queue."""
    errors = ["Invocation4XXErrors", "Invocation5XXErrors"]
    if queued:
        waiting = ("ApproximateBacklogSize", "ApproximateBacklogSizePerInstance", "HasBacklogWithoutCapacity")
        yield Chart("Requests that wait or are answered", "Maximum", waiting, of_variant=False)
        yield Chart("Age of the oldest request, s", "Maximum", ("ApproximateAgeOfOldestRequest",), of_variant=False)
        errors += ["InvocationFailures", "ExpiredRequests"]
    else:
        yield Chart("Requests", "Sum", ("Invocations",))
    latency = ("ModelLatency", "TimeInBacklog" if queued else "OverheadLatency")
    yield Chart("Latency, 90th percentile, microseconds", "p90", latency)
    yield Chart("Errors", "Sum", errors)
    yield Chart("Use of the GPUs, percent, summed", "Average", ("GPUUtilization", "GPUMemoryUtilization"), INSTANCES)
    host = ("CPUUtilization", "MemoryUtilization", "DiskUtilization")
    yield Chart("Use of the host, percent", "Average", host, INSTANCES)


def dashboard(
    variant: str, *, queued: bool, component: str | None, endpoint: str, region: str, alarms: Sequence[str]
) -> dict[str, Any]:
    """The body of the dashboard.

    Args:
        variant: the name of the endpoint's variant.
        queued: whether the endpoint is asynchronous.
        component: what stands for the name of its inference component; None without one.
        endpoint: what stands for its name.
        region: what stands for the region.
        alarms: what stands for the ARNs of the alarms.
    """
    of_endpoint = ["EndpointName", endpoint]
    of_model = ["InferenceComponentName", component] if component else [*of_endpoint, "VariantName", variant]
    widgets = [
        _widget(chart, of_model if chart.of_variant else of_endpoint, region, hosted=component is not None)
        for chart in charts(queued=queued)
    ]
    widgets.append({"type": "alarm", "properties": {"title": "Alarms", "alarms": list(alarms)}})
    places = ({"x": WIDE * (i % 2), "y": HIGH * (i // 2), "width": WIDE, "height": HIGH} for i in range(len(widgets)))
    return {"widgets": [place | widget for place, widget in zip(places, widgets, strict=True)]}


def _widget(chart: Chart, of: Sequence[str], region: str, *, hosted: bool) -> dict[str, Any]:
    namespace = COPIES if hosted and chart.namespace == INSTANCES else chart.namespace
    properties = {
        "title": chart.title,
        "region": region,
        "view": "timeSeries",
        "stat": chart.statistic,
        "period": PERIOD,
        "metrics": [[namespace, metric, *of] for metric in chart.metrics],
    }
    return {"type": "metric", "properties": properties}
