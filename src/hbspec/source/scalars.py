"""Values of unquoted scalars: the core schema of YAML 1.2.2, section 10.3.2.

So `1e-4`, `.5` and `010` are numbers, while `yes`, `1:30`, `1_000` and dates are strings. Beyond the schema, a number
must be finite and at most `MAX_NUMBER_LENGTH` characters long.
"""

from __future__ import annotations

import math
import re

from hbspec.source.limits import MAX_INTEGER_BITS, MAX_NUMBER_LENGTH

Plain = str | int | float | bool | None

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|([0-9]+)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASED = {"0o": (8, frozenset("01234567")), "0x": (16, frozenset("0123456789abcdefABCDEF"))}
_NOT_FINITE = frozenset(
    sign + word
    for sign in ("", "+", "-")
    for word in (".inf", ".Inf", ".INF")
) | {".nan", ".NaN", ".NAN"}  # fmt: skip


class UnusableNumberError(ValueError):
    """A number that cannot be computed with; the message is the reason, as words that follow the number."""


def resolve(text: str) -> Plain:
    """The value of an unquoted scalar.

    Raises `UnusableNumberError` for infinities, NaN, and numbers outside the range of 64-bit floats.

    >>> [resolve(text) for text in ("1e-4", "010", "0x1F", "yes", "1:30", "~")]
    [0.0001, 10, 31, 'yes', '1:30', None]
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if text in _NOT_FINITE:
        raise UnusableNumberError("is not a finite number")
    base, digits = _BASED.get(text[:2], (10, frozenset[str]()))
    if base != 10 and len(text) > 2 and digits.issuperset(text[2:]):
        return int(_bearable(text)[2:], base)
    if not _FLOAT.fullmatch(text):
        return text
    if _INTEGER.fullmatch(text):
        return int(_bearable(text))
    return usable(float(_bearable(text)), is_zero=not re.search("[1-9]", re.split("[eE]", text)[0]))


def usable(value: float, *, is_zero: bool = True) -> float:
    """The number, unchanged.

    Raises `UnusableNumberError` if it is infinite, NaN, too long, or zero although `is_zero` is False (underflow).
    """
    if isinstance(value, int):
        if value.bit_length() > MAX_INTEGER_BITS:
            raise UnusableNumberError(f"has {value.bit_length():,} bits, more than {MAX_INTEGER_BITS}")
    elif not math.isfinite(value):
        raise UnusableNumberError("is larger than 1.8e308" if math.isinf(value) else "is not a finite number")
    elif value == 0 and not is_zero:
        raise UnusableNumberError("is so small that it would become zero")
    return value


def _bearable(text: str) -> str:
    if len(text) > MAX_NUMBER_LENGTH:
        raise UnusableNumberError(f"has {len(text):,} characters, more than {MAX_NUMBER_LENGTH}")
    return text
