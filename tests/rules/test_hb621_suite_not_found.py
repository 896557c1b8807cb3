"""HB621: paths of suites."""

from __future__ import annotations

import pytest
from judged import codes, judged

NO_EDGE = "a path is in a list, of which `edge` changes no entry; the first test flips it"
SUITE = "evaluation: [{suite: a, min_score: 0.9, data: %s}]"


def test_the_edge_is_the_file(tmp_path):
    (tmp_path / "cases.jsonl").write_text("{}")
    assert "HB621" not in codes(SUITE % "./cases.jsonl", tmp_path)
    assert codes(SUITE % "./case.jsonl", tmp_path) == {"HB621"}


@pytest.mark.parametrize("path", ["s3://bucket/a.jsonl", "https://example.com/a.jsonl", "hf:org/set", ".", "base.yaml"])
def test_what_may_be_there_is_not_reported(path, tmp_path):
    assert judged("HB621", SUITE % f'"{path}"', tmp_path) == []


def test_the_message_names_the_path(tmp_path):
    (found,) = judged("HB621", SUITE % "./suites/none.jsonl", tmp_path)
    assert (found.severity, found.message) == ("warning", "`./suites/none.jsonl` does not exist")


def test_a_suite_without_cases_is_named(tmp_path):
    suites = "evaluation: [{suite: mathematical-acuracy, min_score: 0.9}, {suite: our-rink, min_score: 0.9}]"
    typo, own = judged("HB621", suites, tmp_path)
    assert typo.message == "mathematical-acuracy is not built in, and names no data"
    assert (typo.help, own.help) == (
        "did you mean mathematical-accuracy?",
        "set data of this suite to a file of items",
    )
    assert [[fix.value for fix in one.fixes] for one in (typo, own)] == [["mathematical-accuracy"], []]


def test_a_task_of_the_library_brings_its_own(tmp_path):
    assert judged("HB621", 'evaluation: [{suite: "lm-eval:gsm8k", min_score: 0.5}]', tmp_path) == []


def test_the_validation_split_is_the_data_of_tool_usage(tmp_path):
    suites = "evaluation: [{suite: tool-usage, min_score: 0.9}]"
    assert judged("HB621", suites, tmp_path) == []
    (found,) = judged("HB621", f"data: {{validation: null}}\n{suites}", tmp_path)
    assert found.message == "tool-usage asks the prompts of the validation split, but the spec names none"
