"""Quantities: intervals, money, and how they are printed.

Base units inside: bytes, seconds, FLOP, tokens, and `Decimal` money in a named currency. GB = 10^9 bytes and
GiB = 2^30; K, M and B are 10^3, 10^6 and 10^9 of a count; a month is 30 days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from hbspec.language import amount_text, noun_text, number_text, phrase, quantity_text

GB = 10**9
GIB = 2**30
DAY = 86_400.0
HOUR = 3_600.0
DAYS_PER_MONTH = 30


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency (ISO 4217 code)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return amount_text(f"{self.amount:,.2f}", self.currency)


@dataclass(frozen=True, slots=True)
class Rate:
    """Money per second of use, kept as the amount per hour that price lists print."""

    per_hour: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{Money(self.per_hour, self.currency)}/h"


@dataclass(frozen=True, slots=True)
class Interval:
    """The low, expected and high value of a quantity in its base unit. An exact quantity has zero width.

    Raises:
        ValueError: unless low <= expected <= high.
    """

    low: float
    expected: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.expected <= self.high:
            raise ValueError(f"not an interval: {self.low} <= {self.expected} <= {self.high}")

    @classmethod
    def exact(cls, value: float) -> Interval:
        """An interval of zero width."""
        return cls(value, value, value)

    @property
    def is_exact(self) -> bool:
        """Whether low and high are equal."""
        return self.low == self.high

    def __add__(self, other: Interval | float) -> Interval:
        if not isinstance(other, Interval):
            other = Interval.exact(other)
        return Interval(self.low + other.low, self.expected + other.expected, self.high + other.high)

    __radd__ = __add__

    def __mul__(self, other: Interval | float) -> Interval:
        """The product; both sides must be >= 0 (as every quantity here is)."""
        if not isinstance(other, Interval):
            other = Interval.exact(other)
        return Interval(self.low * other.low, self.expected * other.expected, self.high * other.high)

    __rmul__ = __mul__

    def map(self, function: Callable[[float], float]) -> Interval:
        """The interval of the values of an increasing function."""
        return Interval(function(self.low), function(self.expected), function(self.high))

    def to_dict(self) -> dict[str, float]:
        """The JSON form, `{"low", "expected", "high"}`."""
        return {"low": self.low, "expected": self.expected, "high": self.high}


@dataclass(frozen=True, slots=True)
class Worded:
    """A value in a phrase that is kept: it is put into words when the phrase is said."""

    value: Any
    text: Callable[[Any], str]

    def __str__(self) -> str:
        return self.text(self.value)


def money_text(amount: Decimal) -> str:
    """An amount with two decimals and thousands separators.

    >>> money_text(Decimal("1234.5"))
    '1,234.50'
    """
    return number_text(f"{amount:,.2f}")


CENT = Decimal("0.01")
_WIDE = Context(prec=100)


def cents(amount: Decimal) -> str:
    """An amount rounded half up to cents, without separators, however large.

    >>> cents(Decimal("1234.565")), cents(Decimal("1e28"))
    ('1234.57', '10000000000000000000000000000.00')
    """
    return str(amount.quantize(CENT, ROUND_HALF_UP, _WIDE))


def bytes_text(count: float) -> str:
    """Bytes in TB, GB, MB or kB, to three significant digits.

    >>> bytes_text(22_300_000_000)
    '22.3 GB'
    """
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if abs(count) >= size:
            return quantity_text(_significant(count / size), unit)
    return quantity_text(f"{count:.0f}", "B")


def gib_text(count: float) -> str:
    """Bytes in GiB, the unit in which GPUs report their memory.

    >>> gib_text(2**34)
    '16.00 GiB'
    """
    return quantity_text(f"{count / GIB:.2f}", "GiB")


def seconds_text(seconds: float) -> str:
    """A duration in days, hours, minutes, seconds or milliseconds, to three significant digits.

    >>> seconds_text(5400), seconds_text(2.5)
    ('1.50 h', '2.50 s')
    """
    for unit, size in (("d", 2 * DAY), ("h", HOUR), ("min", 60.0)):
        if abs(seconds) >= size:
            return quantity_text(_significant(seconds / (DAY if unit == "d" else size)), unit)
    if seconds >= 1 or not seconds:
        return quantity_text(_significant(seconds), "s")
    return quantity_text(_significant(seconds * 1000), "ms")


def count_text(count: float) -> str:
    """A count with thousands separators, or in B (billions) from a billion.

    >>> count_text(9600), count_text(32_763_876_352)
    ('9,600', '32.8B')
    """
    if abs(count) >= 10**9:
        return phrase("{number}B", number=significant(count / 10**9))
    return number_text(f"{count:,.0f}") if float(count).is_integer() else significant(count)


def counted(number: int, noun: str) -> str:
    """A number with its noun, given in the singular.

    >>> counted(1, "example"), counted(1758, "example")
    ('1 example', '1,758 examples')
    """
    return f"{number_text(f'{number:,}')} {noun_text(noun, number)}"


def significant(value: float, digits: int = 3) -> str:
    """A number with this many significant digits, never in exponential form.

    >>> significant(4.349), significant(1234.5)
    ('4.35', '1,234')
    """
    return number_text(_significant(value, digits))


def _significant(value: float, digits: int = 3) -> str:
    if not value:
        return "0"
    magnitude = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    return f"{value:,.{max(0, digits - magnitude)}f}" if magnitude else f"{float(f'{value:.{digits}g}'):f}".rstrip("0")


def whole_text(value: float) -> str:
    """A number rounded to a whole one, with thousands separators."""
    return number_text(f"{value:,.0f}")


def short_text(value: float) -> str:
    """A number with six significant digits at most, without zeros at its end."""
    return number_text(f"{value:g}")


def interval_text(interval: Interval, text: Callable[[float], str]) -> str:
    """An interval as in `"9.1 h to 14.2 h (expected 11.3 h)"`; one number if low and high have the same text."""
    low, expected, high = text(interval.low), text(interval.expected), text(interval.high)
    if low == high:
        return expected
    return phrase("{low} to {high} (expected {expected})", low=low, high=high, expected=expected)


def about_text(interval: Interval, text: Callable[[float], str]) -> str:
    """An interval in a sentence, as in `"about 11.3 h (9.10 h to 14.2 h)"`; one number if both ends look the same."""
    low, expected, high = text(interval.low), text(interval.expected), text(interval.high)
    if low == high:
        return expected
    return phrase("about {expected} ({low} to {high})", expected=expected, low=low, high=high)
