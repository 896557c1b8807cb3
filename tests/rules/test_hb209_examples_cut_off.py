"""HB209: examples longer than the cap."""

from __future__ import annotations

import json

import pytest
from judged import HERE, edge, judged


def test_edge(tmp_path):
    edge("HB209", "", "hyperparameters.max_length", 689, 688, tmp_path)


def test_both_lengths_are_named(tmp_path):
    (found,) = judged("HB209", "hyperparameters: {max_length: 688}", tmp_path)
    assert found.message == "max_length 688 truncates examples: the longest has 689 tokens"
    assert found.help == "use max_length: 704, which truncates nothing"


@pytest.mark.parametrize(("cap", "raised"), [(4096, ", and set max_length to 131072"), (131072, "")])
def test_no_cap_above_the_model_s_positions_is_named(tmp_path, cap, raised):
    fragment = "data: {tokens: {mean: 374, max: 140000}}\nhyperparameters: {max_length: %d}"
    (found,) = judged("HB209", fragment % cap, tmp_path)
    assert (found.help, found.fixes) == (f"the model has 131,072 positions: split longer examples{raised}", ())


def test_a_reward_model_is_not_trained_on_longer_texts(tmp_path):
    fragment = "task: reward\ndata: {type: preference}\ndeployment: null\nhyperparameters: {max_length: 688}"
    (found,) = judged("HB209", fragment, tmp_path)
    assert found.message == "max_length 688 leaves out pairs: the longest has 689 tokens"
    assert found.help == "use max_length: 704, which leaves nothing out"


def test_unknown_lengths_decide_nothing(tmp_path):
    assert judged("HB209", "data: {tokens: null}\nhyperparameters: {max_length: 64}", tmp_path) == []


def test_estimated_lengths_may_be_cut(tmp_path):
    profile = (HERE / "train.profile.json").read_text()
    (tmp_path / "wide.json").write_text(profile.replace('"max": 689', '"max": 689, "bounds": {"max": [600, 800]}'))
    fragment = "data: {tokens: null, profile: ./wide.json}\nhyperparameters: {max_length: %d}"
    for cap, confidence in ((599, "certain"), (600, "likely"), (799, "likely"), (800, None)):
        found = judged("HB209", fragment % cap, tmp_path)
        assert [diagnostic.confidence for diagnostic in found] == ([confidence] if confidence else [])


GRPO = "task: grpo\ndeployment: null\nreward: {functions: [finetune.py:train]}\n"


def test_prompts_without_room_are_counted(tmp_path):
    profile = json.loads((HERE.parent / "cases" / "good" / "heartbeat.train.profile.json").read_text())
    profile["layout"] = {"type": "prompt_only", "format": "conversational"}
    (tmp_path / "prompts.json").write_text(json.dumps(profile))
    fragment = GRPO + (
        "data: {tokens: null, type: prompt_only, profile: ./prompts.json}\n"
        "hyperparameters: {max_length: 704, max_completion_length: 256}"
    )
    (found,) = judged("HB209", fragment, tmp_path)
    assert found.message.startswith("max_length 704 leaves out ")
    assert found.message.endswith("prompts, longer than the 448 tokens beside max_completion_length 256")
    assert judged("HB209", fragment.replace("704", "1088"), tmp_path) == []


def test_prompts_without_room_are_said_where_only_the_longest_is_known(tmp_path):
    fragment = GRPO + (
        "data: {type: prompt_only}\nhyperparameters: {max_length: 704, max_completion_length: %d}"  # up to 689 tokens
    )
    (found,) = judged("HB209", fragment % 512, tmp_path)
    assert found.message == (
        "max_length 704 leaves out prompts: the longest has 689 tokens, and there is room for 192 tokens beside "
        "max_completion_length 512"
    )
    assert found.help == "use max_length: 1216, which leaves nothing out"
    assert judged("HB209", fragment % 15, tmp_path) == []


def test_a_cap_that_leaves_no_prompt_is_an_error(tmp_path):
    profile = json.loads((HERE.parent / "cases" / "good" / "heartbeat.train.profile.json").read_text())
    profile["layout"] = {"type": "prompt_only", "format": "conversational"}
    (tmp_path / "prompts.json").write_text(json.dumps(profile))
    fragment = GRPO + (
        "data: {tokens: null, type: prompt_only, profile: ./prompts.json}\n"
        "hyperparameters: {max_length: 260, max_completion_length: 256}"
    )
    (found,) = judged("HB209", fragment, tmp_path)
    assert found.severity == "error"
