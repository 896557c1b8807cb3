"""The price and the budget are in different currencies, and no exchange rate is given.

Why: Currencies are never mixed silently. Without an exchange rate the cost cannot be compared with the budget.

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
    """A finding where the job's price cannot be converted to the budget's currency; claims are checked by HB404."""
    price, money = analysis.plan.price, analysis.plan.currencies
    if price is None or money.budget is None or price.rate.currency in (money.budget, *money.rates):
        return
    currency = price.rate.currency
    yield RULE.at(
        ("budget", "max_cost"),
        f"budget.max_cost is in {money.budget}, but the price ({price.rate}) is in {currency}, and no rate is given",
        f"add budget.exchange_rates: {{{currency}: {{rate: …, date: …}}}}, the value of 1 {currency} in {money.budget}",
    )
