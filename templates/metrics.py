"""The metric lines that a job prints and the regular expressions that find them again.

SageMaker runs every `MetricDefinitions` regex over each line of the job's log and sends the first group to CloudWatch:
https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

METRICS: dict[str, str] = {
    "train:loss": r"hbspec: .* loss=([-+0-9.eE]+)",
    "train:grad_norm": r"hbspec: .* grad_norm=([-+0-9.eE]+)",
    "train:learning_rate": r"hbspec: .* learning_rate=([-+0-9.eE]+)",
    "train:epoch": r"hbspec: .* epoch=([-+0-9.eE]+)",
    "train:step_seconds": r"hbspec: .* step_seconds=([-+0-9.eE]+)",
    "train:gpu_memory_bytes": r"hbspec: .* gpu_memory_bytes=([0-9]+)",
    "train:gpu_peak_allocated_bytes": r"hbspec: .* gpu_peak_allocated_bytes=([0-9]+)",
    "eval:loss": r"hbspec: .* eval_loss=([-+0-9.eE]+)",
}
"""Metric name to regex. The blank before each key keeps `loss` from matching in `eval_loss`.

loss and eval_loss are means per trained token; step_seconds is the mean wall time of an update since the last line,
without evaluation and saving; gpu_memory_bytes is what is in use on the fullest GPU of all ranks (by all processes, as
nvidia-smi counts), gpu_peak_allocated_bytes the largest torch.cuda.max_memory_allocated; neither without a GPU.

A line holds more, which `hbspec watch` reads and CloudWatch does not get: gpu_reserved_bytes, the largest
torch.cuda.max_memory_reserved; tokens, what a rank computed in an update, padding included; longest, the tokens of the
longest row; unevenness, the mean square of the rows' lengths over the square of their mean.
"""

RUN, DONE = "hbspec: run ", "hbspec: done "
"""What a line begins with that says which run begins, and one that says how it ended; JSON follows."""

SAID_AT_THE_END = ("updates", "last_step", "stopped_by", "examples_consumed")
"""What the last line of the log says: of this start but for the last step."""


def line(step: int, values: Mapping[str, float | int]) -> str:
    """One metric line, `hbspec: step=12 loss=2.3456 ...`, six significant digits, whole numbers in full.

    >>> line(12, {"loss": 2.34567891, "gpu_memory_bytes": 12345678901})
    'hbspec: step=12 loss=2.34568 gpu_memory_bytes=12345678901'
    """
    shown = [f"{name}={value}" if isinstance(value, int) else f"{name}={value:.6g}" for name, value in values.items()]
    return " ".join([f"hbspec: step={step}", *shown])


def run(values: Mapping[str, Any]) -> str:
    """The line that says which run begins to train."""
    return RUN + json.dumps(values)


def done(counted: Mapping[str, Any]) -> str:
    """The line that says how this start of the run ended.

    >>> done({"updates": 4, "last_step": 4, "stopped_by": None, "examples_consumed": 8, "best": None})
    'hbspec: done {"updates": 4, "last_step": 4, "stopped_by": null, "examples_consumed": 8}'
    """
    return DONE + json.dumps({name: counted[name] for name in SAID_AT_THE_END})
