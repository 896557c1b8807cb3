"""How data are laid out, as a command line says it: the dataset type, columns under other names, weights of files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hbspec.cli.command import MisuseError, Parameter

if TYPE_CHECKING:
    from hbspec.dataset.files import DataFile
    from hbspec.dataset.readers import Reader

TYPES = (
    "language_modeling", "prompt_only", "prompt_completion", "preference", "unpaired_preference",
    "stepwise_supervision",
)  # fmt: skip
"""The types of `templates/layouts.py`."""
TASKS_OF_DATA = ("sft", "pretrain", "dpo", "kto", "reward", "grpo")
"""The tasks of `hbspec.plan.tasks`."""


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not (name and equals and value):
        raise ValueError("must be NAME=VALUE")
    return name, value


def _weight(word: str) -> tuple[str, float]:
    name, value = _pair(word)
    try:
        weight = float(value)
    except ValueError:
        weight = math.nan
    if not 0 < weight <= 1000:
        raise ValueError("must be a number above 0, up to 1000")
    return name, weight


TYPE = Parameter(
    "kind",
    "The dataset type of TRL's; by default that of the first example.",
    ("--type",),
    "TYPE",
    choices=TYPES,
)
COLUMN = Parameter(
    "columns",
    "A column of the type, and its name in the data, such as prompt=question. Can be repeated.",
    ("--column",),
    "NAME=THEIRS",
    convert=_pair,
    repeated=True,
)
WEIGHT = Parameter(
    "weights",
    "How often the examples of a file, or of a folder/, are in an epoch, such as a.jsonl=0.5. Can be repeated.",
    ("--weight",),
    "FILE=NUMBER",
    convert=_weight,
    repeated=True,
)


def reader_of(kind: str | None, columns: Sequence[tuple[str, str]]) -> Reader:
    """The reader of data of a type, under such names."""
    from hbspec.dataset.readers import Naming, Reader

    return Reader(None, dict(columns), kind, Naming("--type" if kind else None))


def weights_of(pairs: Sequence[tuple[str, float]], files: Sequence[DataFile]) -> dict[str, float]:
    """Weights by the names of files.

    Raises:
        MisuseError: a name is that of none of the files, nor of their folders.
    """
    from hbspec.mixing import unmatched

    weights = dict(pairs)
    for name in unmatched((file.below for file in files), weights):
        raise MisuseError(f"--weight {name}: none of the files, nor a folder/ of theirs, has this name")
    return weights
