"""What of a training job CloudWatch watches: the bounds of `monitoring`, and the series that they are compared with.

SageMaker publishes what the regular expressions of MetricDefinitions find in the log in the namespace
`/aws/sagemaker/TrainingJobs` under the dimension `TrainingJobName`, and the use of each instance there under `Host`,
`JOB/algo-1`, at a frequency of one minute.
https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html#cloudwatch-metrics-jobs
https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html
https://github.com/aws/sagemaker-python-sdk/blob/v2.232.0/src/sagemaker/analytics.py, `TrainingJobAnalytics`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.diagnostics import NotKnownError
from hbspec.plan.counts import updates_between

NAMESPACE = "/aws/sagemaker/TrainingJobs"
OF_JOB, OF_HOST = "TrainingJobName", "Host"
LOSS, GRADIENT, STEP, MEMORY = "train:loss", "train:grad_norm", "train:step_seconds", "train:gpu_memory_bytes"


class Bound(NamedTuple):
    """A bound of `monitoring`.

    Attributes:
        key: below `monitoring`, such as `gpu_memory.max`.
        metric: the series that it bounds.
        value: in the metric's unit; of the loss, updates over which it must decrease.
    """

    key: str
    metric: str
    value: float


class TrainingWatch(NamedTuple):
    """The bounds of a job, and what their alarms depend on.

    Attributes:
        job: the job's name, which its alarms and its dashboard have in theirs, whatever the attempt.
        region: None for the CLI's default.
        account: the account's 12 digits, those of its role.
        instances: their number.
        metrics: the names of all series.
        bounds: those of series that the job sends.
        update_seconds: seconds of an update, at most; None where they are not known.
        line_updates: updates between two lines of the log.
        topic: ARN of the SNS topic that alarms tell; None for none.
        tags: of the alarms.
    """

    job: str
    region: str | None
    account: str
    instances: int
    metrics: tuple[str, ...]
    bounds: tuple[Bound, ...]
    update_seconds: float | None
    line_updates: int
    topic: str | None
    tags: Mapping[str, str]


def training_watch(analysis: Analysis, job: str, role: str, metrics: Mapping[str, str]) -> TrainingWatch | None:
    """The watch of a job; None where the spec bounds nothing that the job sends.

    Args:
        analysis: of the spec.
        job: the job's name.
        role: the ARN of its role.
        metrics: the regular expressions of its metrics, by name.
    """
    spec = analysis.spec
    bounds = tuple(bound for bound in _bounds(analysis) if bound.metric in metrics)
    if spec.monitoring is None or not bounds:
        return None
    return TrainingWatch(
        job=job,
        region=spec.instance.region,
        account=(role.split(":") + [""] * 5)[4],
        instances=spec.instance.count,
        metrics=tuple(metrics),
        bounds=bounds,
        update_seconds=_update_seconds(analysis),
        line_updates=_line_updates(analysis),
        topic=spec.monitoring.alarm_topic,
        tags=spec.sagemaker.tags if spec.sagemaker else {},
    )


def _bounds(analysis: Analysis) -> Iterator[Bound]:
    given = analysis.spec.monitoring
    if given is None:
        return
    if given.loss and given.loss.decreasing_over:
        yield Bound("loss.decreasing_over", LOSS, given.loss.decreasing_over)
    if given.gpu_memory:
        yield Bound("gpu_memory.max", MEMORY, given.gpu_memory.max)
    if given.step_time and given.step_time.max:
        yield Bound("step_time.max", STEP, given.step_time.max)
    if given.step_time and given.step_time.min:
        yield Bound("step_time.min", STEP, given.step_time.min)
    if given.gradient_norm:
        yield Bound("gradient_norm.max", GRADIENT, given.gradient_norm.max)


def _update_seconds(analysis: Analysis) -> float | None:
    try:
        return analysis.time.step_seconds.high
    except NotKnownError:
        return None


def _line_updates(analysis: Analysis) -> int:
    every = analysis.spec.hyperparameters.logging_steps
    if every is None:
        return 1
    try:
        return updates_between(every, analysis.plan.updates)
    except NotKnownError:
        return max(1, int(every))


def of_attempt(job: str, attempt: str) -> tuple[tuple[str, str], ...]:
    r"""What differs in the files of a watch for another attempt at the job: texts, and what takes their places.

    Only dimensions name the attempt, `"Value": "JOB"` in an alarm and `\"JOB\"`, `\"JOB/algo-1\"` in the text of a
    dashboard's body. The names of alarms and dashboard stay the job's, so that each attempt takes over those of the one
    before, and nothing piles up.

    >>> dict(of_attempt("bot-0a", "bot-0a-2"))['"Value": "bot-0a"']
    '"Value": "bot-0a-2"'
    """
    forms = ('"Value": "{}"', '\\"{}\\"', '\\"{}/')
    return tuple((form.format(job), form.format(attempt)) for form in forms)
