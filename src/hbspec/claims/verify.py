"""Compares each claim of `expect` with the quantity computed from the spec."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.claims.quantities import Quantity, quantity, text_of
from hbspec.claims.sets import ClaimSet, parse_claim, range_around
from hbspec.diagnostics import Missing, NotKnownError, Route
from hbspec.digits import UnitError
from hbspec.showing.secrets import redact
from hbspec.units import Interval, interval_text

CONFIRMED, CONTRADICTED, UNDECIDED = "confirmed", "contradicted", "undecided"
UNKNOWN, MALFORMED = "unknown", "malformed"


class Claim(NamedTuple):
    """One line of `expect` with its verdict.

    Attributes:
        verdict: confirmed (the computed interval lies inside the claim), contradicted (disjoint), undecided, unknown
            (an input is missing: `reason` says which) or malformed (unknown key or unreadable value: `reason`).
        inputs: the inputs of the formula, in numbers.
        computed: the computed interval in base units, in the claim's currency.
        cause: the route of the missing input of an unknown claim; None where it is not known.
        exceeded: whether the whole computed interval lies above the claim.
    """

    key: str
    believed: str
    verdict: str
    computed: Interval | None = None
    currency: str | None = None
    quantity: Quantity | None = None
    reason: str = ""
    inputs: str = ""
    cause: Route | None = None
    exceeded: bool = False

    @property
    def computed_text(self) -> str:
        """The computed interval as a message shows it."""
        if self.computed is None or self.quantity is None:
            return "not known"
        return interval_text(self.computed, text_of(self.quantity.kind, self.currency))

    @property
    def computed_range(self) -> str:
        """The computed interval as a claim that it confirms, in the unit of this claim."""
        if self.computed is None or self.quantity is None:
            return "not known"
        return range_around(self.computed.low, self.computed.high, self.believed, self.quantity.kind)

    def to_dict(self) -> dict[str, Any]:
        """One entry of `claims` in `hbspec estimate --format json`."""
        return {
            "key": self.key,
            "believed": self.believed,
            "computed": self.computed and self.computed.to_dict(),
            "verdict": self.verdict,
        }


@lru_cache(maxsize=1)
def verify(analysis: Analysis) -> tuple[Claim, ...]:
    """Every claim of the spec, in the author's order; cached, since several rules use it one after the other."""
    return tuple(_judge(analysis, key, text) for key, text in analysis.spec.expect.items())


def _judge(analysis: Analysis, key: str, text: str) -> Claim:
    found = quantity(key)
    if found is None:
        return Claim(key, redact(text), MALFORMED, reason="this quantity does not exist")
    try:
        claimed = parse_claim(text, found.kind)
        computed, currency = in_currency(analysis, *found.compute(analysis), claimed.currency)
        inputs = found.inputs(analysis, text)
    except UnitError as reason:
        return Claim(key, redact(text), MALFORMED, quantity=found, reason=str(reason))
    except NotKnownError as reason:
        return Claim(key, text, UNKNOWN, quantity=found, reason=str(reason), cause=reason.route)
    exceeded = computed.low > claimed.high
    return Claim(key, text, verdict(computed, claimed), computed, currency, found, inputs=inputs, exceeded=exceeded)


def verdict(computed: Interval, claimed: ClaimSet) -> str:
    """Confirmed if the interval lies inside the claim, contradicted if disjoint, otherwise undecided."""
    if claimed.low <= computed.low and computed.high <= claimed.high:
        return CONFIRMED
    if computed.high < claimed.low or claimed.high < computed.low:
        return CONTRADICTED
    return UNDECIDED


def in_currency(
    analysis: Analysis, computed: Interval, currency: str | None, wanted: str | None
) -> tuple[Interval, str | None]:
    """An amount in the claim's currency, by the author's exchange rates; other quantities unchanged.

    Raises:
        NotKnownError: the spec has no exchange rate between the two.
    """
    if currency is None or wanted is None or currency == wanted:
        return computed, currency
    money = analysis.plan.currencies
    if wanted == money.budget and currency in money.rates:
        return computed * float(money.rates[currency]), wanted
    if currency == money.budget and wanted in money.rates:
        return computed * (1 / float(money.rates[wanted])), wanted
    lacking = f"an exchange rate between {currency} and {wanted} (budget.exchange_rates)"
    raise NotKnownError(Missing(lacking, ("budget",)))
