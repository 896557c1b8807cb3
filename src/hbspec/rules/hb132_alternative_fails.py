"""The job fails on an alternative to its instance type, where the first choice does not.

Why: An alternative is used on a day on which the first choice has no capacity, and nobody checks it that day. Its GPUs
may have less memory, no bfloat16 or no FlashAttention, its host less memory or a disk of 30 GB, its price may pass the
budget and its speed the time limit. Every check of the job is made for each alternative, with the catalog's price.

Example:

    instance: {alternatives: [ml.g4dn.12xlarge]}

Instead:

    instance: {alternatives: [ml.p4de.24xlarge]}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/cmn-info-instance-types.html
    https://aws.amazon.com/sagemaker/ai/pricing/
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from hbspec.analysis import Analysis
from hbspec.diagnostics import SEVERITY_ORDER, Confidence, Finding, Severity
from hbspec.rules.alternatives import asked, findings
from hbspec.rules.causes import gathered
from hbspec.rules.hb133_alternative_trains_otherwise import differences
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY, once=True)


def check(analysis: Analysis) -> Iterator[Finding]:
    """One finding for an alternative with errors or warnings that the first choice does not have."""
    if not analysis.alternatives:
        return
    modules = asked()
    relation = {code: module.RULE.beside for code, module in modules.items()}

    @cache
    def worst(code: str) -> int:
        """The rank of what a rule says about the first choice."""
        return min((_rank(one) for one in findings(modules[code], analysis)), default=len(SEVERITY_ORDER))

    for route, name, other in analysis.alternatives:
        found = (one for module in modules.values() for one in findings(module, other))
        worse = [one for one in found if _rank(one) < worst(one.code)]
        if worse:
            first, *others = sorted(gathered(worse, relation), key=_rank)
            more = ", ".join(dict.fromkeys(one.code for one in others if one.code != first.code))
            otherwise = differences(analysis, other)
            yield RULE.at(
                route,
                f"on {name}, {first.message} ({first.code}{f'; also {more}' if more else ''})"
                f"{f'; {otherwise}' if otherwise else ''}",
                f"remove {name} from the alternatives, or give it a spec of its own",
                confidence=first.confidence,
            )


def _rank(finding: Finding) -> int:
    return SEVERITY_ORDER[finding.severity]
