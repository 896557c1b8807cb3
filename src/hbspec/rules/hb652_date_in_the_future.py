"""An exchange rate has a date in the future.

Why: A rate is known on its day. A date that is still to come is mistyped, and keeps the rate from ever being reported
as old.

Example:

    budget: {exchange_rates: {CAD: {rate: 0.73, date: 2062-11-02}}}

Instead:

    budget: {exchange_rates: {CAD: {rate: 0.73, date: 2026-11-02}}}

References:

    https://www.bankofcanada.ca/rates/exchange/daily-exchange-rates/
    https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)
ELSEWHERE = timedelta(days=1)
"""It may be tomorrow already where the rate was read."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the date of every exchange rate with the day of the check."""
    budget = analysis.spec.budget
    for currency, entry in budget.exchange_rates.items() if budget is not None else ():
        if entry.date > analysis.as_of + ELSEWHERE:
            yield RULE.at(
                ("budget", "exchange_rates", currency, "date"),
                f"the exchange rate of {currency} is of {entry.date}, and today is {analysis.as_of}",
                "write the day on which you looked the rate up",
            )
