"""Numbers as models write them: signs, decimals, thousands, fractions, LaTeX, and the unit behind a number.

Values are exact fractions. What looks like a number and is not one by these rules is kept as a number without a value,
so that an answer with a second, malformed number is not taken for an answer with one.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

LONGEST = 40
"""Characters of a number; no answer has as many, and longer ones take Python long to convert."""
LONGEST_EXPONENT = 2
"""Digits of a power of ten."""

_SPACES = re.compile("[\u00a0\u2000-\u200b\u202f\u205f\u3000~]|\\\\[,;:! ]|\\\\q?quad")
_MINUS = re.compile("[\u2212\ufe63\uff0d\u2010\u2011]")
_WRITTEN_MINUS = re.compile(r"(?<![0-9])\u2013(?=[0-9.])|\b(?:minus|negative)\s(?=[0-9.])", re.I)
_WRAPPED = re.compile(r"\\(?:text|textbf|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]{0,200})\}")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{\s*([^{}]{1,40})\}\s*\{\s*([^{}]{1,40})\}")
_MARKS = re.compile(r"\*\*|__|[`$]|\\[()\[\]]|\\(?:left|right|displaystyle)(?![A-Za-z])")
_SPACED = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}(?: [0-9]{3})+(?![0-9])")
_PER_60 = re.compile(
    r"(?:\bper|/)\s*(?:60|sixty)(?:\s*(?:min(?:ute)?s?\b\.?|'|m\b))?|\bper\s+hour\b|/\s*(?:h|hr)\b", re.I
)
_NO_VALUE = re.compile(
    r"\b(?:rounded\s)?to\s(?:[0-9]|one|two|three)\sdecimals?(?:\splaces?)?\b|\b[3-6]\s?(?:-on-|on|v|vs\.?)\s?[3-6]\b",
    re.I,
)
"""Numbers that say how, not how much: `rounded to 1 decimal`, `5-on-5`."""
_TOKEN = re.compile(
    r"(?P<sign>[+-] ?)?(?P<digits>(?:[0-9]|\.(?=[0-9]))[0-9.,'\u2019]*)(?P<exponent>[eE][+-]?[0-9]+)?"
    r"(?:\s?/\s?(?P<below>[0-9]+)(?![0-9.,]))?"
)
_UNIT = re.compile(r"\s*(%|per\s?cent(?:age)?\b|pct\b|pp\b)", re.I)
_PER = re.compile(r"(?:\bper|/)\s*(60|game|minute|min|second|sec|shift|period|shot|season)\b", re.I)

_PLAIN = re.compile(r"[0-9]+(?:[.,][0-9]+)?|\.[0-9]+")
_POINT = re.compile(r"[1-9][0-9]{0,2}(?:[,'\u2019][0-9]{3})+(?:\.[0-9]+)?")
_COMMA = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]+|[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}")


class Number(NamedTuple):
    """A number of an answer.

    Attributes:
        value: None where it is malformed.
        unit: `%`, `per 60`, `per game` and so on; empty where none of these follows. Nouns (goals, shots) are not read.
    """

    value: Fraction | None
    unit: str


def plain(line: str) -> str:
    r"""A line without what only sets it: Markdown's emphasis, LaTeX's delimiters and spaces, typographic signs.

    >>> plain("**54,3\\,\\%**"), plain("$\\frac{3}{4}$")
    ('54,3 %', '3/4')
    """
    line = _FRACTION.sub(r"\1/\2", _WRAPPED.sub(r" \1 ", line)).replace("{,}", ",")
    line = _WRITTEN_MINUS.sub("-", _MARKS.sub("", _MINUS.sub("-", _SPACES.sub(" ", line))))
    return line.replace("\\%", "%").replace("\uff05", "%")


def numbers(line: str) -> list[Number]:
    """All numbers of a line, in order.

    `per 60` is a unit, a digit behind a letter (`CF60`) part of a name, and `5-on-5` and `to 1 decimal` do not count.

    >>> [str(each.value) for each in numbers("1,234.5 and 54,3 % and -3/4")]
    ['2469/2', '543/10', '-3/4']
    """
    line = _PER_60.sub(" per sixty ", _NO_VALUE.sub(" ", plain(line)))
    line = _SPACED.sub(lambda match: match[0].replace(" ", ""), line)
    found = [match for match in _TOKEN.finditer(line) if not _in_word(line, match)]
    ends = [match.start() for match in found[1:]] + [len(line)]
    return [
        Number(_value(line, match), _unit(line[match.end() : end])) for match, end in zip(found, ends, strict=False)
    ]


def _in_word(line: str, match: re.Match[str]) -> bool:
    """Whether a letter, or a digit of another script, stands directly before the digits, as in `P1`."""
    before = line[match.start("digits") - 1 : match.start("digits")]
    return before.isalnum() or before == "_"


def _unit(behind: str) -> str:
    """The unit in the text between a number and the next one."""
    if _UNIT.match(behind):
        return "%"
    if "per sixty" in behind:
        return "per 60"
    per = _PER.search(behind)
    return f"per {per[1].lower()}" if per else ""


def _value(line: str, match: re.Match[str]) -> Fraction | None:
    """The value of a token; a minus directly behind a digit is a range's, not a sign."""
    digits = match["digits"].rstrip(".,'\u2019")
    cut = len(match["digits"]) != len(digits)
    exponent, below = match["exponent"] or "", match["below"]
    value = _decimal(digits)
    if value is None or len(match[0]) > LONGEST or (cut and (exponent or below)):
        return None
    if exponent:
        if len(exponent.lstrip("eE+-")) > LONGEST_EXPONENT:
            return None
        value *= Fraction(10) ** int(exponent[1:])
    if below:
        if int(below) == 0:
            return None
        value /= int(below)
    is_range = line[match.start() - 1 : match.start()].isdigit()
    return -value if (match["sign"] or "").startswith("-") and not is_range else value


def _decimal(digits: str) -> Fraction | None:
    """The value of digits with their separators.

    A comma before exactly three digits, behind one to three that do not begin with zero, separates thousands (1,234),
    and any other single comma decimals (54,3 and 0,543); a single point always decimals (1.234).
    """
    if len(digits) > LONGEST:
        return None
    if _POINT.fullmatch(digits):
        return Fraction(re.sub("[,'\u2019]", "", digits))
    if _COMMA.fullmatch(digits):
        return Fraction(digits.replace(".", "").replace(",", "."))
    if _PLAIN.fullmatch(digits):
        return Fraction(digits.replace(",", "."))
    return None
