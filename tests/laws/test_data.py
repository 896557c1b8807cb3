"""Laws of training data: parts and the whole, order, the two schemas, histograms, and files of any bytes."""

from __future__ import annotations

import gzip
import io
import json
import sys
from contextlib import suppress
from itertools import combinations
from statistics import fmean
from types import SimpleNamespace

import pytest
import zstandard
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hbspec.dataset import Broken, Record, check_data, merge, profile_data, profile_lines, read_part
from hbspec.dataset.broken import Place
from hbspec.dataset.digests import DIGEST_BYTES, Digests
from hbspec.dataset.files import DataFile
from hbspec.dataset.records import ROLES, decoded
from hbspec.histogram import Histogram
from hbspec.plan import read_profile

TEXTS = st.text(max_size=12)
MESSAGES = st.fixed_dictionaries({"role": st.sampled_from(ROLES), "content": TEXTS})
LINES = st.lists(
    st.one_of(
        st.lists(MESSAGES, min_size=1, max_size=4).map(lambda messages: json.dumps({"messages": messages})),
        st.sampled_from(["", "{", "[]", '{"messages": [{"role": "user", "content": "same"}]}']),
    ),
    max_size=12,
)


def grouped(lines, cuts):
    """The lines in consecutive parts, some of them empty."""
    ends = sorted(min(cut, len(lines)) for cut in cuts)
    return [lines[start:end] for start, end in zip([0, *ends], [*ends, len(lines)], strict=True)]


@given(LINES, st.lists(st.integers(0, 12), max_size=4), st.randoms())
def test_parts_in_any_order_and_grouping_are_the_whole(lines, cuts, random):
    whole = profile_lines(lines)
    parts = [profile_lines(part) for part in grouped(lines, cuts)]
    random.shuffle(parts)
    while len(parts) > 1:
        taken = random.randint(2, len(parts))
        parts = [*parts[taken:], merge(parts[:taken])]
        random.shuffle(parts)
    assert parts == [whole]
    if whole.examples:
        assert parts[0].text() == whole.text()
        assert read_part(json.loads(whole.text())) == whole


@given(LINES, st.randoms(), TEXTS)
def test_the_digest_follows_the_examples_and_not_their_order(lines, random, text):
    shuffled = random.sample(lines, len(lines))
    assert profile_lines(shuffled) == profile_lines(lines)
    one_more = json.dumps({"messages": [{"role": "user", "content": text}]})
    assert profile_lines([*lines, one_more]).digest != profile_lines(lines).digest


