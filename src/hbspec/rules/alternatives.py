"""The rules that are asked about an alternative to the job's instance type."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, NotKnownError, Severity
from hbspec.rules.rule import RuleModule

FAMILIES = ("HB1", "HB2", "HB3")
"""Codes of rules on hardware, training, time and money: all others judge what an instance type does not change."""
OTHERWISE_SAID = frozenset({"HB112", "HB113", "HB121"})
"""Rules that judge every type that a spec names, alternatives included."""
OF_THE_FIRST = frozenset({"HB115", "HB304", "HB305", "HB306"})
"""What is wrong with the volume that the first choice needs, or with what is known of prices: no alternative fails."""

ADVICE = frozenset({"HB251", "HB261", "HB262"})
"""Rules on what a GPU could do better or takes long for: no alternative fails."""

UNCERTAIN = frozenset({"HB301", "HB303", "HB312"})
"""Rules on predicted time, whose warnings say that the high end of a wide interval passes a limit: only their errors
speak against an alternative."""


def asked() -> dict[str, RuleModule]:
    """The rules that are asked about an alternative, by code."""
    from hbspec.rules.engine import all_rules  # which finds the rule that asks, too

    left_out = OTHERWISE_SAID | OF_THE_FIRST | ADVICE
    rules = {module.RULE.code: module for module in all_rules() if not module.RULE.once}
    return {code: module for code, module in rules.items() if code.startswith(FAMILIES) and code not in left_out}


def findings(module: RuleModule, analysis: Analysis) -> Iterator[Finding]:
    """The errors of one rule and, unless they are `UNCERTAIN`, its warnings; none where an input is not known."""
    counted = (Severity.ERROR,) if module.RULE.code in UNCERTAIN else (Severity.ERROR, Severity.WARNING)
    try:
        yield from (one for one in module.check(analysis) if one.severity in counted)
    except NotKnownError:
        return
