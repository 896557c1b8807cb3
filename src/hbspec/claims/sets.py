"""A claim as a set: what the author's words allow.

A count written in full digits (`9600`, `9,600`) means exactly itself. Any other plain value (`9.6K`, `~9600`, `1e3`,
every value of another kind) means itself, give or take half a unit of its last written digit or 1 %, whichever is
larger. `a..b`, `..b` and `a..` are inclusive.
"""

from __future__ import annotations

import re
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
)

TOLERANCE = Decimal("0.01")
HALF = Decimal("0.5")
WHOLE = "count"
"""The kind whose values are whole numbers, and exact where all their digits are written."""


@dataclass(frozen=True, slots=True)
class ClaimSet:
    """The closed set of values that a claim allows, in base units; `currency` where it is of money."""

    low: float
    high: float
    currency: str | None = None


KINDS: dict[str, Callable[[str], float]] = {
    WHOLE: parse_count,
    "ratio": parse_count,
    "bytes": parse_bytes,
    "seconds": parse_seconds,
    "money": lambda text: float(parse_money(text).amount),
    "rate": lambda text: float(parse_rate(text).per_hour),
}
_NUMBER = f"a number (suffixes: {', '.join(COUNT_UNITS)})"
_WRITTEN = {
    WHOLE: _NUMBER,
    "ratio": _NUMBER,
    "bytes": f"a size (units: {', '.join(BYTE_UNITS)})",
    "seconds": f"a duration (units: {', '.join(TIME_UNITS)})",
    "money": 'an amount with its currency, "525 CAD"',
    "rate": f'a price, "36 CAD/h" (periods: {", ".join(PERIODS)})',
}
_FULL_DIGITS = re.compile(r"\+?\d[\d_,]*")
_PARTS = re.compile(r"([\d_,.]+(?:[eE][+-]?\d+)?)([^\d.]*)")
"""Each number and its unit: two of them in `1h30m`."""


def parse_claim(text: str, kind: str) -> ClaimSet:
    """The set that a claim's text describes.

    Raises:
        UnitError: no value or range of this kind; the message says how one is written.

    >>> parse_claim("4.4", "ratio")
    ClaimSet(low=4.35, high=4.45, currency=None)
    >>> parse_claim("9,600", "count")
    ClaimSet(low=9600.0, high=9600.0, currency=None)
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
    slack = Decimal(0) if _is_exact(text, kind) else max(HALF * _last_digit(text, kind), abs(value) * TOLERANCE)
    return ClaimSet(float(value - slack), float(value + slack), _currency(text, kind))


def _is_exact(text: str, kind: str) -> bool:
    return kind == WHOLE and _FULL_DIGITS.fullmatch(text) is not None


def _last_digit(text: str, kind: str) -> Decimal:
    """What one more of the last written digit is worth, in base units."""
    *_, (number, unit) = _PARTS.findall(text)
    return Decimal(str(_value(f"1E{decimal(number).as_tuple().exponent}{unit}", kind)))


def _currency(text: str, kind: str) -> str | None:
    if kind == "money":
        return parse_money(text).currency
    return parse_rate(text).currency if kind == "rate" else None


def _checked(claim: ClaimSet, text: str) -> ClaimSet:
    if claim.low > claim.high:
        raise UnitError(f"{text!r} is empty: its low end is above its high end")
    return claim
