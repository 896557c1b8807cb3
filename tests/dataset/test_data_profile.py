"""Profiles of training data: counts, lengths, duplicates, a digest that does not depend on order, broken lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.dataset import profile_files, read_records
from hbspec.diagnostics import Finding
from hbspec.plan import read_profile

REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "heartbeat"


def line(*contents: str) -> str:
    roles = ("system", "user", "assistant")
    return json.dumps(
        {"messages": [{"role": role, "content": text} for role, text in zip(roles, contents, strict=True)]}
    )


def profile_of(folder: Path, *lines: str):
    path = folder / "data.jsonl"
    path.write_text("".join(f"{text}\n" for text in lines), encoding="utf-8", errors="surrogatepass")
    return profile_files([path])


def test_counts_duplicates_and_the_longest(tmp_path):
    found, broken = profile_of(tmp_path, line("s", "u", "a"), line("s", "u", "a"), line("s", "u", "a" * 600), "")
    assert (found.examples, found.exact_duplicates, broken) == (3, 1, [])
    assert found.longest.low <= 602 / 4.9 + 6 <= found.longest.high
    assert found.p50.expected < found.longest.expected


def test_what_it_writes_is_a_profile(tmp_path):
    found, _ = profile_of(tmp_path, line("s", "u", "a"), line("s", "u", "a longer answer"))
    read = read_profile(json.loads(json.dumps(found.to_dict())))
    assert (read.examples, read.digest) == (2, found.digest)
    assert read.mean.expected == pytest.approx(found.mean.expected, abs=0.05)


TEXTS = st.lists(st.text(max_size=20), min_size=1, max_size=8)


@given(TEXTS, st.randoms())
def test_the_digest_does_not_depend_on_order(tmp_path_factory, texts, random):
    folder = tmp_path_factory.mktemp("digest")
    lines = [line("s", "u", text) for text in texts]
    shuffled = random.sample(lines, len(lines))
    assert profile_of(folder, *lines)[0].digest == profile_of(folder, *shuffled)[0].digest
    assert profile_of(folder, *lines)[0].digest != profile_of(folder, *lines, line("s", "u", "one more"))[0].digest


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not json", "no JSON"),
        ("[]", "messages"),
        ('{"messages": []}', "messages"),
        ('{"messages": [{"role": "user"}]}', "message 1"),
        ('{"messages": [{"role": "judge", "content": "x"}]}', "'judge'"),
        ("[" * 100_000, "no JSON"),
        ('{"messages": [{"role": "user", "content": 3}]}', "no text content"),
    ],
)
def test_a_broken_line_is_reported_and_the_rest_goes_on(tmp_path, text, says):
    found, (broken,) = profile_of(tmp_path, line("s", "u", "a"), text, line("s", "u", "b"))
    assert found.examples == 2
    assert broken.route == ("data.jsonl", 2)
    assert says in broken.message


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\xff\xfe\n" + line("s", "u", "a").encode())
    kinds = [type(record) for record in read_records(path)]
    assert kinds[0] is Finding
    assert len(kinds) == 2


def test_nothing_to_train_on(tmp_path):
    with pytest.raises(ValueError, match="no example"):
        profile_of(tmp_path, "broken")


def test_the_shipped_profiles_are_those_of_the_real_data():
    """Held against the data where it lies beside the project; their form is held everywhere."""
    specs = Path(__file__).parents[2] / "specs"
    for split, examples in (("train", 1758), ("validation", 440)):
        shipped = json.loads((specs / f"heartbeat.{split}.profile.json").read_text())
        assert read_profile(shipped).examples == examples
        if REAL.is_dir():
            assert profile_files([REAL / f"{split}.jsonl"])[0].to_dict() == shipped
