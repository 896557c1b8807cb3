"""Reads a data profile from its JSON document, and names any defect."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hbspec.histogram import Histogram
from hbspec.plan.lengths import Profile, Spread
from hbspec.units import Interval

LARGEST = 10**9
"""More tokens than any example has."""
ROUNDED = 0.06
"""Tolerance on the mean, which a profile states with one decimal."""


def read_profile(values: Any) -> Profile:
    """A profile from its JSON document.

    `tokens.mean` and `tokens.max` are numbers; `tokens.bounds` gives low and high where they were estimated.
    `histogram` holds the lengths of all examples, likewise with `low` and `high`; older profiles have none.

    Raises:
        ValueError: the document is not a profile of a known version, or a field is missing or invalid; the message
            names it.
    """
    if not isinstance(values, dict) or values.get("format_version") != 1:
        raise ValueError("not a profile: `format_version` is not 1")
    tokens = values.get("tokens")
    if not isinstance(tokens, dict):
        raise ValueError("`tokens` is missing")
    examples = _whole(values, "examples")
    if examples < 1:
        raise ValueError("`examples` is 0: the split has no training data")
    mean, longest = _tokens(tokens, "mean"), _tokens(tokens, "max")
    if longest.expected < mean.expected:
        raise ValueError(f"`tokens.max` {longest.expected:g} is below `tokens.mean` {mean.expected:g}")
    duplicates, digest, method = _whole(values, "exact_duplicates"), values.get("digest"), tokens.get("method")
    if duplicates >= examples:
        raise ValueError(f"`exact_duplicates` {duplicates} is not below `examples` {examples}")
    if not isinstance(digest, str) or not isinstance(method, str):
        raise ValueError("`digest` and `tokens.method` must be strings")
    histograms = _histograms(values["histogram"], examples, mean) if "histogram" in values else None
    return Profile(examples, duplicates, mean, longest, method, digest, histograms, _layout(values))


def _layout(values: dict[str, Any]) -> tuple[str, str]:
    """The dataset type and format; earlier profiles, and those of conversations, do not state them."""
    layout = values.get("layout", {"type": "language_modeling", "format": "conversational"})
    if not isinstance(layout, dict) or not all(isinstance(layout.get(key), str) for key in ("type", "format")):
        raise ValueError("`layout` does not hold a `type` and a `format`")
    return layout["type"], layout["format"]


def _whole(values: dict[str, Any], key: str) -> int:
    value = values.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"`{key}` is not a whole number of at least 0")
    return value


def _tokens(tokens: dict[str, Any], key: str) -> Interval:
    bounds = tokens.get("bounds", {})
    ends = bounds.get(key, [tokens.get(key)] * 2) if isinstance(bounds, dict) else None
    values: list[Any] = [ends[0], tokens.get(key), ends[1]] if isinstance(ends, list) and len(ends) == 2 else []
    if not values or not all(type(value) in (int, float) and 0 < value < LARGEST for value in values):
        raise ValueError(f"`tokens.{key}` is not a positive number, or its `bounds` are not two positive numbers")
    low, expected, high = map(float, values)
    if not low <= expected <= high:
        raise ValueError(f"`tokens.{key}` {expected:g} is not within its bounds, {low:g} and {high:g}")
    return Interval(low, expected, high)


def _histograms(values: Any, examples: int, mean: Interval) -> Spread:
    """`{"expected": {"tokens": […], "counts": […]}}`, with `low` and `high` beside it where lengths were estimated."""
    if not isinstance(values, dict) or set(values) not in ({"expected"}, {"low", "expected", "high"}):
        raise ValueError("`histogram` does not hold `expected`, or all of `low`, `expected` and `high`")
    read = {name: _histogram(name, entry) for name, entry in values.items()}
    expected = read["expected"]
    low, high = read.get("low", expected), read.get("high", expected)
    for histogram in (low, expected, high):
        if histogram.size != examples:
            raise ValueError(f"`histogram` counts {histogram.size} examples, but `examples` is {examples}")
    if abs(expected.mean - mean.expected) > ROUNDED:
        raise ValueError(f"`tokens.mean` is {mean.expected:g}, but the mean of `histogram` is {expected.mean:.1f}")
    if not (low.is_within(expected) and expected.is_within(high)):
        raise ValueError("`histogram.low`, `histogram.expected` and `histogram.high` are not in ascending order")
    return low, expected, high


def _histogram(name: str, values: Any) -> Histogram:
    lengths, counts = (values.get("tokens"), values.get("counts")) if isinstance(values, dict) else (None, None)
    if not isinstance(lengths, list) or not isinstance(counts, list) or not len(lengths) == len(counts) > 0:
        raise ValueError(f"`histogram.{name}` does not have as many `tokens` as `counts`")
    for what, numbers in (("tokens", lengths), ("counts", counts)):
        for number in numbers:
            if type(number) is not int or not 0 < number < LARGEST:
                shown = repr(number)[:20]
                raise ValueError(f"`histogram.{name}.{what}` holds {shown}, which is not a positive whole number")
    if any(second <= first for first, second in pairwise(lengths)):
        raise ValueError(f"`histogram.{name}.tokens` are not in ascending order")
    return Histogram(tuple(lengths), tuple(counts))
