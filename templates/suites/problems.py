"""Problems with one number as their answer: what is asked for, and how far from it is still right.

Tolerance: a count, and a sum of stated values, has to be exact. A quotient has to be within one unit of the last
decimal that was asked for, so that one rounding too early is forgiven. No value that a usual mistake gives is within
twice that: such a problem is drawn again.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple, Protocol, TypeVar

from .answers import FORM, Asked
from .draws import Draws
from .items import Item

TEAM = "the Canadiens"
PLAYERS = ("Suzuki", "Caufield", "Slafkovsky", "Dach", "Gallagher", "Anderson", "Evans", "Matheson", "Guhle", "Hutson")
OPPONENTS = ("Boston", "Toronto", "Ottawa", "Buffalo", "Detroit", "Florida", "Carolina", "Philadelphia", "Washington")
ANALYST = "You are a hockey analyst of the Montreal Canadiens."
MOST_DRAWS = 100
TOKENS = 2048
"""Enough to reason about one formula; with the prompt, within a context of 4,096 tokens."""
UNITS = {"%": "in percent", "per 60": "per 60 minutes", "": "as a number without a unit"}


class Problem(NamedTuple):
    """One problem.

    Attributes:
        text: the situation and the question.
        number: the exact answer.
        unit: as `Asked` has it.
        decimals: asked for; None for an exact number.
        mistakes: what usual mistakes give.
    """

    text: str
    number: Fraction
    unit: str
    decimals: int | None
    mistakes: tuple[Fraction, ...] = ()

    @property
    def tolerance(self) -> Fraction:
        """Largest difference that counts as right."""
        return Fraction(0) if self.decimals is None else Fraction(1, 10**self.decimals)

    @property
    def asked(self) -> Asked:
        """The number that an answer has to hold."""
        return Asked(self.number, self.tolerance, self.unit)

    @property
    def is_told_apart(self) -> bool:
        """Whether no usual mistake gives nearly the right number."""
        return all(abs(mistake - self.number) > 2 * self.tolerance for mistake in self.mistakes)


class _Telling(Protocol):
    @property
    def is_told_apart(self) -> bool: ...


P = TypeVar("P", bound=_Telling)


def told_apart(make: Callable[[Draws], P], draws: Draws) -> P:
    """A problem whose answer no usual mistake gives.

    Raises:
        AssertionError: none of `MOST_DRAWS` is one, which a test excludes.
    """
    for _ in range(MOST_DRAWS):
        found = make(draws)
        if found.is_told_apart:
            return found
    raise AssertionError(f"{make}: every problem has a mistake that gives its answer")


def item(key: str, stratum: str, problem: Problem, tokens: int = TOKENS) -> Item:
    """The problem as an item, drawn apart from all others. The prompt says unit, decimals and form."""
    form = f"Give the answer {told(problem.unit, problem.decimals)}. {FORM}"
    messages = ({"role": "system", "content": ANALYST}, {"role": "user", "content": f"{problem.text}\n\n{form}"})
    return Item(key, key, messages, {**problem.asked.reference(), "stratum": stratum}, tokens)


def told(unit: str, decimals: int | None) -> str:
    """How an answer is to be given: `in percent, rounded to 1 decimal`."""
    if decimals is None:
        return f"{UNITS[unit]}, exactly"
    return f"{UNITS[unit]}, rounded to {decimals} decimal{'' if decimals == 1 else 's'}"


def clock(seconds: int) -> str:
    """A duration as `18 minutes 30 seconds`."""
    return f"{seconds // 60} minutes {seconds % 60} seconds"


def listed(words: list[str]) -> str:
    """Words as a list in a sentence: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
