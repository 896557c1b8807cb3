"""What is wrong with a line's value, in our words."""

from __future__ import annotations

import json

import pytest

from hbspec.dataset.records import Record, decoded, fault

GOOD = {"role": "user", "content": "hi"}


@pytest.mark.parametrize("value", [{"messages": [GOOD]}, {"messages": [GOOD | {"name": 3}], "id": None}])
def test_what_obeys_it(value):
    assert isinstance(decoded(json.dumps(value).encode(), ("data.jsonl", 1)), Record)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], "the line is not a map"),
        (3, "the line is not a map"),
        (None, "the line is not a map"),
        ({}, 'the line has no list "messages"'),
        ({"prompt": "x"}, 'the line has no list "messages"'),
        ({"messages": {}}, '"messages" is not a list'),
        ({"messages": []}, '"messages" holds no message'),
        ({"messages": ["hi"]}, "message 1 is not a map"),
        ({"messages": [GOOD, {"role": "user"}]}, "message 2 has no content"),
        ({"messages": [GOOD, {"content": "x"}]}, "message 2 has no role"),
        ({"messages": [GOOD, {"role": "user", "content": None}]}, "message 2 has no text content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "message 1 has no text content"),
        (
            {"messages": [{"role": "judge", "content": "x"}]},
            "message 1 has the role 'judge', not one of system, user, assistant, tool",
        ),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "message 1 has the role ['user']"),
    ],
)
def test_what_is_said(value, says):
    assert fault(value).startswith(says)


def test_the_first_fault_of_many():
    """In the order of the messages, the tenth behind the second, and not all of a million are looked at."""
    messages = [GOOD] + [{"role": "user"}] * 1_000_000
    assert fault({"messages": messages}) == "message 2 has no content"


def test_a_long_role_is_not_repeated_and_escapes_reach_no_terminal():
    said = fault({"messages": [{"role": "\x1b[31m" + "x" * 1000, "content": "x"}]})
    assert len(said) < 120
    assert said.isprintable()
