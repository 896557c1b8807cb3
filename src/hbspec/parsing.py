"""Quantities read from texts: bytes, speeds, durations, counts, money and prices, each with its unit."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hbspec.digits import LARGEST, NUMBER, UnitError, decimal
from hbspec.units import DAY, DAYS_PER_MONTH, HOUR, Money, Rate

BYTE_UNITS: dict[str, int] = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
SPEED_UNITS: dict[str, int] = {"Mb/s": 10**6, "Gb/s": 10**9, "Gbps": 10**9, "Gbit/s": 10**9, "Tb/s": 10**12}
TIME_UNITS: dict[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": HOUR, "d": DAY}
COUNT_UNITS: dict[str, int] = {"K": 10**3, "M": 10**6, "B": 10**9}
DURATION = '"16h" or "1h30m"'
PERIODS: dict[str, float] = {"h": HOUR, "day": DAY, "month": DAYS_PER_MONTH * DAY}

_QUANTITY = re.compile(rf"\s*~?\s*([+-]?{NUMBER})\s*([A-Za-z]*(?:/s)?)\s*")
_PART = re.compile(rf"\s*({NUMBER})\s*([A-Za-z]+)\s*")
"""A number and its unit in a duration such as `1h30m`; without a sign, because `3h-1h` is not a duration."""


def split_quantity(text: str) -> tuple[str, str]:
    """`"16 GB"` → `("16", "GB")`, `"32.7B"` → `("32.7", "B")`.

    Raises:
        UnitError: not a number followed by at most one word.
    """
    match = _QUANTITY.fullmatch(text)
    if not match:
        raise UnitError(f"{text!r} is not a number with a unit")
    return match[1], match[2]


def _scaled(value: Any, units: dict[str, Any], kind: str, example: str) -> float:
    if isinstance(value, bool) or value is None or not isinstance(value, str):
        raise UnitError(f"{value!r} has no unit; {kind} is written {example} (units: {', '.join(units)})")
    number, unit = split_quantity(value)
    if unit not in units:
        said = (
            f"{value!r}: {unit!r} is not a unit of {kind}"
            if unit
            else f"{value!r} has no unit; {kind} is written {example}"
        )
        raise UnitError(f"{said} (units: {', '.join(units)})")
    scaled = decimal(number) * Decimal(str(units[unit]))
    if abs(scaled) > LARGEST:
        raise UnitError(f"{value!r} is out of range")
    return float(scaled)


def parse_bytes(value: Any) -> int:
    """Bytes from `"40 GB"`, `"14.56 GiB"`.

    Raises:
        UnitError: no number, no unit, or a unit of something else.

    >>> parse_bytes("1.5 GiB")
    1610612736
    """
    return round(_scaled(value, BYTE_UNITS, "a size", '"40 GB" or "37.25 GiB"'))


def parse_bits_per_second(value: Any) -> float:
    """Bits a second from `"400 Gb/s"`.

    Raises:
        UnitError: no number, no unit, or a unit of something else.
    """
    return _scaled(value, SPEED_UNITS, "a network's speed", '"400 Gb/s"')


def parse_seconds(value: Any) -> float:
    """Seconds from `"16h"`, `"1h30m"`, `"2m"`, `"2.5 s"`.

    Raises:
        UnitError: no number, no unit, a unit of something else, or units that do not descend.

    >>> parse_seconds("1h30m")
    5400.0
    """
    parts = list(_PART.finditer(value)) if isinstance(value, str) else []
    if len(parts) < 2 or "".join(part[0] for part in parts) != value:
        return _scaled(value, TIME_UNITS, "a duration", DURATION)
    units = [_scaled(f"1{part[2]}", TIME_UNITS, "a duration", DURATION) for part in parts]
    if any(later >= earlier for earlier, later in pairwise(units)):
        raise UnitError(f"{value!r} does not begin with its largest unit; a duration is written {DURATION}")
    return sum(_scaled(part[0], TIME_UNITS, "a duration", DURATION) for part in parts)


def parse_count(value: Any) -> float:
    """A plain count, from a number or `"32.7B"`, `"9,600"`.

    Raises:
        UnitError: not a number, or an unknown suffix.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        raise UnitError(f"{value!r} is not a number")
    number, unit = split_quantity(value)
    if unit and unit not in COUNT_UNITS:
        raise UnitError(f"{value!r}: {unit!r} is not a unit of a count (units: {', '.join(COUNT_UNITS)})")
    return float(decimal(number) * COUNT_UNITS.get(unit, 1))


def parse_money(value: Any) -> Money:
    """Money from `"525 CAD"`.

    Raises:
        UnitError: no number, or no three-letter currency code.
    """
    if not isinstance(value, str):
        raise UnitError(f'{value!r} has no currency; an amount is written "525 CAD"')
    number, unit = split_quantity(value)
    if not re.fullmatch(r"[A-Z]{3}", unit):
        raise UnitError(f'{value!r} has no currency (three capital letters); an amount is written "525 CAD"')
    return Money(decimal(number), unit)


def parse_rate(value: Any) -> Rate:
    """The price per hour from `"36 CAD/h"`; `/day` and `/month` are converted.

    Raises:
        UnitError: the currency or the period is missing.
    """
    amount, slash, period = value.partition("/") if isinstance(value, str) else ("", "", "")
    if not slash or period.strip() not in PERIODS:
        raise UnitError(f'{value!r} is not a price; it is written "36 CAD/h" (periods: {", ".join(PERIODS)})')
    money = parse_money(amount.strip())
    return Rate(money.amount * Decimal(str(HOUR)) / Decimal(str(PERIODS[period.strip()])), money.currency)
