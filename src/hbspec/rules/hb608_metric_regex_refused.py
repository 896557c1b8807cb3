r"""The regular expression of a metric cannot capture a value.

Why: SageMaker searches the log with it and takes the number that its first group captures. Without a group, or if it
does not compile, the metric stays empty for the whole job. A group that takes words captures no number, `(\w+)` takes 0
of 0.5, a lazy group at the end takes nothing, and `(.*)` takes the rest of the line. A group without an exponent takes
9.6 of a learning rate of 9.6e-05.

Example:

    monitoring: {metrics: [{name: loss, regex: "loss=[0-9.]+"}]}

Instead:

    monitoring: {metrics: [{name: loss, regex: " loss=([-+0-9.eE]+)"}]}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_MetricDefinition.html
    https://github.com/huggingface/notebooks/issues/61
    https://github.com/aws/sagemaker-python-sdk/issues/3208
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.metric_group import Group, first_group
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
NUMBER = "([-+0-9.eE]+)"
RATES = r"learning_?rate|(?:^|[^a-z])lr(?![a-z])"
FRACTIONS = rf"{RATES}|loss|norm|accuracy|perplexity|rouge|bleu|reward|(?:^|[^a-z])(?:acc|ppl|f1)(?![a-z])"
"""Names of what is hardly ever a whole number."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for expressions that do not compile, have no group, or have one that does not take a number.

    They are never run on a log, so a slow one does no harm. `(.*?);` and other groups that end at what follows are
    silent, as are those of AWS's and Hugging Face's examples, except for learning rates.
    """
    monitoring = analysis.spec.monitoring
    for index, metric in enumerate(monitoring.metrics if monitoring else ()):
        wrong, severity = _refused(metric.regex), Severity.ERROR
        action = "put a group around the number, as in `loss=([-+0-9.eE]+)`"
        if not wrong and (group := first_group(metric.regex)) is not None:
            wrong, severity = _taken(group, f"{metric.name} {group.before}".lower())
            action = f"write the group as {NUMBER}" if group.second is None else "make the other groups (?:…)"
        if wrong:
            route = ("monitoring", "metrics", index, "regex")
            yield RULE.at(route, f"the regex of metric {metric.name!r} {wrong}", action, severity=severity)


def _refused(expression: str) -> str:
    try:
        with warnings.catch_warnings(action="ignore"):
            groups = re.compile(expression).groups
    except (re.error, RecursionError, OverflowError) as reason:
        return f"does not compile: {reason}"
    return "" if groups else "captures nothing: it has no (group)"


def _taken(group: Group, name: str) -> tuple[str, Severity]:
    """What is wrong with what a group takes, and whether that is certain."""
    shown = f"({group.inside})"
    ends = re.fullmatch(r"\\?[,;:\s]?\$?", group.after) is not None
    if not group.numbers:
        return f"captures no number: {shown} takes none", Severity.ERROR
    if group.lazy and not group.after:
        least = "nothing" if group.inside.endswith("*?") else "as little as it can"
        return f"captures {least}: {shown} is lazy, and nothing follows it", Severity.ERROR
    if group.rest and not group.lazy and ends:
        return f"captures more than a number: {shown} takes the rest of the line", Severity.WARNING
    if group.words and not group.decimals:
        return f"captures words: {shown} takes 'loss', and of 2.345 only a part", Severity.WARNING
    if group.second is not None:
        return f"has two groups that take numbers, and only the first, {shown}, is captured", Severity.WARNING
    if not group.decimals and re.search(FRACTIONS, name):
        return f"captures a part of a fraction: {shown} does not take 2.345", Severity.WARNING
    if not group.exponents and re.search(RATES, name):
        return f"captures a part of a small number: {shown} does not take 9.6e-05", Severity.WARNING
    return "", Severity.WARNING
