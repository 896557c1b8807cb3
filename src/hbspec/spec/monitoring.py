"""The sections of a spec on what is watched while training, and evaluated after it, as types."""

from typing import Annotated

from pydantic import Field

from hbspec.spec.fields import (
    Bytes,
    Fraction,
    Seconds,
    Section,
    Steps,
    Text,
)


class LossMonitor(Section):
    """Alarm on the training loss; the shipped script ends a run whose loss has not decreased."""

    decreasing_over: Steps | None = Field(None, description='Steps over which the loss must decrease, `"300 steps"`.')


class MemoryMonitor(Section):
    """Alarm on GPU memory; the shipped script ends a run that stays above it."""

    max: Bytes = Field(description="Largest allowed memory use of one GPU.")


class StepTimeMonitor(Section):
    """Alarm on the step time; the shipped script ends a run that stays outside."""

    min: Seconds | None = Field(None, description="Shortest allowed step time.")
    max: Seconds | None = Field(None, description="Longest allowed step time.")


class GradientMonitor(Section):
    """Alarm on the gradient norm; the shipped script ends a run that stays above it."""

    max: Annotated[float, Field(gt=0, le=10**12)] = Field(description="Largest allowed norm before clipping.")


class Metric(Section):
    """A metric of your script: a regular expression with one group, matched in its log."""

    name: Text = Field(description="Name of the metric.")
    regex: Annotated[str, Field(min_length=1, max_length=500)] = Field(
        description="Regular expression whose one group is the number."
    )


class Monitoring(Section):
    """Alarms and metrics during training."""

    loss: LossMonitor | None = None
    gpu_memory: MemoryMonitor | None = None
    step_time: StepTimeMonitor | None = None
    gradient_norm: GradientMonitor | None = None
    alarms: bool = Field(
        True,
        description="Whether the submission of a SageMaker job sets CloudWatch alarms for what is watched here, and a "
        "dashboard; the target `monitoring` makes a stack of them either way.",
    )
    alarm_topic: Text | None = Field(None, description="ARN of the SNS topic that the alarms tell.")
    metrics: Annotated[tuple[Metric, ...], Field(strict=False)] = ()


class Suite(Section):
    """A validation suite and the score that it must reach."""

    suite: Text = Field(description="Name of the suite; `lm-eval:TASK` for a task of lm-evaluation-harness.")
    min_score: Fraction = Field(description="Lowest accepted score, 0 to 1.")
    data: Text | None = Field(None, description="Path or URI of the suite's cases.")
    items: Annotated[int, Field(gt=0, le=100_000)] | None = Field(
        None, description="Number of items that are asked; 200 by default, or all where the suite has fewer."
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = Field(
        None, description="Seed from which the items are drawn; 0 by default."
    )
