"""A suite's `min_score` lets every model pass, or none that is not perfect.

Why: A suite is there to keep a bad model from being deployed. At 0 every model passes, however bad; at 1 one failed
case fails the model, so that the bar is lowered by hand as soon as it is in the way. Suites that a program decides,
such as those of a format or a schema, may ask for all of their cases, and are not reported at 1.

Example:

    evaluation: [{suite: tool-usage, min_score: 0}]

Instead:

    evaluation: [{suite: tool-usage, min_score: 0.8}]

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-foundation-model-evaluate.html
    https://github.com/EleutherAI/lm-evaluation-harness
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)
DECIDED = r"json|yaml|schema|format|syntax|valid|pars|compil|safe|secur|refus|leak|pii|smoke|regress|sanity"
"""Parts of the names of suites of which all cases can be asked for."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for suites at 0, and for those at 1 whose name does not say that a program decides them."""
    for index, suite in enumerate(analysis.spec.evaluation):
        route = ("evaluation", index, "min_score")
        if suite.min_score == 0:
            said = f"min_score 0 of {suite.suite!r} lets every model pass"
            yield RULE.at(route, said, "set min_score to the lowest score at which you would deploy the model")
        elif suite.min_score == 1 and not re.search(DECIDED, suite.suite.lower()):
            said = f"min_score 1 of {suite.suite!r} fails every model that misses one case"
            action = "set min_score to the lowest score at which you would deploy the model"
            yield RULE.at(route, said, action, confidence=Confidence.LIKELY)
