"""`hbspec data merge` from outside."""

from __future__ import annotations

import json

import pytest

from .conversations import chat

LINES = [f"{chat(f'question {number % 31}', 'word ' * (number % 17))}\n" for number in range(60)] + ["{\n"]


@pytest.fixture
def parts(hbspec):
    hbspec.write("all.jsonl", "".join(LINES))
    for number in range(3):
        hbspec.write(f"{number}.jsonl", "".join(LINES[number::3]))
        hbspec("data", "profile", f"{number}.jsonl", "--part", "-o", f"{number}.json")
    return hbspec


def test_the_parts_are_the_whole_byte_for_byte(parts):
    assert parts("data", "profile", "all.jsonl", "-o", "whole.json")[0] == 1
    code, out, err = parts("data", "merge", "2.json", "0.json", "1.json", "-o", "merged.json")
    assert (code, err) == (0, "")
    assert (parts.folder / "merged.json").read_bytes() == (parts.folder / "whole.json").read_bytes()
    assert out.startswith("60 examples, ")
    assert "1 line left out" in out


def test_merged_parts_merge_again(parts):
    parts("data", "merge", "2.json", "0.json", "--part", "-o", "some.json")
    assert parts("data", "merge", "some.json", "1.json")[1] == parts("data", "profile", "all.jsonl")[1]


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("0.json", "0.json"), "0.json is named twice; its examples would be counted twice"),
        (("0.json", "nowhere.json"), "nowhere.json: No such file or directory"),
        (("0.json", "all.jsonl"), "all.jsonl is not JSON"),
        (("0.json", "whole.json"), "whole.json: the profile lacks digests, which are needed to merge it;"),
        (("0.json", "mine.json"), "mine.json: not a profile: `format_version` is not 1"),
        (("0.json", "1.json", "-o", "mine.json"), "mine.json already exists and is not a profile; name another file"),
        (
            ("0.json", "1.json", "-o", "no/p.json"),
            "no/p.json: the folder no does not exist; create it, or name another file",
        ),
    ],
)
def test_what_is_refused(parts, words, says):
    parts("data", "profile", "all.jsonl", "-o", "whole.json")
    parts.write("mine.json", json.dumps([1]))
    code, out, err = parts("data", "merge", *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"hbspec: {says}")
    assert (parts.folder / "mine.json").read_text() == "[1]"


@pytest.mark.parametrize("output", ["0.json", "link.json"])
def test_a_part_is_not_replaced_by_what_it_is_merged_into(parts, output):
    (parts.folder / "link.json").symlink_to("0.json")
    before = (parts.folder / "0.json").read_bytes()
    code, _, err = parts("data", "merge", "0.json", "1.json", "--part", "-o", output)
    assert (code, (parts.folder / "0.json").read_bytes()) == (2, before)
    assert err == f"hbspec: {output} is one of the parts, which would be lost: name another file\n"
