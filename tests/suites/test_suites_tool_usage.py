"""The suite tool-usage, on a split as the author's: the same questions, with answers of different depths."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.suites import SuiteError, suite, tool_usage

QUERY, METRICS, MATCHUP, SEARCH = "parquet_query", "calculate_advanced_metrics", "matchup_analysis", "vector_search"
STATIONS = "You have [TOOL: parquet_query] and [TOOL: visualization]."
COACH = "You are responding to a coach."


def named(*tools: str) -> str:
    return "I'll look.\n" + "\n".join(f"**Step {n}: [TOOL: {tool}]** - done" for n, tool in enumerate(tools, 1))


def row(system: str, user: str, answer: str) -> str:
    roles = zip(("system", "user", "assistant"), (system, user, answer), strict=True)
    return json.dumps({"messages": [{"role": role, "content": content} for role, content in roles]})


ROWS = [
    row(STATIONS, "Evaluate Roy's faceoffs since the break", named(QUERY, METRICS)),
    row(STATIONS, "Evaluate Beck's positioning since the break", named(QUERY, METRICS, MATCHUP)),
    row(STATIONS, "Evaluate Beck's positioning since the break", named(QUERY, METRICS)),
    row(STATIONS, "Evaluate Dach's shot since the break", named(MATCHUP, SEARCH)),
    row(STATIONS, "Which players are driving this?", named("opponent_analysis", "tactical_breakdown")),
    row(COACH, "Evaluate Roy's faceoffs since the break", named(MATCHUP)),
    row(COACH, "How did that play go?", "Which play do you mean?"),
    row(COACH, "How does {line} do?", named(MATCHUP)),
    "not json",
    '{"messages": []}',
    row(COACH, "Half", "\ud800"),
]
ROY, BECK, DACH, PLAYERS, COACHED, ASKED = range(6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    found = tmp_path_factory.mktemp("split")
    (found / "validation.jsonl").write_text("\n".join(ROWS) + "\n")
    (found / "train.jsonl").write_text(f"{ROWS[0]}\n\n{ROWS[3]}\n")
    return found


@pytest.fixture(scope="module")
def split(folder):
    return suite("tool-usage", folder)


@pytest.mark.parametrize(
    ("place", "answer", "kind"),
    [
        (ROY, named(QUERY, METRICS), "right"),
        (ROY, named(QUERY, METRICS, MATCHUP), "right"),
        (ROY, f"First [TOOL: {QUERY}], then [tool: {METRICS.upper()}]: [TOOL:{QUERY}] says 5", "right"),
        (ROY, f"<think>{named(MATCHUP)}</think>{named(QUERY, METRICS)}", "right"),
        (ROY, named(METRICS, QUERY), "other order"),
        (ROY, named(QUERY), "tool missing"),
        (ROY, named(QUERY, METRICS, MATCHUP, SEARCH), "tool too many"),
        (ROY, named(MATCHUP, SEARCH), "other tool"),
        (ROY, named(QUERY, "crystal_ball"), "unknown tool"),
        (ROY, named("visualization"), "other tool"),
        (ROY, "parquet_query, then calculate_advanced_metrics", "no tool"),
        (ROY, "Correct: the tools are right. Score: 1.", "no tool"),
        (ROY, "I cannot answer that.", "refused"),
        (ROY, "", "empty"),
        (ROY, f"<think>{named(QUERY, METRICS)}", "truncated"),
        (ROY, STATIONS, "other tool"),
        (BECK, named(QUERY, METRICS), "right"),
        (BECK, named(QUERY, METRICS, MATCHUP), "right"),
        (DACH, named(MATCHUP, SEARCH), "right"),
        (DACH, named(QUERY, METRICS), "other tool"),
        (PLAYERS, named("opponent_analysis"), "tool missing"),
        (COACHED, named(MATCHUP), "right"),
        (COACHED, named(QUERY, METRICS), "other tool"),
        (ASKED, "Which play do you mean?", "right"),
        (ASKED, "It went well.", "no question"),
        (ASKED, "Why?", "no question"),
        (ASKED, named(MATCHUP) + "?", "tool too many"),
    ],
)
def test_an_answer(split, place, answer, kind):
    found = split.score(split.prompts[place], answer)
    assert (found.right, found.kind) == (kind == "right", kind)


def test_the_authors_own_answers_are_right_and_another_depth_is_said(split):
    answers = [json.loads(line)["messages"][-1]["content"] for line in (*ROWS[:2], *ROWS[3:7])]
    assert all(split.score(item, answer).right for item, answer in zip(split.prompts, answers, strict=True))
    assert "another depth" in split.score(split.prompts[ROY], named(QUERY, METRICS, MATCHUP)).detail
    assert "another depth" not in split.score(split.prompts[BECK], named(QUERY, METRICS)).detail


def test_a_prompt_is_one_item_and_lines_that_cannot_be_used_are_named(split):
    assert len(split.prompts) == 6
    assert split.faults == {
        "unfilled placeholder": (8,),
        "not JSON": (9,),
        "`messages` is not a list of messages": (10,),
        "a message has no text content": (11,),
    }
    roles = [[message["role"] for message in item.messages] for item in split.items(0, 9)]
    assert roles == [["system", "user"]] * 6


def test_what_training_has_seen_is_said_and_unknown_without_its_file(split, folder, tmp_path):
    assert [item.reference["seen"] for item in split.prompts] == [True, False, True, False, False, False]
    assert suite("tool-usage", folder / "validation.jsonl").digest == split.digest
    alone = suite("tool-usage", Path(shutil.copy(folder / "validation.jsonl", tmp_path)))
    assert {item.reference["seen"] for item in alone.prompts} == {None}
    assert alone.digest != split.digest
    told = suite("tool-usage", cases=tmp_path / "validation.jsonl", training=folder / "train.jsonl")
    assert told.digest == split.digest


def test_items_of_a_template_are_one_cluster(split):
    assert len({split.prompts[place].template for place in (ROY, BECK, DACH)}) == 1
    assert len({item.template for item in split.prompts}) == 4


def test_the_seed_decides_the_order_and_a_smaller_count_is_a_beginning(split):
    orders = {seed: [item.id for item in split.items(seed, 100)] for seed in range(5)}
    assert len({tuple(order) for order in orders.values()}) > 1
    assert {frozenset(order) for order in orders.values()} == {frozenset(item.id for item in split.prompts)}
    assert [item.id for item in split.items(3, 2)] == orders[3][:2]


def test_the_baseline_is_the_best_that_a_system_message_tells(split):
    """Of four prompts of the stations, two begin with the query; of two of the coach, one has its own tools."""
    assert split.baseline == (2 + 1) / 6


@given(text=st.text(), tools=st.lists(st.sampled_from([QUERY, METRICS, MATCHUP, SEARCH]), max_size=4))
def test_no_text_raises_and_only_named_tools_count(split, text, tools):
    for item in split.prompts:
        assert split.score(item, f"[TOOL: {text}]").detail.isprintable()
        assert not split.score(item, text.replace("[", "(")).right or item.reference["tools"] == [[]]
        accepted = [*item.reference["tools"], *item.reference["other_depths"]]
        assert not split.score(item, text.replace("[", "(").replace("<", "") + named(*tools)).right or (
            list(dict.fromkeys(tools)) in accepted
        )


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "is not a file"), ("", "none of 0 lines"), ("{}\n[]\n", "none of 2 lines can be used (`messages` is not")],
)
def test_a_file_that_cannot_be_used(tmp_path, content, said):
    path = tmp_path / "validation.jsonl"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SuiteError) as caught:
        suite("tool-usage", tmp_path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    assert tool_usage.ACTION in str(caught.value)


def test_without_a_file_the_message_says_what_to_name():
    with pytest.raises(SuiteError, match="tool-usage has no cases: name the validation split"):
        suite("tool-usage")
