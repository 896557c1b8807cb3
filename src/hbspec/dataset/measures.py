"""How many tokens an example has: estimated from its bytes, where `vocabulary.py` counts them.

The ratios were measured on the HeartBeat examples (English prose with Markdown) with Qwen's published vocabulary: 5.02
bytes a token over all, 4.43 to 5.64 for single examples; other prose, numbers and code need more tokens, so the
interval reaches further down. Other languages are outside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hbspec.dataset.records import Record
from hbspec.units import Interval

BYTES_PER_TOKEN = Interval(4.2, 4.9, 5.7)
TEMPLATE_TOKENS = Interval(1.0, 2.0, 5.0)
"""A message's share of the chat template: R1's spends about one, ChatML five."""

Tokens = tuple[int, int, int]
"""The fewest, expected and most tokens of an example; three times the same where they are counted."""


class Measure(Protocol):
    """Counts or estimates tokens; `method` says how, and is the same wherever the same numbers come out."""

    @property
    def method(self) -> str:
        """In words, for the profile."""

    def __call__(self, records: Sequence[Record]) -> Sequence[Tokens]:
        """Of each example, whole numbers from 1.

        Raises:
            UncountedError: an example that the model's chat template refuses.
        """


class UncountedError(Exception):
    """The chat template refuses an example; `record` is that, and the message the template's."""

    def __init__(self, record: Record, reason: str) -> None:
        super().__init__(reason)
        self.record = record


class Estimate:
    """Tokens of `size` bytes in n messages: size / bytes a token + n x template, rounded."""

    method = "estimated from UTF-8 bytes, 4.2 to 5.7 a token; no tokenizer"

    def __call__(self, records: Sequence[Record]) -> list[Tokens]:
        """As `Measure` has it."""
        return [_tokens(sum(map(len, record.encoded)), len(record.roles)) for record in records]


def _tokens(size: int, messages: int) -> Tokens:
    low = size / BYTES_PER_TOKEN.high + messages * TEMPLATE_TOKENS.low
    expected = size / BYTES_PER_TOKEN.expected + messages * TEMPLATE_TOKENS.expected
    high = size / BYTES_PER_TOKEN.low + messages * TEMPLATE_TOKENS.high
    return round(low), round(expected), round(high)
