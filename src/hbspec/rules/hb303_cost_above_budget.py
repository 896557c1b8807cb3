"""The predicted cost exceeds `budget.max_cost`.

Why: No launcher stops a job when it has spent a given sum, so a budget can only be enforced before the job starts.

Example:

    instance: {type: null, gpu: A100-40, gpus: 8, price: 12 USD/h, max_runtime: null}
    budget: {max_cost: 1 USD}

Instead:

    instance: {type: null, gpu: A100-40, gpus: 8, price: 12 USD/h, max_runtime: null}
    budget: {max_cost: 100 USD}

References:

    https://github.com/skypilot-org/skypilot/issues/8766
    https://github.com/skypilot-org/skypilot/issues/3103
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.estimators.job.cost import most_it_can_cost
from hbspec.rules.causes import Beside, undecided, undecided_beside_an_error
from hbspec.rules.rule import Rule
from hbspec.units import money_text

RULE = Rule(
    __name__,
    Severity.ERROR,
    Confidence.LIKELY,
    (Beside("HB109", undecided_beside_an_error), Beside("HB302", undecided)),
)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where the predicted cost exceeds the budget: an error if even its low end does, a warning otherwise."""
    budget = analysis.spec.budget
    if budget is None:
        return
    cost, limit = analysis.cost, budget.max_cost
    if cost.high <= limit.amount:
        return
    yield RULE.at(
        ("budget", "max_cost"),
        f"the job is predicted to cost {money_text(cost.low)} to {money_text(cost.high)} {cost.currency} "
        f"(expected {money_text(cost.expected)}), but budget.max_cost is {limit}",
        "raise budget.max_cost, or train less",
        severity=Severity.ERROR if cost.low > limit.amount else Severity.WARNING,
        instead=(f"{_enough(analysis)} {cost.currency}",),
    )


def _enough(analysis: Analysis) -> int:
    """A budget in whole units that pays for the predicted cost and for the whole of `max_runtime`."""
    limited = analysis.plan.max_runtime is not None
    return ceil(max(analysis.cost.high, most_it_can_cost(analysis.plan).amount if limited else 0))
