"""The number of tokens of an example, estimated from its bytes; `vocabulary.py` counts them.

The ratios were measured on the HeartBeat examples (English prose with Markdown) with Qwen's published vocabulary: 5.02
bytes per token overall, 4.43 to 5.64 for single examples. Other prose, numbers and code need more tokens, so the
interval extends further down. Other languages are outside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hbspec.dataset.records import STANDARD, Record
from hbspec.units import Interval

BYTES_PER_TOKEN = Interval(4.2, 4.9, 5.7)
TEMPLATE_TOKENS = Interval(1.0, 2.0, 5.0)
"""Tokens of the chat template per message: about one in R1's template, five in ChatML."""

END_TOKENS = Interval(1.0, 1.0, 2.0)
"""Tokens that are added to a plain text: its end, and with many tokenizers a beginning."""

Tokens = tuple[int, int, int]
"""The fewest, expected and most tokens of an example; all equal if they are counted."""


class Measure(Protocol):
    """Counts or estimates tokens; `method` says how, and is equal for measures that give equal numbers."""

    @property
    def method(self) -> str:
        """The method in words, for the profile."""

    def __call__(self, records: Sequence[Record]) -> Sequence[Tokens]:
        """The tokens of each example: whole numbers from 1.

        Raises:
            UncountedError: the model's chat template refuses an example.
        """


class UncountedError(Exception):
    """The chat template refuses the example `record`; the message is the template's."""

    def __init__(self, record: Record, reason: str) -> None:
        super().__init__(reason)
        self.record = record


class Estimate:
    """Tokens of `size` bytes in n messages: size / bytes per token + n x template tokens, rounded.

    A plain text has the tokens of its beginning and end instead.
    """

    method = "estimated from UTF-8 bytes, 4.2 to 5.7 a token; no tokenizer"

    def __call__(self, records: Sequence[Record]) -> list[Tokens]:
        """The estimated tokens of each example."""
        return [_tokens(sum(map(len, record.encoded)), around(record)) for record in records]


def around(record: Record) -> Interval:
    """Tokens that are added to the texts of an example."""
    return END_TOKENS if record.layout.format == STANDARD else TEMPLATE_TOKENS * len(record.roles)


def _tokens(size: int, more: Interval) -> Tokens:
    low = size / BYTES_PER_TOKEN.high + more.low
    expected = size / BYTES_PER_TOKEN.expected + more.expected
    high = size / BYTES_PER_TOKEN.low + more.high
    return round(low), round(expected), round(high)
