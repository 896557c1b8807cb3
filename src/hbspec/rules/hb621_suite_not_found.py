"""An evaluation suite has no cases: their file does not exist, or none is named and none are built in.

Why: The suite is run after the training, when the instance was paid for; without its cases it gives no score, and
nothing decides whether the model may be deployed.

Example:

    evaluation: [{suite: tool-usage, min_score: 0.9, data: ./suites/tool-usage.jsonl}]

Instead:

    evaluation: [{suite: tool-usage, min_score: 0.9, data: "s3://bucket/suites/tool-usage.jsonl"}]

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-foundation-model-evaluate.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan.suites import FROM_VALIDATION, GENERATED, planned_suites
from hbspec.rules.rule import Rule
from hbspec.source.paths import UnreadablePathError, contained
from hbspec.spelling import nearest, typo_of

RULE = Rule(__name__, Severity.WARNING)
BUILT_IN = (*GENERATED, *FROM_VALIDATION)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for suites with no cases, and for paths without a scheme that name neither a file nor a folder.

    A path is that of a file beside the file that wrote it.
    """
    document = analysis.document
    for index, suite in enumerate(planned_suites(analysis.spec)):
        if suite.lacks_cases:
            route, meant = ("evaluation", index, "suite"), typo_of(suite.name, BUILT_IN)
            fixes = (Fix(f"change it to {meant}", route, meant),) if meant and meant != suite.name else ()
            yield RULE.at(route, *_missing(suite.name), fixes=fixes)
            continue
        if suite.data is None or ":" in suite.data or suite.route[0] != "evaluation":
            continue
        base = document.origin(suite.route)
        try:
            contained(suite.data, base, base, allow_outside=True)
        except UnreadablePathError as reason:
            if "is a folder" not in str(reason):
                yield RULE.at(suite.route, str(reason), "give the path relative to this file, or an S3 URI")


def _missing(name: str) -> tuple[str, str]:
    """What is missing of a suite without cases, and what to do."""
    if name in FROM_VALIDATION:
        return f"{name} asks the prompts of the validation split, but the spec names none", "set data.validation.uri"
    near = nearest(name, BUILT_IN)
    action = f"did you mean {near}?" if near else "set data of this suite to a file of items"
    return f"{name} is not built in, and names no data", action
