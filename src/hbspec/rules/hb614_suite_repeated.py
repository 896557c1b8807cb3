"""Two evaluation suites have the same name.

Why: Scores are reported by suite name, so one of two suites with the same name would be judged by the other's score.

Example:

    evaluation: [{suite: tool-usage, min_score: 0.9}, {suite: tool-usage, min_score: 0.8}]

Instead:

    evaluation: [{suite: tool-usage, min_score: 0.9}, {suite: reasoning-quality, min_score: 0.8}]

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-foundation-model-evaluate.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for suites that have the name of an earlier one."""
    first: dict[str, int] = {}
    for index, suite in enumerate(analysis.spec.evaluation):
        earlier = first.setdefault(suite.suite, index)
        if earlier != index:
            yield RULE.at(
                ("evaluation", index, "suite"),
                f"evaluation[{earlier}] is also named {suite.suite!r}; its min_score is "
                f"{analysis.spec.evaluation[earlier].min_score:g}, this one's is {suite.min_score:g}",
                "rename this suite, or delete it",
            )
