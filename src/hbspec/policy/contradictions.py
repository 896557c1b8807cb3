"""What a policy says that cannot all hold, so that nothing is judged by it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.diagnostics import Route
from hbspec.policy.patterns import IN_S3
from hbspec.policy.sections import PolicyLines
from hbspec.units import Money

Contradiction = tuple[Route, str, str]
"""The route, what is wrong in two numbers or names, and one action."""

NOT_JUDGED = frozenset(("policy", "name", "exchange_rates", "accept_own_figures"))
"""Keys that allow and refuse nothing."""
PRICED_IN = "USD"
"""The currency of the catalog's prices."""


def contradictions(lines: PolicyLines) -> Iterator[Contradiction]:
    """Everything that keeps a policy from being used."""
    if not lines.model_fields_set - NOT_JUDGED:
        yield (), "the policy has no line, so that everything would be allowed", "write a line, such as `regions:`"
    yield from _of_amounts(lines)
    for key in ("regions", "instance_types", "licences", "models", "registries", "data_prefixes", "output_prefixes"):
        for index, text in enumerate(getattr(lines, key) or ()):
            if text != text.strip():
                yield (key, index), f"{text!r} begins or ends with a space, so that nothing matches it", "delete it"
    for key in ("data_prefixes", "output_prefixes"):
        for index, prefix in enumerate(getattr(lines, key) or ()):
            if not re.fullmatch(rf"{IN_S3}[^/*?\s]+(?:/[^*?\s]*)?", prefix):
                message = f"{prefix!r} is not an S3 prefix: `*` has no meaning here"
                yield (key, index), message, "write it as in s3://acme-data/train/"


def _of_amounts(lines: PolicyLines) -> Iterator[Contradiction]:
    amounts: dict[Route, Money | None] = {
        ("max_job_cost",): lines.max_job_cost,
        ("max_monthly_cost",): lines.max_monthly_cost,
        ("approvals", "above"): lines.approvals.above if lines.approvals else None,
    }
    given = {route: amount for route, amount in amounts.items() if amount is not None}
    currencies = {amount.currency: route for route, amount in given.items()}
    if len(currencies) > 1:
        (one, first), (other, second) = list(currencies.items())[:2]
        message = f"one amount is in {one} ({'.'.join(map(str, first))}), another in {other}"
        yield second, message, "write all amounts in one currency"
        return
    for currency in currencies:
        if currency != PRICED_IN and PRICED_IN not in lines.exchange_rates:
            message = f"the amounts are in {currency}, prices in {PRICED_IN}, and exchange_rates has no {PRICED_IN}"
            yield currencies[currency], message, f"add exchange_rates: {{{PRICED_IN}: {{rate: …, date: …}}}}"
        if currency in lines.exchange_rates:
            message = f"the amounts are in {currency} already"
            yield ("exchange_rates", currency), message, "delete this rate"
    most, approved = lines.max_job_cost, lines.approvals
    if most and approved and approved.above.amount >= most.amount:
        message = f"approvals begin above {approved.above}, but no job above max_job_cost ({most}) is allowed"
        yield ("approvals", "above"), message, "lower approvals.above, or raise max_job_cost"
