"""A moment of a step as the sum of its parts, each of named terms in whole bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hbspec.estimators.step.lifetimes.ledger import Peak


class Part(NamedTuple):
    """Some terms, and what they add up to."""

    terms: Mapping[str, int]
    total: int


class Sized(NamedTuple):
    """A moment of a run at one length, whose terms only the report of it needs."""

    peak: Peak
    tokens: int
    row: int
    total: int

    @property
    def terms(self) -> Mapping[str, int]:
        """Bytes by name."""
        return {name: size.at(self.tokens, self.row) for name, size in self.peak.terms.items()}


def sized(peak: Peak, tokens: int, row: int) -> Sized:
    """A moment of a micro-batch of so many tokens in rows of so many."""
    return Sized(peak, tokens, row, peak.total.at(tokens, row))


class Moment(NamedTuple):
    """A moment of a step: named bytes that are alive at once.

    Attributes:
        name: "load", "forward", "loss", "reference" (the pass of what the model is compared with), "recompute"
            (checkpointing: a layer computed again, and its backward pass), "backward" (without checkpointing, and the
            end of every backward pass) or "optimizer".
        parts: the terms.
        total: what they add up to.
    """

    name: str
    parts: tuple[Part | Sized, ...]
    total: int

    @property
    def terms(self) -> dict[str, int]:
        """Bytes by name."""
        return _added(self.parts)


def part(terms: Mapping[str, int]) -> Part:
    """Some terms with their sum."""
    return Part(terms, sum(terms.values()))


def moment(name: str, *parts: Part | Sized) -> Moment:
    """A moment at which all of some parts are alive."""
    return Moment(name, parts, sum(one.total for one in parts))


def moment_of(name: str, *terms: Mapping[str, int]) -> Moment:
    """A moment at which all of some terms are alive."""
    return moment(name, *map(part, terms))


def joined(*parts: Part) -> Part:
    """Parts that several moments have, as one."""
    return Part(_added(parts), sum(one.total for one in parts))


def _added(parts: Iterable[Part | Sized]) -> dict[str, int]:
    terms: dict[str, int] = {}
    for one in parts:
        for name, size in one.terms.items():
            terms[name] = terms.get(name, 0) + size
    return terms
