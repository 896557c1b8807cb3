"""What can be wrong with a valid conversation."""

from __future__ import annotations

import json

import pytest
from made_data import record

from hbspec.dataset.broken import Place
from hbspec.dataset.records import decoded
from hbspec.dataset.turns import faults, placeholders, prompt_of
from hbspec.diagnostics import Severity


def codes(*turns: str) -> list[str]:
    return [defect.code for defect, _, _ in faults(record(*turns))]


@pytest.mark.parametrize(
    "turns",
    [
        ("user:q", "assistant:a"),
        ("system:s", "user:q", "assistant:a", "user:q", "assistant:a"),
        ("user:q", "assistant:call", "tool:r", "tool:r", "assistant:a"),
    ],
)
def test_turns_in_order(turns):
    assert codes(*turns) == []


@pytest.mark.parametrize(
    ("turns", "says"),
    [
        (("assistant:a",), "the first role is assistant"),
        (("tool:r", "assistant:a"), "the first role is tool"),
        (("user:q", "user:q", "assistant:a"), "user follows user"),
        (("user:q", "system:s", "assistant:a"), "system follows user"),
        (("system:s", "assistant:a"), "assistant follows system"),
        (("user:q", "assistant:a", "assistant:a"), "assistant follows assistant"),
        (("user:q", "tool:r", "assistant:a"), "tool follows user"),
    ],
)
def test_turns_out_of_order(turns, says):
    ((defect, what, severity),) = faults(record(*turns))
    assert (defect.code, what, severity) == ("HB052", says, Severity.WARNING)


def test_an_example_without_an_answer_is_worse_than_one_that_goes_on_behind_it():
    ((defect, _, severity),) = faults(record("user:q"))
    assert (defect.code, severity) == ("HB053", Severity.ERROR)
    ((defect, _, severity),) = faults(record("user:q", "assistant:a", "user:q"))
    assert (defect.code, severity) == ("HB053", Severity.WARNING)


@pytest.mark.parametrize("text", ["", "  ", "\n\t", "\u3000"])
def test_an_empty_turn(text):
    assert codes("user:q", f"assistant:{text}") == ["HB054"]


def test_fields_that_are_not_trained_are_named_but_not_at_any_length():
    keys = {"k" * 500: 1, "\x1b[31m": 1, **dict.fromkeys("abcdefg", 1)}
    text = json.dumps({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", **keys}]})
    ((defect, what, severity),) = faults(decoded(text.encode(), Place("data.jsonl", 1)))
    assert (defect.code, severity) == ("HB059", Severity.ERROR)
    assert what.startswith("messages hold \\x1b[31m, a, b, c, d, …, which training does not read")
    assert len(what) < 120


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The decisive factor was {factor1}.", ["{factor1}"]),
        ("{team} against {team}", ["{team}", "{team}"]),
        ("{{ name }} and {{user.name}}", ["{{ name }}", "{{user.name}}"]),
        ("**{metric_area}**, “{aspect}”", ["{metric_area}", "{aspect}"]),
        ("`{code}` and ```py\nf'{x_y}'\n```", []),
        ("```\n{never} closed", []),
        ("f'{value}' and f\"{value}\"", []),
        (r"\frac{ab}{cd} x^{ij} ${HOME} /users/{id}", []),
        ("{x} {1} {'a': 1} {} {a b} {{a}", []),
        ('{"key": "value"}', []),
        ("{" + "x" * 100 + "}", []),
    ],
)
def test_placeholders(text, found):
    assert list(placeholders(record("user:q", f"assistant:{text}"))) == found


def test_a_text_of_nothing_but_braces_and_backticks_is_looked_through_once():
    """A pattern that goes back would not come to an end here."""
    for text in ("{" * 200_000, "{{ a" * 50_000, "`" * 199_999, "f'" * 100_000, "{a}" * 60_000, "```" * 50_000):
        list(placeholders(record(f"assistant:{text}")))


@pytest.mark.parametrize(
    ("turns", "messages"),
    [
        (("user:q", "assistant:a"), 1),
        (("user:q", "assistant:a", "user:q", "assistant:a"), 3),
        (("user:q", "assistant:a", "user:q"), 1),
        (("system:s", "user:q"), 2),
        (("assistant:a",), 0),
    ],
)
def test_the_prompt_is_what_stands_before_the_last_answer(turns, messages):
    assert prompt_of(record(*turns)) == messages
