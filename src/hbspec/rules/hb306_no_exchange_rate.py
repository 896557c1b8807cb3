"""A price is in another currency than the budget, and the spec has no rate between them.

Why: currencies never mix silently. Without a rate no cost can be compared with the budget.

Example:

    budget: {max_cost: 700 CAD}

Instead:

    budget: {max_cost: 700 CAD, exchange_rates: {USD: {rate: 1.38, date: 2026-11-02}}}

References:

    https://www.iso.org/iso-4217-currency-codes.html
    https://repost.aws/knowledge-center/non-us-currency
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """The job's price; a claim in another currency is a matter of that claim."""
    price, money = analysis.plan.price, analysis.plan.currencies
    if price is None or money.budget is None or price.rate.currency in (money.budget, *money.rates):
        return
    currency = price.rate.currency
    yield RULE.at(
        ("budget", "max_cost"),
        f"the budget is in {money.budget}, the price, {price.rate}, in {currency}: no rate between them is given",
        f"add budget.exchange_rates: {{{currency}: {{rate: …, date: …}}}}, one {currency} in {money.budget}",
    )