@given(st.lists(st.binary(min_size=DIGEST_BYTES, max_size=DIGEST_BYTES), max_size=60), st.randoms())
def test_digests_are_a_set(marks, random):
    digests, reference = Digests(), set()
    for mark in [*marks, *random.sample(marks, len(marks) // 2)]:
        assert digests.add(mark) is (mark not in reference)
        reference.add(mark)
    assert list(digests) == sorted(reference)
    assert len(digests) == len(reference)
    assert all(mark in digests for mark in reference)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([*ROLES, "judge", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["messages", "role", "content", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


SCHEMA = Draft202012Validator(
    {
        "type": "object",
        "required": ["messages"],
        "properties": {
            "messages": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["role", "content"],
                    "properties": {"role": {"enum": list(ROLES)}, "content": {"type": "string"}},
                },
            },
        },
    }
)


@given(VALUES | st.fixed_dictionaries({"messages": st.lists(MESSAGES | VALUES, max_size=3)}))
def test_what_is_passed_by_hand_is_what_the_schema_passes(value):
    found = decoded(json.dumps(value).encode(), Place("data.jsonl", 1))
    assert isinstance(found, Record if SCHEMA.is_valid(json.loads(json.dumps(value))) else Broken)


HISTOGRAMS = st.dictionaries(st.integers(1, 40), st.integers(1, 4), min_size=1, max_size=6).map(Histogram.of)


def each(histogram):
    return [length for length, count in histogram.pairs() for _ in range(count)]


@given(HISTOGRAMS)
def test_a_histogram_is_its_examples(histogram):
    lengths = each(histogram)
    assert (histogram.size, histogram.total, histogram.longest) == (len(lengths), sum(lengths), max(lengths))
    assert [histogram.at(rank) for rank in range(len(lengths))] == lengths


@given(HISTOGRAMS, st.integers(1, 50), st.integers(1, 50))
def test_a_cap_cuts_what_is_longer_and_a_higher_one_cuts_less(histogram, cap, other):
    lengths = each(histogram)
    assert each(histogram.cut(cap)) == [min(length, cap) for length in lengths]
    assert histogram.lost(cap) == histogram.total - histogram.cut(cap).total
    low, high = sorted((cap, other))
    assert histogram.lost(low) >= histogram.lost(high)
    assert histogram.above(low) >= histogram.above(high)
    assert histogram.cut(low).is_within(histogram.cut(high))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=7), st.integers(1, 9))
def test_padding_is_the_mean_over_all_draws(lengths, draws):
    histogram = Histogram.of({length: lengths.count(length) for length in lengths})
    longest = [max(drawn) for drawn in combinations(lengths, min(draws, len(lengths)))]
    assert histogram.padded(draws) == pytest.approx(fmean(longest))
    assert histogram.padded_square(draws) == pytest.approx(fmean(length**2 for length in longest))
    assert sum(share for _, share in histogram.maximum(draws)) == pytest.approx(1)


@given(HISTOGRAMS, st.integers(1, 20))
def test_padding_grows_with_the_micro_batch_from_the_mean_to_the_longest(histogram, draws):
    tolerance = 1e-9 * histogram.longest
    assert histogram.mean - tolerance <= histogram.padded(draws) <= histogram.padded(draws + 1) + tolerance
    assert histogram.padded(draws) <= histogram.longest + tolerance


def best_fit(lengths, capacity):
    """One by one, the longest first, each where it leaves least."""
    free = []
    for length in sorted((min(length, capacity) for length in lengths), reverse=True):
        fitting = [place for place, space in enumerate(free) if space >= length]
        if fitting:
            free[min(fitting, key=free.__getitem__)] -= length
        else:
            free.append(capacity - length)
    return len(free)


@given(HISTOGRAMS, st.integers(1, 90))
def test_packing_by_length_is_packing_one_by_one(histogram, capacity):
    rows = histogram.packed(capacity)
    assert rows == best_fit(each(histogram), capacity)
    assert -(-histogram.cut(capacity).total // capacity) <= rows <= histogram.size


CONVERSATION = b'{"messages": [{"role": "user", "content": "{name}"}, {"role": "assistant", "content": "a"}]}\n'
PACKED = (gzip.compress(CONVERSATION * 20), zstandard.ZstdCompressor(write_checksum=True).compress(CONVERSATION * 20))


@st.composite
def damaged(draw):
    """Good data, compressed or not, with some bytes changed, put in or left out."""
    content = bytearray(draw(st.sampled_from((CONVERSATION * 3, *PACKED))))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content)))
        content[place : place + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    return bytes(content)


@examples(300)
@given(st.binary(max_size=200) | damaged())
def test_any_bytes_at_all_end_in_findings(content):
    file = DataFile("-", None)
    standard_input, sys.stdin = sys.stdin, SimpleNamespace(buffer=io.BytesIO(content))
    try:
        (split,) = check_data([file]).splits
        sys.stdin.buffer.seek(0)
        profile, tallies = profile_data([file])
    finally:
        sys.stdin = standard_input
    assert profile.examples == split.examples
    assert split.examples or list(split.tallies)
    assert json.dumps([tally.to_dict() for tally in tallies])
    for tally in split.tallies:
        assert tally.diagnostic(split.examples).message
    if profile.examples:
        assert read_part(json.loads(profile.text())) == profile


DOCUMENT = profile_lines([CONVERSATION, CONVERSATION.replace(b"{name}", b"x" * 99)]).to_dict()


@given(st.sampled_from(sorted(DOCUMENT)), VALUES)
def test_a_profile_with_anything_in_it_is_read_or_refused(key, value):
    document = DOCUMENT | {key: value}
    for read in (read_profile, read_part):
        with suppress(ValueError):
            read(document)


@given(VALUES)
def test_anything_is_a_profile_or_refused(value):
    with pytest.raises(ValueError, match="not a profile"):
        read_part(value)
