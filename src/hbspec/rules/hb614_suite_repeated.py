"""Two validation suites of one name.

Why: scores are reported by the suite's name; of two with the same name one would be judged by the other's score.

Example:

    evaluation: [{suite: tool-usage, min_score: 0.9}, {suite: tool-usage, min_score: 0.8}]

Instead:

    evaluation: [{suite: tool-usage, min_score: 0.9}, {suite: reasoning, min_score: 0.8}]

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
    """Every suite whose name an earlier one has."""
    first: dict[str, int] = {}
    for index, suite in enumerate(analysis.spec.evaluation):
        earlier = first.setdefault(suite.suite, index)
        if earlier != index:
            yield RULE.at(
                ("evaluation", index, "suite"),
                f"{suite.suite!r} is also evaluation[{earlier}], with min_score "
                f"{analysis.spec.evaluation[earlier].min_score:g} against {suite.min_score:g}",
                "give it another name, or delete it",
            )
