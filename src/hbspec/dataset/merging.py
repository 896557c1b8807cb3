"""Profiles of parts to the profile of the whole."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge as in_order
from itertools import pairwise
from typing import Any

from hbspec.dataset.digests import DIGEST_BYTES
from hbspec.dataset.layouts import said
from hbspec.dataset.profile import DIGEST_NAME, DataProfile
from hbspec.dataset.records import Layout
from hbspec.histogram import Histogram


def merge(parts: Iterable[DataProfile]) -> DataProfile:
    """The profile of the examples of all parts; associative and commutative.

    Raises:
        ValueError: a part lacks digests, the parts counted tokens in different ways, or `parts` is empty.
    """
    taken = list(parts)
    if not taken:
        raise ValueError("no parts to merge")
    methods = {part.method for part in taken}
    if len(methods) != 1:
        raise ValueError(f"tokens were counted in {len(methods)} ways: {'; '.join(sorted(methods))}")
    layouts = {part.layout for part in taken if part.layout is not None}
    if len(layouts) > 1:
        raise ValueError(f"the parts hold {' and '.join(sorted(map(said, layouts)))}")
    if not all(part.is_part for part in taken):
        raise ValueError("a profile without digests cannot be merged")
    digests = _union([part.digests or b"" for part in taken])
    return DataProfile(
        examples=sum(part.examples for part in taken),
        distinct=len(digests) // DIGEST_BYTES,
        broken_lines=sum(part.broken_lines for part in taken),
        digest=sum(part.digest for part in taken) % (1 << 8 * DIGEST_BYTES),
        low=_together(part.low for part in taken),
        expected=_together(part.expected for part in taken),
        high=_together(part.high for part in taken),
        method=methods.pop(),
        digests=digests,
        layout=layouts.pop() if layouts else None,
    )


def read_part(values: Any) -> DataProfile:
    """The profile of a part from its JSON document.

    Raises:
        ValueError: the document is not a profile with digests; the message says what is wrong.
    """
    from hbspec.plan import read_profile

    profile = read_profile(values)
    if "digests" not in values or profile.histograms is None:
        raise ValueError("the profile lacks digests, which are needed to merge it; write it with --part")
    broken = values.get("broken_lines")
    name, _, digested = profile.digest.partition(":")
    try:
        digests = b64decode(values["digests"], validate=True)
        number = int.from_bytes(bytes.fromhex(digested))
    except (TypeError, ValueError):
        raise ValueError("`digests` is not Base64, or `digest` is not a number") from None
    marks = list(_marks(digests))
    distinct = profile.examples - profile.exact_duplicates
    if len(digests) != distinct * DIGEST_BYTES or any(one >= other for one, other in pairwise(marks)):
        raise ValueError(f"`digests` does not contain the sorted digests of {distinct} different examples")
    if name != DIGEST_NAME or type(broken) is not int or broken < 0:
        raise ValueError(f"`digest` is not a {DIGEST_NAME}, or `broken_lines` is not a whole number from 0")
    low, expected, high = profile.histograms
    layout = Layout(*profile.layout)
    return DataProfile(profile.examples, distinct, broken, number, low, expected, high, profile.method, digests, layout)


def _together(histograms: Iterable[Histogram]) -> Histogram:
    counted: Counter[int] = Counter()
    for histogram in histograms:
        for length, count in histogram.pairs():
            counted[length] += count
    return Histogram.of(counted)


def _marks(digests: bytes) -> Iterator[bytes]:
    for place in range(0, len(digests), DIGEST_BYTES):
        yield digests[place : place + DIGEST_BYTES]


def _union(several: Sequence[bytes]) -> bytes:
    """The union of several sorted runs of digests, sorted."""
    found, last = bytearray(), b""
    for mark in in_order(*map(_marks, several)):
        if mark != last:
            found += mark
            last = mark
    return bytes(found)
