"""Your script prints nothing that `hbspec watch` reads, and the spec names no metric of it.

Why: The shipped script prints a metric line for each logged update. SageMaker finds metrics by regular expressions in
the log, and `hbspec watch` and `hbspec verify` read the shipped script's lines: of another script's log they can tell
nothing, and the bounds of `monitoring` end no run. The module `hbspec_job` prints these lines for a `Trainer` of your
own; `monitoring.metrics` names other lines.

Example:

    script: {entry_point: own_silent.py}

Instead:

    script: {entry_point: own_managed.py}  # makes an hbspec_job.Job

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
    https://huggingface.co/docs/transformers/main_classes/callback
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.analysis.own_script import own_script
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.NOTE, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where the script trains without `hbspec_job`, and no metric is named."""
    code, script, monitoring = (
        own_script(analysis.document, analysis.spec),
        analysis.spec.script,
        analysis.spec.monitoring,
    )
    if code is None or script is None or not code.trains or code.has_job or (monitoring and monitoring.metrics):
        return
    yield RULE.at(
        ("script", "entry_point"),
        f"{script.entry_point} makes no hbspec_job.Job, and monitoring.metrics is not set: its log has no metric",
        "use hbspec_job in the script, or set monitoring.metrics",
    )
