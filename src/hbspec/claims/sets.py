"""A claim as a set: what the author's words allow.

A plain value means itself, give or take one unit of its last written digit or 1 %, whichever is larger; `a..b`,
`..b` and `a..` are inclusive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import inf

from hbspec.units import (
    BYTE_UNITS,
    COUNT_UNITS,
    PERIODS,
    TIME_UNITS,
    UnitError,
    decimal,
    parse_bytes,
    parse_count,
    parse_money,
    parse_rate,
    parse_seconds,
    split_quantity,
)

TOLERANCE = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class ClaimSet:
    """The closed set of values that a claim allows, in base units; `currency` where it is of money."""

    low: float
    high: float
    currency: str | None = None


KINDS: dict[str, Callable[[str], float]] = {
    "count": parse_count,
    "bytes": parse_bytes,
    "seconds": parse_seconds,
    "money": lambda text: float(parse_money(text).amount),
    "rate": lambda text: float(parse_rate(text).per_hour),
}
_WRITTEN = {
    "count": f"a number (suffixes: {', '.join(COUNT_UNITS)})",
    "bytes": f"a size (units: {', '.join(BYTE_UNITS)})",
    "seconds": f"a duration (units: {', '.join(TIME_UNITS)})",
    "money": 'an amount with its currency, "525 CAD"',
    "rate": f'a price, "36 CAD/h" (periods: {", ".join(PERIODS)})',
}


def parse_claim(text: str, kind: str) -> ClaimSet:
    """The set that a claim's text describes.

    Raises:
        UnitError: no value or range of this kind; the message says how one is written.

    >>> parse_claim("4.4", "count")
    ClaimSet(low=4.3, high=4.5, currency=None)
    >>> parse_claim("..35 GB", "bytes")
    ClaimSet(low=-inf, high=35000000000.0, currency=None)
    """
    low, dots, high = text.strip().partition("..")
    try:
        if not dots:
            return _around(low, kind)
        low, high = low.strip(), high.strip()
        if not low and not high:
            raise UnitError(f"{text!r} has neither end")
        return _checked(
            ClaimSet(
                _value(low, kind) if low else -inf, _value(high, kind) if high else inf, _currency(low or high, kind)
            ),
            text,
        )
    except UnitError as reason:
        raise UnitError(f"{reason}; it is claimed as {_WRITTEN[kind]}, or as a..b, ..b, a..") from None


def _value(text: str, kind: str) -> float:
    return float(KINDS[kind](text))


def _around(text: str, kind: str) -> ClaimSet:
    value = Decimal(str(_value(text, kind)))
    number = decimal(split_quantity(text.partition("/")[0])[0])
    exponent = number.as_tuple().exponent
    last_digit = Decimal(10) ** exponent if isinstance(exponent, int) else Decimal(0)
    unit = value / number if number else Decimal(1)
    slack = max(abs(last_digit * unit), abs(value) * TOLERANCE)
    return ClaimSet(float(value - slack), float(value + slack), _currency(text, kind))


def _currency(text: str, kind: str) -> str | None:
    if kind == "money":
        return parse_money(text).currency
    return parse_rate(text).currency if kind == "rate" else None


def _checked(claim: ClaimSet, text: str) -> ClaimSet:
    if claim.low > claim.high:
        raise UnitError(f"{text!r} is empty: its low end is above its high end")
    return claim
