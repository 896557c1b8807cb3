"""Memory that will exceed the author's own alarm.

Why: an alarm below what the job needs rings from the first step on, and is soon ignored; one at the edge rings by
chance. An error where even the low end of the estimate is above the limit, a warning where the high end is.

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
    """`monitoring.gpu_memory.max` against the process bytes of the fullest GPU."""
    watched = analysis.spec.monitoring and analysis.spec.monitoring.gpu_memory
    if not watched:
        return
    needed = analysis.memory.fullest.process
    if needed.high > watched.max:
        certain = needed.low > watched.max
        yield RULE.at(
            ("monitoring", "gpu_memory", "max"),
            f"the alarm is at {bytes_text(watched.max)}, and the fullest GPU {'will' if certain else 'may'} hold "
            f"{interval_text(needed, bytes_text)}",
            f"set it above {bytes_text(needed.high)}, or make the job smaller",
            severity=Severity.ERROR if certain else Severity.WARNING,
        )
