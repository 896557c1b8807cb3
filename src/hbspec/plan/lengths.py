"""How long the examples are: what time and cost follow, instead of the cap `max_length`."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

from hbspec.units import Interval

SHORTEST_PLAUSIBLE_EXAMPLE = 32
"""Tokens of the shortest mean that is considered where lengths are unknown: a template and a one-line answer."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What `hbspec data profile` found in one split.

    Attributes:
        examples: lines that hold a valid example.
        mean: tokens of the mean example, an interval where the tokenizer was not at hand.
        longest: tokens of the longest example, likewise.
        method: how tokens were counted.
        digest: identifies the data, independent of order.
    """

    examples: int
    exact_duplicates: int
    mean: Interval
    longest: Interval
    method: str
    digest: str


@dataclass(frozen=True, slots=True)
class Lengths:
    """Token lengths of the examples, before `max_length` cuts them.

    Attributes:
        mean: tokens of the mean example.
        longest: tokens of the longest example.
        source: where they come from, in words.
        known: False where nothing was measured and the interval is all that `max_length` allows.
    """

    mean: Interval
    longest: Interval
    source: str
    known: bool

    def cut(self, max_length: int) -> Lengths:
        """The lengths after truncation at `max_length` (the mean of examples that are partly cut only falls)."""
        return Lengths(
            self.mean.map(lambda tokens: min(tokens, max_length)),
            self.longest.map(lambda tokens: min(tokens, max_length)),
            self.source,
            self.known,
        )

    def padded(self, micro_batch: int) -> Interval:
        """Tokens of a row when `micro_batch` examples are padded to the longest of them.

        For a uniform distribution on [s, l] the expected maximum of m draws is s + (l - s) m / (m + 1); s is taken
        so that the mean is right. Leaves out the real histogram; low is the mean and high the longest example.
        """
        if micro_batch == 1:
            return self.mean
        mean, longest = self.mean.expected, self.longest.expected
        shortest = max(1.0, 2 * mean - longest)
        expected = shortest + (longest - shortest) * micro_batch / (micro_batch + 1)
        low, high = self.mean.low, self.longest.high
        return Interval(low, min(max(expected, low), high), high)


def unknown_lengths(max_length: int) -> Lengths:
    """All that a cap allows: means from a one-line answer to the cap itself, expected at their geometric middle."""
    low = min(SHORTEST_PLAUSIBLE_EXAMPLE, max_length)
    return Lengths(
        Interval(low, sqrt(low * max_length), max_length),
        Interval(low, max_length, max_length),
        f"unknown: no profile and no tokens, so anything from {low} to max_length",
        known=False,
    )


def given_lengths(mean: float, longest: float) -> Lengths:
    """Lengths that the author gave by hand; `data.tokens` is taken as exact."""
    return Lengths(Interval.exact(mean), Interval.exact(longest), "data.tokens", known=True)


def profiled_lengths(profile: Profile) -> Lengths:
    """Lengths out of a profile."""
    return Lengths(profile.mean, profile.longest, f"data.profile ({profile.method})", known=True)


def read_profile(values: Any) -> Profile:
    """A profile from its JSON document.

    `tokens.mean` and `tokens.max` are numbers; `tokens.bounds` gives low and high where they were estimated.

    Raises:
        ValueError: not a profile of a version that is known, or a field missing or absurd; the message names it.
    """
    if not isinstance(values, dict) or values.get("format_version") != 1:
        raise ValueError("it is no profile: `format_version` is not 1")
    tokens = values.get("tokens")
    if not isinstance(tokens, dict):
        raise ValueError("`tokens` is missing")
    examples = _whole(values, "examples")
    if examples < 1:
        raise ValueError("`examples` is 0: there is nothing to train on")
    mean, longest = _tokens(tokens, "mean"), _tokens(tokens, "max")
    if longest.expected < mean.expected:
        raise ValueError(f"`tokens.max` {longest.expected:g} is below `tokens.mean` {mean.expected:g}")
    digest, method = values.get("digest"), tokens.get("method")
    if not isinstance(digest, str) or not isinstance(method, str):
        raise ValueError("`digest` and `tokens.method` must be texts")
    return Profile(examples, _whole(values, "exact_duplicates"), mean, longest, method, digest)


def _whole(values: dict[str, Any], key: str) -> int:
    value = values.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"`{key}` is not a whole number from 0")
    return value


def _tokens(tokens: dict[str, Any], key: str) -> Interval:
    bounds = tokens.get("bounds", {})
    ends = bounds.get(key, [tokens.get(key)] * 2) if isinstance(bounds, dict) else None
    values: list[Any] = [ends[0], tokens.get(key), ends[1]] if isinstance(ends, list) and len(ends) == 2 else []
    if not values or not all(type(value) in (int, float) and 0 < value < 10**9 for value in values):
        raise ValueError(f"`tokens.{key}` is not a number of tokens above 0, or its `bounds` are not two such numbers")
    low, expected, high = map(float, values)
    if not low <= expected <= high:
        raise ValueError(f"`tokens.{key}` {expected:g} is not within its bounds, {low:g} and {high:g}")
    return Interval(low, expected, high)
