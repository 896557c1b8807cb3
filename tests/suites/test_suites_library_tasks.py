"""Tasks of lm-evaluation-harness: made, asked and scored, by a double of its interface and by the library itself.

The library is in no environment of the tests: `make lm-eval-check` names the Python that has it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from library_double import install, lay_out
from stub_model import stub

from hbspec.evaluation.harness import harness
from hbspec.suites import SuiteError, suite

PYTHON = os.environ.get("HBSPEC_LM_EVAL")
NAME = "lm-eval:local_sums"
ENTRY = {"name": NAME, "min_score": 0.5, "seed": 0, "items": 24}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return lay_out(tmp_path_factory.mktemp("tasks") / "tasks")


@pytest.fixture(
    params=["double", pytest.param("library", marks=pytest.mark.skipif(PYTHON is None, reason="make lm-eval-check"))]
)
def library(request, tmp_path, monkeypatch) -> str:
    """What runs the tasks."""
    if request.param == "library":
        monkeypatch.setattr(sys, "executable", PYTHON)
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    else:
        install(tmp_path / "double")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "double"))
    return request.param


def evaluated(folder: Path, url: str, place: Path, name: str = NAME) -> dict:
    evaluate = harness()
    wanted = evaluate.wanted_suites([ENTRY | {"name": name, "folder": str(folder)}], harness("suites").suite)
    patience = harness("asking").Patience(attempts=2, wait=lambda _: False)
    asked = evaluate.asked_of(evaluate.Way(url))
    (found,) = evaluate.evaluated({"name": "job"}, wanted, asked, place, patience=patience)["suites"]
    return found


def test_the_library_scores_what_our_endpoint_answered(library, folder, tmp_path):
    """Of 24 documents, each of six behaviours has four; of two numbers, the task's own filter takes the first."""
    with stub() as server:
        found = evaluated(folder, server.url, tmp_path / "r.json")
        assert sorted(server.asked) == sorted(set(server.asked))
    assert found["kinds"] == {"refused": 4, "right": 8, "truncated": 4, "wrong": 8}
    assert (found["items"], found["right"], found["share"]) == (24, 8, 8 / 24)
    assert found["interval"]["low"] < 8 / 24 < found["interval"]["high"]
    of = {outcome[0]: outcome[3] for outcome in found["outcomes"]}
    assert [of[str(number)] for number in range(6)] == ["right", "wrong", "truncated", "right", "wrong", "refused"]


def test_a_run_that_goes_on_asks_nothing_twice_and_scores_the_same(library, folder, tmp_path):
    with stub() as server:
        once = evaluated(folder, server.url, tmp_path / "r.json")
        again = evaluated(folder, server.url, tmp_path / "r.json")
        answered = [prompt for prompt in server.answered if "[400]" not in prompt]
    assert once == again
    assert len(answered) == len(set(answered)) == 20


def test_an_item_is_what_the_task_s_file_says(library, folder):
    made = suite(NAME, folder)
    items = list(made.items(3, 24))
    assert list(made.items(3, 5)) == items[:5]
    assert sorted(int(item.id) for item in items) == list(range(24))
    item = next(item for item in items if item.id == "7")
    assert item.messages == ({"role": "user", "content": "[wrong] What is 7 + 7?"},)
    assert (item.max_tokens, item.stop) == (16, ("\n\n", "Question:"))


def test_an_answer_ends_where_the_task_ends_it_and_another_filter_is_another_suite(library, folder):
    made, whole = suite(NAME, folder), suite(f"{NAME}@exact_match,whole", folder)
    item = next(item for item in made.items(0, 24) if item.id == "7")
    scored = made.score_group([item] * 1, ["It is 14.\n\nQuestion: 99"])
    assert [(one.right, one.kind) for one in scored] == [(True, "right")]
    assert whole.score(item, "It is 14.").kind == "wrong"
    assert whole.score(item, "14\n\nno").right
    assert made.score(item, " \n").kind == "empty"
    assert made.digest != whole.digest


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("local_likelihood", "asks for log-likelihoods, which chat completions do not give"),
        ("local_less", "more of its metric exact_match is not better"),
        ("local_sums@bleu,whole", "no such metric: use lm-eval:local_sums@exact_match,number, local_sums@exact_match"),
        ("nowhere", "Spec 'nowhere' is not a registered task"),
    ],
)
def test_a_task_that_cannot_be_asked_says_why(library, folder, task, said):
    with pytest.raises(SuiteError) as caught:
        list(suite(f"lm-eval:{task}", folder).items(0, 2))
    assert said in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_without_the_library_the_extra_is_named(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "lm_eval.py").write_text("raise ModuleNotFoundError(name='lm_eval')")
    with pytest.raises(SuiteError, match=r"local_sums: it needs lm_eval: pip install 'hbspec\[lm-eval\]'"):
        list(suite(NAME, folder).items(0, 2))


def test_the_files_of_a_folder_are_its_source(tmp_path):
    place = lay_out(tmp_path / "tasks", 2)
    before = suite(NAME, place).source
    assert suite("lm-eval:gsm8k").source is None
    (place / "sums.jsonl").write_text(json.dumps({"behaviour": "right", "a": 1, "b": 1, "total": "2"}))
    assert suite(NAME, place).source != before
    with pytest.raises(SuiteError, match="is not a folder: name the one that holds the task's YAML"):
        suite(NAME, place / "sums.yaml")
