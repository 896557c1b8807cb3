"""What `hbspec init` needs to know of a first job: as options say it, or as a user answers at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from hbspec.cli.command import MisuseError, did_you_mean
from hbspec.cli.options import positive, region_of
from hbspec.units import Money

T = TypeVar("T")
U = TypeVar("U")
MODEL, EXAMPLES, REGION, METHOD = "Qwen/Qwen2.5-7B", 2000, "us-east-1", "qlora"
"""What is meant where nothing is said."""
METHODS = ("qlora", "lora", "full")
DOLLARS = "USD"
"""The currency of the catalog's prices."""


class Answers(NamedTuple):
    """A first job.

    Attributes:
        model: an id of the catalog, or the path of a config.json.
        data: the training data: a file or folder of JSON lines, a profile of them, or the number of examples.
        type: the instance type; None lets the search choose.
        region: where it is rented.
        method: how the model is trained.
        max_cost: the most that the job may cost; None where that follows from the plan.
    """

    model: str = MODEL
    data: Path | int = EXAMPLES
    type: str | None = None
    region: str = REGION
    method: str = METHOD
    max_cost: Money | None = None


def model_of(word: str) -> str:
    """A model of the catalog, or the path of a config.json.

    Raises:
        MisuseError: it is neither.
    """
    from hbspec.catalog import catalog

    models = catalog().models
    if word in models or Path(word).is_file():
        return word
    raise MisuseError(
        f"--model {word} is neither in the catalog nor a config.json{did_you_mean(word, [*models])}; "
        "`hbspec models WORD` lists names"
    )


def data_of(word: str) -> Path | int:
    """The training data, or the number of examples.

    Raises:
        MisuseError: it is neither a number nor a place with data.
    """
    if word.isdecimal() and not Path(word).exists():
        try:
            return positive(word)
        except ValueError as reason:
            raise MisuseError(f"--data {word}: {reason}") from None
    if not Path(word).exists():
        raise MisuseError(f"--data {word} is neither a file or folder nor a number of examples")
    return Path(word)


def type_of(word: str) -> str:
    """An instance type on which SageMaker trains with GPUs.

    Raises:
        MisuseError: the catalog has no such type.
    """
    from hbspec.catalog import catalog

    rows = catalog().instances
    known = [name for name, row in rows.items() if row.gpus and row.training]
    if word not in known:
        raise MisuseError(
            f"--type {word} is not a GPU instance type for training{did_you_mean(word, known)}; "
            "`hbspec instances` lists them"
        )
    return word


def money_of(word: str) -> Money:
    """An amount with its currency.

    Raises:
        ValueError: the word is not such an amount.
    """
    from hbspec.parsing import parse_money

    amount = parse_money(word)
    if amount.currency != DOLLARS:
        raise ValueError(f"the catalog's prices are in {DOLLARS}: give dollars, and set budget.exchange_rates later")
    return amount


def answered() -> Answers:
    """The answers that a user gives at the terminal; an empty line means the default in brackets.

    Raises:
        MisuseError: the input ended before the last answer.
    """
    model = _ask(f"Model [{MODEL}]", model_of, MODEL)
    data = _ask(f"Training data: a file of JSON lines, or the number of examples [{EXAMPLES}]", data_of, None)
    region = _ask(f"AWS region [{REGION}]", _region, REGION)
    either = _ask("Instance type, or the most that it may cost, as in 20 USD [the cheapest plan]", _either, None)
    limit = either if isinstance(either, Money) else None
    return Answers(model, data or EXAMPLES, either if isinstance(either, str) else None, region, METHOD, limit)


def _region(word: str) -> str:
    return region_of(word) or REGION


def _either(word: str) -> str | Money:
    return type_of(word) if word.startswith("ml.") else money_of(word)


def _ask(question: str, read: Callable[[str], T], otherwise: U) -> T | U:
    """The first answer that can be read."""
    while True:
        sys.stderr.write(f"{question}: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            sys.stderr.write("\n")
            raise MisuseError("the input ended before the last answer: nothing was written")
        if not (word := line.strip()):
            return otherwise
        try:
            return read(word)
        except (MisuseError, ValueError) as reason:
            sys.stderr.write(f"  {reason}\n")


def given(**words: Any) -> Answers | None:
    """The answers that options give; None where none is given."""
    said = {name: value for name, value in words.items() if value is not None}
    return Answers(**said) if said else None
