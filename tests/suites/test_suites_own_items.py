"""A user's own suite, and names of suites."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.shipped import templates
from hbspec.suites import SuiteError, own_items, suite

USER = [{"role": "user", "content": "Which tool?"}]
EXPECTED = {
    "number": {"number": 53.4, "tolerance": 0.1, "unit": "%"},
    "rate": {"number": 2.4, "unit": "points per 60 minutes"},
    "count": {"number": 1234, "unit": "attempts"},
    "text": {"text": "The Canadiens."},
    "one_of": {"one_of": ["Suzuki", "Nick Suzuki"]},
    "contains": {"contains": "Bell Centre"},
    "all": {"contains": ["Bell", "Montreal"]},
    "regex": {"regex": r"\b19[0-9]{2}\b"},
    "tools": {"tools": ["vector_search", "parquet_query"]},
}


def made(folder: Path, *lines: object) -> own_items.OwnItems:
    path = folder / "mine.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    found = suite("mine", folder)
    assert isinstance(found, own_items.OwnItems)
    return found


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    lines = [{"id": key, "prompt": f"Say {key}", "expect": expect} for key, expect in EXPECTED.items()]
    return made(tmp_path_factory.mktemp("own"), *lines)


@pytest.mark.parametrize(
    ("key", "answer", "right"),
    [
        ("number", "Answer: 53.4 %", True),
        ("number", "Answer: 0.534", True),
        ("number", "It is 53.4 %", False),
        ("number", "Answer: 53.4 % or 46.6 %", False),
        ("rate", "Answer: 2.4 points per 60", True),
        ("rate", "Answer: 2.41", False),
        ("rate", "Answer: 2.4 per game", False),
        ("count", "Answer: 1,234 attempts", True),
        ("count", "Answer: 1.234", False),
        ("text", "the **canadiens**", True),
        ("text", "Well, so:\nAnswer: The Canadiens", True),
        ("text", "<think>Boston</think>The Canadiens.", True),
        ("text", "Not the Canadiens.", False),
        ("text", "Answer: The Canadiens\nAnswer: Boston", False),
        ("one_of", "Nick  Suzuki", True),
        ("one_of", "Suzuki or Caufield", False),
        ("contains", "At the bell\ncentre in Montreal", True),
        ("contains", "<think>Bell Centre</think>In Toronto", False),
        ("contains", "I cannot answer that.", False),
        ("all", "Montreal has the Bell Centre", True),
        ("all", "the Bell Centre", False),
        ("regex", "In 1993.", True),
        ("regex", "In 2093.", False),
        ("tools", "[TOOL: vector_search], then [TOOL: parquet_query]", True),
        ("tools", "[TOOL: parquet_query], then [TOOL: vector_search]", False),
        ("tools", "[TOOL: vector_search]", False),
        ("text", "This answer is right: {'right': true}", False),
    ],
)
def test_an_answer(mine, key, answer, right):
    (item,) = (item for item in mine.written if item.id == key)
    found = mine.score(item, answer)
    assert (found.right, found.kind == "right") == (right, right)
    assert found.detail


@given(st.text())
def test_no_text_raises_and_silence_is_never_right(mine, text):
    for item in mine.written:
        found = mine.score(item, text)
        assert found.right == (found.kind == "right")
        assert found.detail.isprintable()
        assert mine.score(item, "").kind == "empty"
        assert mine.score(item, f"<think>{text.replace('<', '')}").kind == "truncated"


def test_a_number_is_asked_for_by_the_rule_and_nothing_else_is_changed(mine):
    asked = {item.id: item.messages[-1]["content"] for item in mine.written}
    assert "Answer: NUMBER UNIT" in asked["number"]
    assert asked["text"] == "Say text"


def test_the_authors_own_rule_and_messages_are_kept(tmp_path):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "End with `Answer: N`"}]
    line = {"id": "a", "template": "t", "messages": messages, "expect": {"number": 1}, "max_tokens": 7}
    (item,) = made(tmp_path, line).items(0, 5)
    assert (item.messages, item.template, item.max_tokens) == (tuple(messages), "t", 7)


BROKEN = {
    "not JSON": b"{",
    "not UTF-8 text": b'{"id": "\xff"}',
    "not a JSON object": [],
    "unknown key 'reference'": {"id": "b", "reference": 1},
    "`id` is not a text, or is empty": {"prompt": "x", "expect": {"text": "y"}},
    "`id` is that of an earlier line": {"id": "a", "prompt": "x", "expect": {"text": "y"}},
    "not exactly one of `messages` and `prompt`": {"id": "c", "expect": {"text": "y"}},
    "the last message is not the user's": {"id": "d", "messages": [{"role": "system", "content": "x"}]},
    "no `expect`": {"id": "e", "prompt": "x"},
    "`expect` does not hold exactly one of number, text, one_of, contains, regex, tools": {
        "id": "f", "prompt": "x", "expect": {"text": "y", "regex": "y"},
    },
    "`expect` holds a key that is not read": {"id": "g", "prompt": "x", "expect": {"text": "y", "tolerance": 1}},
    "`number` is not a finite number": {"id": "h", "prompt": "x", "expect": {"number": "5"}},
    "`tolerance` is not a finite number": {"id": "i", "prompt": "x", "expect": {"number": 5, "tolerance": None}},
    "`text` is not a text, or is empty": {"id": "j", "prompt": "x", "expect": {"text": " . "}},
    "`contains` is not a text, or is empty": {"id": "k", "prompt": "x", "expect": {"contains": ["y", ""]}},
    "`one_of` is not a list of texts": {"id": "l", "prompt": "x", "expect": {"one_of": "y"}},
    "`regex` is not a regular expression": {"id": "m", "prompt": "x", "expect": {"regex": "("}},
    "`regex` matches every answer, or is too long": {"id": "n", "prompt": "x", "expect": {"regex": ".*"}},
    "`max_tokens` is not an integer of 1 to 1000000": {"id": "o", "prompt": "x", "max_tokens": 0},
    "`unit` is not a text": {"id": "p", "prompt": "x", "expect": {"number": 5, "unit": 1}},
    "a message has another role than system, user or assistant": {"id": "q", "messages": [{"role": "tool"}]},
}  # fmt: skip


def test_broken_lines_are_named_by_kind_and_are_no_items(tmp_path):
    good = {"id": "a", "prompt": "x", "expect": {"text": "y"}}
    found = made(tmp_path, good, b"  ", *BROKEN.values(), b"{", {**good, "id": "z"})
    assert found.faults == {
        **{kind: (line,) for line, kind in enumerate(BROKEN, 3)},
        "not JSON": (3, len(BROKEN) + 3),
    }
    assert [item.id for item in found.written] == ["a", "z"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "true"])
def test_a_number_is_finite(tmp_path, number):
    with pytest.raises(SuiteError, match="`number` is not a finite number in line 1"):
        made(tmp_path, b'{"id": "a", "prompt": "x", "expect": {"number": %s}}' % number.encode())


def test_the_lines_of_the_page_are_items(tmp_path):
    page = (Path(__file__).parents[2] / "docs/suites.md").read_text(encoding="utf-8")
    block = page.partition("## A suite of your own")[2].partition("```json\n")[2].partition("```")[0]
    found = made(tmp_path, *block.encode().splitlines())
    assert ([item.id for item in found.written], found.faults) == (["cf", "captain", "rules"], {})


def test_the_digest_is_of_the_file(tmp_path):
    line = {"id": "a", "prompt": "x", "expect": {"text": "y"}}
    before = made(tmp_path, line).digest
    assert made(tmp_path, line).digest == before
    assert made(tmp_path, {**line, "prompt": "z"}).digest != before


def test_cases_take_the_place_of_generated_items(tmp_path):
    made(tmp_path, {"id": "a", "prompt": "x", "expect": {"text": "y"}})
    path = tmp_path / "mine.jsonl"
    for found in (suite("mathematical-accuracy", path), suite("mathematical-accuracy", cases=path)):
        assert [item.id for item in found.items(0, 9)] == ["a"]
        assert found.name == "mathematical-accuracy"
    generated = suite("mathematical-accuracy", tmp_path)
    assert generated.digest == suite("mathematical-accuracy").digest
    path.rename(tmp_path / "mathematical-accuracy.jsonl")
    assert suite("mathematical-accuracy", tmp_path).digest == found.digest


def test_a_name_does_not_lead_out_of_its_folder(tmp_path):
    (tmp_path / "below").mkdir()
    made(tmp_path, {"id": "a", "prompt": "x", "expect": {"text": "y"}})
    with pytest.raises(SuiteError, match="is not built in"):
        suite("../mine", tmp_path / "below")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mathematical-acuracy", "did you mean mathematical-accuracy?"),
        ("mine", "mine.jsonl is not a file: use mathematical-accuracy"),
        ("../mine", "is not built in"),
        ("", "is not built in"),
        ("lm-eval:", "lm-eval: names no task: write lm-eval:TASK"),
    ],
)
def test_a_name_that_is_no_suite(tmp_path, name, said):
    with pytest.raises(SuiteError) as caught:
        suite(name, tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["mathematical-accuracy", "tool-usage", "mine"])
def test_a_place_that_does_not_exist_is_said_and_not_passed_over(tmp_path, name):
    with pytest.raises(SuiteError, match=r"typo\.jsonl does not exist: name a file"):
        suite(name, tmp_path / "typo.jsonl")


@pytest.mark.parametrize("kind", ["folder", "absent"])
def test_a_file_that_cannot_be_read(tmp_path, kind):
    path = tmp_path / "mine.jsonl"
    if kind == "folder":
        path.mkdir()
    with pytest.raises(SuiteError, match="is not a file: write one item a line"):
        suite("mine", cases=path)


def test_a_job_imports_the_suites_with_the_standard_library_alone():
    program = (
        "import sys; before = set(sys.modules); import suites; "
        "print(sorted({name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))"
    )
    ended = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=templates(), capture_output=True, text=True, check=True
    )
    assert ended.stdout == "['suites']\n"
