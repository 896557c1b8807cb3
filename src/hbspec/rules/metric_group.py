"""What the group of a metric's regular expression takes, read off the expression and a few short texts.

An author's expression is never run on a log: nested repetitions could take minutes. Only its first group is, on texts
of at most seven characters, and if it has few choices and repeats no group.
"""

from __future__ import annotations

import re
import warnings
from typing import NamedTuple

NUMBERS = ("0", "7", "12", "0.5", "2.345", "-1.5", "9.6e-05")
WORDS = ("loss", "abc")
DECIMAL, SMALL, REST = "2.345", "9.6e-05", "1.5 x=2"
MOST_CHOICES = 16
"""Signs of repetitions and choices: that many share seven characters in some hundred thousand ways at most."""
LITERAL = r"(?:[A-Za-z0-9_ ='\",:;/%#@!<>~`&-]|\\[^A-Za-z0-9])+$"
"""The end of a text that stands for itself; a character that is repeated or optional is not at its end."""


class Group(NamedTuple):
    """The first group of an expression.

    Attributes:
        before: the text right before it that stands for itself, without backslashes.
        inside: the expression in its parentheses.
        after: what follows it and its repetition, up to the end of the expression.
        numbers: whether it takes all of some number.
        words: whether it takes a word.
        decimals: whether it takes all of 2.345.
        exponents: whether it takes all of 9.6e-05.
        rest: whether it takes several words, as `.*` does.
        second: the expression of a group after it, and not in it, that takes numbers too.
    """

    before: str
    inside: str
    after: str
    numbers: bool
    words: bool
    decimals: bool
    exponents: bool
    rest: bool
    second: str | None

    @property
    def lazy(self) -> bool:
        """Whether it takes as little as it can."""
        return re.search(r"[*+}]\?$", self.inside) is not None


def first_group(expression: str) -> Group | None:
    """The first group; None without one, or if the expression has flags, conditions, references or many choices."""
    if re.search(r"\(\?[aiLmsux-]+[:)]|\(\?\(|\(\?P=|\\[1-9]", expression):
        return None
    spans = _groups(expression)
    if not spans:
        return None
    begin, inner, end = spans[0]
    inside = expression[inner : end - 1]
    if not _quick(inside):
        return None
    later = (expression[start : stop - 1] for opened, start, stop in spans[1:] if opened >= end)
    before = re.search(LITERAL, expression[:begin])
    return Group(
        before=re.sub(r"\\(.)", r"\1", before[0]) if before else "",
        inside=inside,
        after=re.sub(r"^(?:[*+?]|\{[0-9,]*\})[?+]?", "", expression[end:]),
        numbers=any(_takes(inside, text) for text in NUMBERS),
        words=any(_takes(inside, text) for text in WORDS),
        decimals=_takes(inside, DECIMAL),
        exponents=_takes(inside, SMALL),
        rest=_takes(inside, REST),
        second=next((one for one in later if _quick(one) and any(_takes(one, text) for text in NUMBERS)), None),
    )


def _quick(expression: str) -> bool:
    """Whether an expression is quick on a short text: no repeated group, and few choices."""
    return not re.search(r"\)[*+{]", expression) and len(re.findall(r"[*+?{|]", expression)) <= MOST_CHOICES


def _takes(expression: str, text: str) -> bool:
    """Whether an expression matches all of a short text; one that cannot stand alone takes everything."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return re.fullmatch(expression, text) is not None
    except (re.error, RecursionError, OverflowError):
        return True


def _groups(expression: str) -> list[tuple[int, int, int]]:
    """The capturing groups in the order of their parentheses: where each opens, where its content begins, its end."""
    opened: list[tuple[int, int | None]] = []
    found: list[tuple[int, int, int]] = []
    at, in_set = 0, False
    while at < len(expression):
        one = expression[at]
        if one == "\\":
            at += 1
        elif in_set:
            in_set = one != "]"
        elif one == "[":
            in_set = True
            at += 1 if expression[at + 1 : at + 2] == "]" else 2 if expression[at + 1 : at + 3] == "^]" else 0
        elif one == "(":
            named = re.match(r"\(\?P<\w+>", expression[at:])
            captures = named is not None or expression[at + 1 : at + 2] != "?"
            opened.append((at, at + (len(named[0]) if named else 1) if captures else None))
        elif one == ")" and opened:
            begin, inner = opened.pop()
            if inner is not None:
                found.append((begin, inner, at + 1))
        at += 1
    return sorted(found)
