"""The rows that a measured job is given: first longer and longer ones, then lengths as in the profile.

The first updates warm up. Their micro-batches become longer up to the longest row, an order in which most memory is
reserved (`hbspec.estimators.training.draws.rising`), so that the peak is seen whatever the lengths that follow. The
timed updates have the mean lengths of equal shares of the examples, in that of several seeded orders in which padding
is nearest to what is expected: few rows in any order would be of another job. Every text is made of words of one token,
of which all but a few are the assistant's, so that nearly every token is trained.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from math import ceil, log
from random import Random
from statistics import mean
from typing import Any, NamedTuple

from hbspec.estimators.training.draws import lengths_at, rising
from hbspec.plan import Plan
from hbspec.plan.calibration import longest_row

WARM_UP = 3
"""Updates before the timed ones: the first opens libraries, the second allocates optimizer states."""

TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ("<|user|>", "<|assistant|>", "<|end|>", "<|begin|>", "<|pad|>")
"""The template's own words, and those that begin and pad a text."""

WORDS = tuple(f"<|w{number}|>" for number in range(64))
"""What texts are made of: special tokens, which every class of tokenizers takes for one token each."""

OVERHEAD = 5
"""Tokens of a conversation beside the assistant's words: one word of the user's, and four of the template's."""

FEWEST_ROWS = 40
"""Timed rows where lengths differ: fewer miss the longest examples, which take most of the time."""
PARTS, ORDERS = 8, 64
"""Lengths that a share's mean is taken of, and orders that are tried."""

SPARE = 1.3
"""Examples for packed rows, as a multiple of what fills them exactly."""


class Schedule(NamedTuple):
    """What a job is given.

    Attributes:
        warm_up: updates that are not timed.
        timed: updates that are.
        lengths: tokens of each example in order.
        validation: likewise, of the validation split; empty where nothing is evaluated.
        alike: whether all rows have one length.
    """

    warm_up: int
    timed: int
    lengths: tuple[int, ...]
    validation: tuple[int, ...]
    alike: bool

    @property
    def updates(self) -> int:
        """All updates."""
        return self.warm_up + self.timed


def schedule(plan: Plan, ranks: int, timed: int) -> Schedule:
    """The rows of a plan's job.

    Args:
        plan: the plan.
        ranks: processes that share the rows.
        timed: timed updates; more where they would have fewer than `FEWEST_ROWS`, and lengths differ.
    """
    training, longest = plan.training, longest_row(plan)
    together, accumulated = training.micro_batch * ranks, training.gradient_accumulation
    evaluated = training.eval_batch if plan.validation_examples else None
    validation = (longest,) * (evaluated * ranks) if evaluated else ()
    cut = plan.lengths.cut(training.max_length)
    if training.packing:
        rows = (WARM_UP + timed) * accumulated * together
        examples = ceil(rows * training.max_length / cut.mean.expected * SPARE)
        return Schedule(WARM_UP, timed, tuple(_shares(plan, longest, examples)), validation, alike=True)
    alike = cut.mean.expected == cut.longest.expected
    steps = (longest,) if alike else (*rising(longest), longest)
    warm_up = max(WARM_UP, ceil(len(steps) / accumulated))
    first = (steps[0],) * (warm_up * accumulated - len(steps)) + steps
    before = tuple(length for length in first for _ in range(together))
    timed = timed if alike else max(timed, ceil(FEWEST_ROWS / (accumulated * together)))
    after = _in_order(plan, _shares(plan, longest, timed * accumulated * together))
    return Schedule(warm_up, timed, before + after, validation, alike=alike)


def _shares(plan: Plan, longest: int, examples: int) -> list[int]:
    """The mean lengths of so many equal shares of the examples, in a seeded order."""
    parts = [(number + 0.5) / (examples * PARTS) for number in range(examples * PARTS)]
    lengths = lengths_at(plan.lengths.cut(plan.training.max_length), longest, parts)
    means = [round(mean(lengths[start : start + PARTS])) for start in range(0, len(lengths), PARTS)]
    Random(0).shuffle(means)  # noqa: S311  (an order, not a secret)
    return means


def _in_order(plan: Plan, lengths: list[int]) -> tuple[int, ...]:
    """Rows in an order in which those of a micro-batch, and the unevenness of all, are nearest to the plan's."""
    size, random = plan.training.micro_batch, Random(0)  # noqa: S311  (an order, not a secret)

    def off(order: list[int]) -> float:
        padded = [max(order[start : start + size]) for start in range(0, len(order), size)]
        tokens = mean(padded)
        uneven = mean(length**2 for length in padded) / tokens**2
        return abs(log(tokens / plan.padded_row_tokens.expected)) + abs(log(uneven / plan.unevenness))

    tried = [random.sample(lengths, len(lengths)) for _ in range(ORDERS)]
    nearest = min(tried, key=off)
    return tuple(nearest)


def lines(lengths: Iterable[int], kind: str) -> str:
    """JSON lines of examples with so many tokens each, and at least one more than `OVERHEAD`.

    Args:
        lengths: tokens of each; of a pair, those of either row.
        kind: a dataset type: `language_modeling`, `preference` or `unpaired_preference`.
    """
    make = MAKERS[kind]
    return "".join(f"{json.dumps(make(number, max(length, OVERHEAD + 1)))}\n" for number, length in enumerate(lengths))


def _conversation(number: int, length: int) -> dict[str, Any]:
    del number
    return {"messages": [ASKED, _said(length)]}


def _pair(number: int, length: int) -> dict[str, Any]:
    del number
    return {"prompt": [ASKED], "chosen": [_said(length)], "rejected": [_said(length, first=1)]}


def _rated(number: int, length: int) -> dict[str, Any]:
    return {"prompt": [ASKED], "completion": [_said(length, first=number)], "label": number % 2 == 0}


ASKED = {"role": "user", "content": WORDS[0]}
MAKERS = {"language_modeling": _conversation, "preference": _pair, "unpaired_preference": _rated}


def _said(length: int, first: int = 0) -> dict[str, str]:
    """The answer of a conversation with so many tokens, from one of the words on."""
    said = "".join(WORDS[(first + number) % len(WORDS)] for number in range(length - OVERHEAD))
    return {"role": "assistant", "content": said}
