"""An item of a suite, what became of its answer, and what a suite is.

A suite runs where the model is served or where the job runs, so this folder imports only the standard library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

RIGHT, WRONG = "right", "wrong"


class Item(NamedTuple):
    """A question to the model, and what its answer is compared with.

    Attributes:
        id: unique within the suite; the same on every machine and every Python.
        template: items of one template are not independent of each other: the cluster of a confidence interval. Items
            that are drawn apart are their own template, also where they ask for the same metric: a generated suite
            has all its metrics in every run, as strata, and its score speaks of these and of no others.
        messages: chat messages to send, each with `role` (system or user) and `content`.
        reference: what the scorer needs, as plain JSON values. Two of them are for reports, where a suite has them:
            `stratum`, the metric or kind of problem, and `seen`, whether the prompt is one of the training data: true,
            false, or None where that is not known.
        max_tokens: enough for a right answer, reasoning included.
        stop: texts that end the answer, which is looked at up to the first of them.
    """

    id: str
    template: str
    messages: tuple[dict[str, str], ...]
    reference: Mapping[str, Any]
    max_tokens: int
    stop: tuple[str, ...] = ()


class Scored(NamedTuple):
    """What became of an answer.

    Attributes:
        right: whether it counts.
        kind: `right`, or what is wrong in one or two words, to be counted: `wrong`, `no number`, `two numbers`,
            `truncated`, `empty`, `refused`, and others that a suite's page names.
        detail: the two values that were compared, or what is missing.
    """

    right: bool
    kind: str
    detail: str


class Suite(Protocol):
    """Items and the scorer of their answers.

    A suite may also have `score_group(items, answers) -> list[Scored]`, which judges answers together and gives one
    result for each item, in order. Where a suite has it, its results take the place of those of `score`. It never
    counts as right what `score` does not, and may be given the items of one template or of many.

    A suite that reads a file may have `faults`, the numbers of the lines that it cannot use by what is wrong with them,
    and `baseline`, the score that answers reach without reading the question: a score near it says little.
    """

    @property
    def name(self) -> str:
        """As it is written under `evaluation:`."""

    @property
    def digest(self) -> str:
        """SHA-256 of the items and the scorer's version, in hex: scores of different digests are not comparable."""

    def items(self, seed: int, count: int) -> Iterator[Item]:
        """At most `count` items; those of a smaller `count` are the first of a larger one."""

    def score(self, item: Item, answer: str) -> Scored:
        """Compares an answer with its item. The text is all that it sees; raises nothing, whatever the text."""


class SuiteError(ValueError):
    """A suite cannot be used; the message says where, what is wrong, and what to do."""


def digest_of(name: str, version: int, items: Iterable[Item]) -> str:
    """The digest of a suite whose items are generated, of a sample of them."""
    return digest_of_bytes(name, version, *(canonical(item) for item in items))


def digest_of_bytes(name: str, version: int, *parts: bytes) -> str:
    """The digest of a suite from its name, its scorer's version, and the bytes that decide its items."""
    found = hashlib.sha256(f"{name} {version}".encode())
    for part in parts:
        found.update(hashlib.sha256(part).digest())
    return found.hexdigest()


def canonical(item: Item) -> bytes:
    """An item as bytes, the same on every machine."""
    parts = item if item.stop else item[:-1]
    return json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


def by_template(items: Sequence[Item]) -> dict[str, list[int]]:
    """Positions of items by their template."""
    found: dict[str, list[int]] = {}
    for position, item in enumerate(items):
        found.setdefault(item.template, []).append(position)
    return found
