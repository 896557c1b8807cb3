"""A claim as the set of values that it allows.

A count written in full digits (`9600`, `9,600`) means exactly itself. Any other plain value (`9.6K`, `~9600`, `1e3`,
every value of another kind) means itself, give or take half a unit of its last written digit or 1 %, whichever is
larger. `a..b`, `..b` and `a..` are inclusive, and their ends are exact: whoever writes a bound means it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import inf
from typing import NamedTuple

from hbspec.digits import NUMBER, UnitError, decimal
from hbspec.parsing import (
    BYTE_UNITS,
    COUNT_UNITS,
    PERIODS,
    TIME_UNITS,
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


class ClaimSet(NamedTuple):
    """The closed interval of values that a claim allows, in base units, with the currency of an amount."""

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
_FULL_DIGITS = re.compile(r"\+?[0-9][0-9_,]*")
_PARTS = re.compile(rf"({NUMBER})([^0-9.]*)")
"""Each number and its unit: two of them in `1h30m`."""
_DASHED = re.compile(r"(.*?[0-9A-Za-z])\s*(?:[-\u2013\u2014]|\bto\b)\s*([0-9.].*)")
_OF_NUMBERS = "0123456789.,_ "


def parse_claim(text: str, kind: str) -> ClaimSet:
    """The set of values that a claim allows.

    Raises:
        UnitError: the text is not a value or range of this kind; the message says how one is written.

    >>> parse_claim("4.4", "ratio")
    ClaimSet(low=4.35, high=4.45, currency=None)
    >>> parse_claim("9,600", "count")
    ClaimSet(low=9600.0, high=9600.0, currency=None)
    >>> parse_claim("..35 GB", "bytes")
    ClaimSet(low=-inf, high=35000000000.0, currency=None)
    """
    low, dots, high = text.strip().partition("..")
    try:
        return _range(text, low.strip(), high.strip(), kind) if dots else _around(low, kind)
    except UnitError as reason:
        action = _range_meant(text, kind) or reason.action
        written = f"write {_WRITTEN[kind]}, or a range a..b, ..b or a.."
        raise UnitError("; ".join(filter(None, (str(reason), action, written)))) from None


def _range(text: str, low: str, high: str, kind: str) -> ClaimSet:
    if high.startswith("."):
        raise UnitError(f"{text!r} has more than two dots")
    ends = [(Decimal(str(_value(end, kind))), _currency(end, kind)) for end in (low, high) if end]
    if not ends:
        raise UnitError(f"{text!r} has neither end")
    (first, currency), (last, other) = ends[0], ends[-1]
    if currency != other:
        raise UnitError(f"{text!r} has two currencies, {currency} and {other}", "write both ends in one")
    if first > last:
        raise UnitError(f"{text!r} is empty: its low end is above its high end")
    return ClaimSet(float(first) if low else -inf, float(last) if high else inf, currency)


def _range_meant(text: str, kind: str) -> str:
    """The correct spelling of a range with a dash or a word between its ends; "" for any other text."""
    found = _DASHED.fullmatch(text.strip())
    if not found:
        return ""
    low, high = found.groups()
    for start in (low, f"{low} {high.lstrip(_OF_NUMBERS)}"):
        with suppress(UnitError):
            _value(start, kind), _value(high, kind)
            return f"a range is written {start}..{high}"
    return ""


def _value(text: str, kind: str) -> float:
    return float(KINDS[kind](text))


def _around(text: str, kind: str) -> ClaimSet:
    value = Decimal(str(_value(text, kind)))
    slack = Decimal(0) if _is_exact(text, kind) else max(HALF * _last_digit(text, kind), abs(value) * TOLERANCE)
    return ClaimSet(float(value - slack), float(value + slack), _currency(text, kind))


def range_around(low: float, high: float, text: str, kind: str) -> str:
    """The range from `low` to `high` in the unit in which `text` is written, rounded outward to three digits.

    >>> range_around(1091.7, 3924.2, "1s..25m", "seconds")
    '18.1m..65.5m'
    """
    first, _, last = text.partition("..")
    *_, (_, unit) = _PARTS.findall(last) or _PARTS.findall(first)
    size = Decimal(str(_value(f"1{unit}", kind)))
    ends = (_rounded(low, size, ROUND_FLOOR), _rounded(high, size, ROUND_CEILING))
    return "..".join(f"{end:f}{unit.rstrip()}" for end in ends)


def _rounded(value: float, size: Decimal, rounding: str) -> Decimal:
    """A value in units of `size`, to three significant digits."""
    scaled = Decimal(str(value)) / size
    return scaled.quantize(Decimal((0, (1,), scaled.adjusted() - 2)), rounding) if scaled else Decimal(0)


def _is_exact(text: str, kind: str) -> bool:
    return kind == WHOLE and _FULL_DIGITS.fullmatch(text) is not None


def _last_digit(text: str, kind: str) -> Decimal:
    """One unit of the last written digit, in base units."""
    *_, (number, unit) = _PARTS.findall(text)
    return Decimal(str(_value(f"1E{decimal(number).as_tuple().exponent}{unit}", kind)))


def _currency(text: str, kind: str) -> str | None:
    if kind == "money":
        return parse_money(text).currency
    return parse_rate(text).currency if kind == "rate" else None
