"""Predicted GPU memory exceeds `monitoring.gpu_memory`.

Why: An alarm below what the job needs fires from the first step and is soon ignored; an alarm at the edge fires by
chance. It is an error if even the low end of the estimate exceeds the limit, and a warning if only the high end does.

Example:

    monitoring: {gpu_memory: {max: 20 GB}}

Instead:

    monitoring: {gpu_memory: {max: 40 GB}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html
    https://pytorch.org/docs/stable/notes/cuda.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.causes import Beside
from hbspec.rules.rule import Rule
from hbspec.units import bytes_text, interval_text

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY, (Beside("HB109"),))


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `monitoring.gpu_memory.max` with the bytes of the process on the fullest GPU."""
    watched = analysis.spec.monitoring and analysis.spec.monitoring.gpu_memory
    if not watched:
        return
    needed = analysis.memory.fullest.process
    if needed.high > watched.max:
        certain = needed.low > watched.max
        yield RULE.at(
            ("monitoring", "gpu_memory", "max"),
            f"the fullest GPU is predicted to use {interval_text(needed, bytes_text)}, "
            f"{'above' if certain else 'perhaps above'} monitoring.gpu_memory.max ({bytes_text(watched.max)})",
            f"set monitoring.gpu_memory.max above {bytes_text(needed.high)}",
            severity=Severity.ERROR if certain else Severity.WARNING,
        )
