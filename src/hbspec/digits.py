"""Numbers in quantities: how they are written, and the spellings that are refused as ambiguous."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

NUMBER = r"(?:[0-9][0-9_,.]*|\.[0-9][0-9_,.]*)(?:[eE][+-]?[0-9]+)?"
"""The extent of a number in a text; `decimal` validates it."""
LARGEST = Decimal(10) ** 30
"""Largest quantity in its unit; arithmetic with it stays far from overflow."""
LONGEST = 60

_GROUPED = r"[1-9][0-9]{0,2}(?:,[0-9]{3})+"
_WRITTEN = re.compile(rf"[+-]?(?:(?:{_GROUPED}|[0-9]+(?:_[0-9]+)*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"([+-]?[0-9]+),([0-9]+)")


class UnitError(ValueError):
    """A string that is not a quantity of the required kind; the message names the units of that kind.

    Attributes:
        action: the correction; "" if it is to write the number with its unit.
    """

    def __init__(self, message: str, action: str = "") -> None:
        super().__init__(message)
        self.action = action


def decimal(text: str) -> Decimal:
    """The number in `text`: ASCII digits, with `,` between groups of three digits or `_` between any two digits.

    Raises:
        UnitError: not a number, larger than `LARGEST`, or longer than `LONGEST` characters.

    >>> decimal("32,763,876,352")
    Decimal('32763876352')
    """
    if len(text) > LONGEST:
        raise UnitError(f"{text[:LONGEST]!r} is out of range")
    if not _WRITTEN.fullmatch(text):
        raise _not_a_number(text)
    try:
        number = Decimal(text.replace("_", "").replace(",", ""))
    except InvalidOperation:  # an exponent out of range
        raise UnitError(f"{text!r} is out of range") from None
    if number.copy_abs() > LARGEST:  # `abs` rounds, and cannot round every number
        raise UnitError(f"{text!r} is out of range")
    return number


def _not_a_number(text: str) -> UnitError:
    """The error for digits that are not a number; a single comma may be meant as either separator."""
    if "," not in text:
        return UnitError(f"{text!r} is not a number")
    why = f"{text!r} has a comma that does not separate groups of three digits, as in 1,000"
    found = _DECIMAL_COMMA.fullmatch(text)
    if not found:
        return UnitError(why, "write the number without commas")
    whole, rest = found.groups()
    return UnitError(why, f"write {whole}.{rest}, or {int(whole + rest)} if that is meant")
