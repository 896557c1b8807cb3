"""Profiles: what they count, how they are written and read, and that they are those of the shipped data."""

from __future__ import annotations

import json
import pickle
from base64 import b64encode
from random import Random

import pytest
from made_data import REAL, ROOT, chat, line, written

from hbspec.dataset import data_files, merge, profile_data, profile_lines, read_part
from hbspec.dataset import profile as module
from hbspec.dataset.measures import UncountedError
from hbspec.plan import read_profile


class Counting:
    """One token a character of the contents, but no letter x."""

    method = "counted by hand"

    def __call__(self, records):
        for record in records:
            if "x" in "".join(record.contents):
                raise UncountedError(record, "no x is allowed")
        return [(size, size, size) for size in (sum(map(len, record.contents)) for record in records)]


def test_counts_lengths_and_duplicates():
    profile = profile_lines([chat("q" * 9, "a"), chat("q" * 9, "a"), "", chat("q" * 9, "a" * 91), "{"], Counting())
    document = profile.to_dict()
    assert (document["examples"], document["exact_duplicates"], document["broken_lines"]) == (3, 1, 1)
    assert document["tokens"] == {"mean": 40.0, "p50": 10, "p95": 100, "max": 100, "method": "counted by hand"}
    assert document["histogram"] == {"expected": {"tokens": [10, 100], "counts": [2, 1]}}
    assert profile.is_exact


def test_an_estimate_carries_its_bounds():
    document = profile_lines([chat("q", "a" * 4000)]).to_dict()
    tokens = document["tokens"]
    assert set(document["histogram"]) == {"low", "expected", "high"}
    for key, (low, high) in tokens["bounds"].items():
        assert low < tokens[key] < high
    assert "no tokenizer" in tokens["method"]


def test_an_example_is_never_of_no_token():
    assert profile_lines([line("user:", "assistant:")], Counting()).to_dict()["tokens"]["max"] == 1


def test_examples_that_a_template_refuses_are_left_out_and_the_rest_counts(tmp_path):
    files = written(tmp_path / "data.jsonl", chat("q", "a"), chat("q", "x"), chat("q", "b"))
    profile, tallies = profile_data(files, Counting())
    assert (profile.examples, profile.broken_lines) == (2, 1)
    (tally,) = tallies
    assert (tally.defect.code, tally.places[0].line) == ("HB050", 2)
    assert tally.what == "the model's chat template refuses the example (no x is allowed)"


def test_batches_are_bounded_by_examples_and_by_bytes(monkeypatch):
    sizes = []

    class Noting(Counting):
        def __call__(self, records):
            sizes.append(len(records))
            return super().__call__(records)

    profile_lines([chat("q", str(number)) for number in range(600)], Noting())
    assert sizes == [256, 256, 88]
    sizes.clear()
    monkeypatch.setattr(module, "BATCH_BYTES", 100)
    profile_lines([chat("q", "a" * 60)] * 5, Noting())
    assert sizes == [2, 2, 1]


def test_text_and_bytes_are_the_same_lines_even_where_they_are_none():
    """Engines that read text mark a byte that is none by a surrogate; a line that is too long is one in both."""
    lines = [chat("é", "a").replace("\\u00e9", "é").encode(), b'"\xff"', b" " * (2**24 + 1)]
    texts = [text.decode("utf-8", "surrogateescape") for text in lines]
    assert profile_lines(lines) == profile_lines(texts)
    assert profile_lines(lines).broken_lines == 2


def test_a_part_is_whole_without_its_digests_and_reads_back():
    part = profile_lines([chat("q", str(number)) for number in range(50)] * 2)
    assert pickle.loads(pickle.dumps(part)) == part
    assert read_part(json.loads(part.text())) == part
    assert set(part.to_dict()) - set(part.whole().to_dict()) == {"digests"}
    assert read_profile(part.to_dict()) == read_profile(part.whole().to_dict())
    with pytest.raises(ValueError, match="lacks digests"):
        read_part(part.whole().to_dict())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"digests": 3}, "Base64"),
        ({"digests": "?"}, "Base64"),
        ({"digests": ""}, "2 different examples"),
        ({"digest": "sha256:00"}, "blake2b-sum"),
        ({"digest": "blake2b-sum:-1"}, "`digest` is not a number"),
        ({"broken_lines": -1}, "broken_lines"),
        ({"broken_lines": None}, "broken_lines"),
        ({"exact_duplicates": 1}, "1 different examples"),
        ({"histogram": None}, "histogram"),
        ({"examples": 3}, "histogram"),
    ],
)
def test_a_part_that_was_changed_by_hand(change, says):
    document = profile_lines([chat("q", "a"), chat("q", "b")]).to_dict()
    with pytest.raises(ValueError, match=says):
        read_part(document | change)


def test_digests_out_of_order_are_refused():
    one, other = (profile_lines([chat("q", text)]) for text in "ab")
    swapped = merge([one, other]).to_dict() | {"digests": b64encode(b"\1" * 16 + bytes(16)).decode()}
    with pytest.raises(ValueError, match="sorted digests of 2 different"):
        read_part(swapped)


def test_merging_parts_is_profiling_the_whole():
    lines = [chat("q", str(Random(number).random())[: 3 + number % 9]) for number in range(300)] + ["{"]
    whole = profile_lines(lines)
    parts = [profile_lines(lines[start::7]) for start in range(7)]
    assert merge(parts) == merge([merge(parts[4:]), merge(reversed(parts[:4]))]) == whole
    assert merge([whole, profile_lines([])]) == whole


def test_what_cannot_be_merged():
    part = profile_lines([chat("q", "a")])
    with pytest.raises(ValueError, match="no part"):
        merge([])
    with pytest.raises(ValueError, match="counted in 2 ways"):
        merge([part, profile_lines([chat("q", "a")], Counting())])
    with pytest.raises(ValueError, match="without digests"):
        merge([part, part.whole()])


def test_a_profile_of_nothing_has_no_document():
    with pytest.raises(ValueError, match="no example"):
        profile_lines(["{"]).to_dict()


def test_the_shipped_profiles_are_those_of_the_real_data():
    """Held against the data where they lie beside the project; their form is held everywhere."""
    for split, examples, longest in (("train", 1758, 684), ("validation", 440, 683)):
        shipped = (ROOT / "specs" / f"heartbeat.{split}.profile.json").read_text(encoding="utf-8")
        profile = read_profile(json.loads(shipped))
        assert (profile.examples, profile.longest.expected) == (examples, longest)
        assert profile.histograms is not None
        if REAL.is_dir():
            assert profile_data(data_files([str(REAL / f"{split}.jsonl")]))[0].whole().text() == shipped
