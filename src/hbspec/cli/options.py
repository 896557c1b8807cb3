"""Parameters that several commands share."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from hbspec.cli.command import MisuseError, Parameter, did_you_mean


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
SPECS = Parameter("specs", "Specs, or `-` for standard input.", metavar="SPEC", required=True, repeated=True)
SET = Parameter(
    "overrides", "Set a value, as in hyperparameters.lora_r=8. Can be repeated.", ("--set",), "KEY=VALUE", repeated=True
)
ALLOW_OUTSIDE = Parameter(
    "allow_outside", "Let the spec name files outside its project.", ("--allow-outside",), switch=True
)
AS_OF = Parameter(
    "as_of",
    "The day from which the ages of prices and rates are counted; today by default.",
    ("--as-of",),
    "DAY",
    convert=day,
)


CATALOG = Parameter(
    "catalog",
    "Prices beside the shipped ones, as `hbspec catalog refresh prices` wrote them.",
    ("--catalog",),
    "FILE",
    convert=Path,
)
FULL = Parameter(
    "full",
    "Print everything, also where it is longer than the terminal's screen (text format).",
    ("--full",),
    switch=True,
)
REGION = Parameter("region", "Of one region: ca-central-1.", ("--region",), "REGION")


def region_of(word: str | None, option: str = "--region") -> str | None:
    """The region, if an option gives one.

    Raises:
        MisuseError: the catalog has neither an offer nor a price there.
    """
    from hbspec.catalog import catalog

    known = catalog().regions
    if word is not None and word not in known:
        raise MisuseError(f"{option} {word} is not in the catalog{did_you_mean(word, known)}")
    return word


def format_of(*choices: str) -> Parameter:
    """The parameter `--format`, with the first choice as its default."""
    return Parameter("format", "The format of the result.", ("--format",), choices=choices, default=choices[0])
