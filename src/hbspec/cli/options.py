"""Parameters that several commands share."""

from __future__ import annotations

from datetime import date

from hbspec.cli.command import Parameter


def day(text: str) -> date:
    """The date that a word such as `2026-11-22` spells.

    Raises:
        ValueError: the word is not a date in that form.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("not a day; one is written 2026-11-22") from None


def positive(text: str) -> int:
    """The whole number, from 1 to 999,999, that a word spells.

    Raises:
        ValueError: the word is not such a number.
    """
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 10**6):
        raise ValueError("not a whole number from 1 to 999,999")
    return int(text)


SPEC = Parameter("spec", "A spec, or `-` for standard input.", metavar="SPEC", required=True)
SET = Parameter(
    "overrides", "Set a value, hyperparameters.lora_r=8. Any number of times.", ("--set",), "KEY=VALUE", repeated=True
)
ALLOW_OUTSIDE = Parameter(
    "allow_outside", "Let the spec name files outside its project.", ("--allow-outside",), switch=True
)
AS_OF = Parameter("as_of", "The day that ages are counted from; today if absent.", ("--as-of",), "DAY", convert=day)


def format_of(*choices: str) -> Parameter:
    """`--format`, the first choice by default."""
    return Parameter("format", "How the result is written.", ("--format",), choices=choices, default=choices[0])
