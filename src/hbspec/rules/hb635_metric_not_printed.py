"""A metric's regular expression finds nothing in the lines of the shipped script.

Why: The shipped script prints one metric line per logged update, `hbspec: step=12 loss=2.34568 grad_norm=…`, instead of
the dictionaries of the plain Trainer, and already sends the values as metrics: `train:loss`, `train:grad_norm`,
`train:learning_rate`, `train:epoch`, `train:step_seconds`, `train:gpu_memory_bytes` and `eval:loss`. An expression for
another script's lines stays empty for the whole job.

Example:

    monitoring: {metrics: [{name: my_loss, regex: "'loss': ([-+0-9.eE]+)"}]}

Instead:

    monitoring: {metrics: [{name: my_loss, regex: " loss=([-+0-9.eE]+)"}]}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
    https://huggingface.co/docs/transformers/main_classes/callback
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.plan.shipped_script import PRINTED
from hbspec.rules.metric_group import first_group
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)
LINE = "hbspec: " + " ".join(f"{name}=0" for name in PRINTED) + " "


def check(analysis: Analysis) -> Iterator[Finding]:
    """Look for the text before the group in a metric line; your own script prints what it likes."""
    monitoring = analysis.spec.monitoring
    if monitoring is None or not analysis.spec.shipped:
        return
    for index, metric in enumerate(monitoring.metrics):
        group = first_group(metric.regex)
        if group is not None and group.numbers and group.before.strip() and not _printed(group.before):
            yield RULE.at(
                ("monitoring", "metrics", index, "regex"),
                f"the regex of metric {metric.name!r} looks for {group.before!r}, which the script's metric lines lack",
                f"look for one of {', '.join(f'{name}=' for name in PRINTED)}",
            )


def _printed(text: str) -> bool:
    """Whether a metric line may contain a text, up to the digits of the numbers in it."""
    return re.sub(r"=[0-9.eE+-]+", "=0", text) in LINE
