"""`hbspec evaluate` and `hbspec evaluation compare`: what is asked, printed and written, and their exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from stub_model import KEY, Sums, stub

from hbspec.analysis.release import read_record
from hbspec.cli import main

BASE = Path(__file__).parents[1] / "rules/base.yaml"
SUITES = "[{suite: sums, min_score: 0.8, items: 40}, {suite: others, min_score: 0.5, seed: 3, items: 20}]"


@pytest.fixture(scope="module")
def server():
    with stub() as server:
        yield server


@pytest.fixture
def made(monkeypatch, tmp_path):
    """The suites by name, of which a test may change what their items ask for."""
    suites = {"sums": Sums("right"), "others": Sums("right", name="others")}
    monkeypatch.setitem(sys.modules, "suites", SimpleNamespace(suite=lambda name, folder: suites[name]))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("spec.yaml").write_text(f"{BASE.read_text()}\nevaluation: {SUITES}\n")
    return suites


def evaluate(server, *words: str) -> int:
    return main(["evaluate", "spec.yaml", "--against", server.url, *words])


@pytest.mark.parametrize("columns", [40, 80])
def test_scores_are_printed_and_the_record_is_written(server, made, capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    made["others"] = Sums("right", "no number", name="others")
    assert evaluate(server) == 1
    page = capsys.readouterr().out
    assert "sums: passed" in page
    assert "40 of 40" in page
    assert "others: not decided" in page
    assert "10 no number" in page
    assert "verdict: not decided" in page
    assert [line for line in page.splitlines() if len(line) > columns] == []
    record = read_record(Path("base.record.json"))
    assert record["job"]["name"].startswith("base-")
    assert [(suite["suite"], suite["seed"], suite["items"]) for suite in record["suites"]] == [
        ("sums", 0, 40),
        ("others", 3, 20),
    ]


def test_all_passed_is_exit_code_0_and_json_is_the_record(server, made, capsys):
    assert evaluate(server, "--format", "json", "-o", "mine.json") == 0
    assert json.loads(capsys.readouterr().out) == read_record(Path("mine.json"))


def test_one_suite_other_items_and_another_seed(server, made):
    assert evaluate(server, "--suite", "sums", "--items", "30", "--seed", "7") == 0
    (suite,) = read_record(Path("base.record.json"))["suites"]
    assert (suite["suite"], suite["items"], suite["seed"]) == ("sums", 30, 7)


def test_a_key_comes_from_a_variable_and_is_shown_nowhere(server, made, monkeypatch, capsys):
    monkeypatch.setenv("STUB_KEY", KEY)
    assert evaluate(server, "--key-variable", "STUB_KEY") == 0
    assert f"Bearer {KEY}" in server.keys
    said = capsys.readouterr()
    assert KEY not in said.out + said.err + "".join(path.read_text() for path in Path().iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--suite", "sum"), "--suite sum is not in evaluation; did you mean sums?"),
        (("--key-variable", "NOT_SET"), "--key-variable NOT_SET: this environment variable is not set"),
        (("--set", "evaluation=[]"), "the spec names no suite: add evaluation"),
        (("--set", "evaluation[0].data=s3://bucket/items/"), "is not on this machine: copy it"),
        (("--set", "evaluation[0].data=../items"), "leads out of the project folder"),
        (("--against", "nowhere"), "is not a URL, sagemaker:ENDPOINT, or the folder of a checkpoint"),
        (("--set", "deployment.max_model_len=16"), "sums lets an answer have 16 tokens, but deployment.max_model_len"),
        (("-o", "no/folder.json"), "the folder that it is to be in does not exist"),
    ],
)
def test_what_cannot_be_evaluated_is_said_and_nothing_is_written(server, made, capsys, words, said):
    Path("pyproject.toml").touch()
    assert evaluate(server, *words) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not list(Path().glob("*.json*"))


def test_a_record_is_not_replaced_unasked(server, made, capsys):
    assert evaluate(server) == 0
    assert evaluate(server) == 2
    assert "give --force to replace it" in capsys.readouterr().err
    before = len(server.asked)
    assert evaluate(server, "--force") == 0
    assert len(server.asked) == before


class TestCompare:
    def test_other_items_are_not_compared(self, server, made, capsys):
        assert evaluate(server, "-o", "first.json", "--other-model") == 0
        assert evaluate(server, "-o", "second.json", "--seed", "100") == 0
        assert read_record(Path("first.json"))["job"]["name"] is None
        assert main(["evaluation", "compare", "first.json", "second.json"]) == 2
        assert "sums: the two models were asked no item in common" in capsys.readouterr().err

    def test_the_same_items_are_compared_in_pairs(self, server, made, capsys):
        assert evaluate(server, "-o", "first.json") == 0
        worse = json.loads(Path("first.json").read_text())
        for outcome in worse["suites"][0]["outcomes"][:15]:
            outcome[3] = "wrong"
        from hbspec.analysis.release import record_digest

        Path("second.json").write_text(json.dumps(worse | {"digest": record_digest(worse)}))
        assert main(["evaluation", "compare", "first.json", "second.json"]) == 1
        page = capsys.readouterr().out
        assert "sums: the second is worse" in page
        assert "others: not decided" in page
        assert main(["evaluation", "compare", "second.json", "first.json", "--format", "json"]) == 0
        (sums, others) = json.loads(capsys.readouterr().out)["suites"]
        assert (sums["verdict"], sums["only_second"], sums["effect"]) == ("better", 15, 0.5)
        assert (others["verdict"], others["difference"], others["p_value"]) == ("not decided", 0.0, 1.0)

    def test_a_record_that_was_changed_is_refused(self, server, made, capsys):
        assert evaluate(server, "-o", "first.json") == 0
        text = Path("first.json").read_text()
        Path("second.json").write_text(text.replace('"right": 40', '"right": 39'))
        assert main(["evaluation", "compare", "first.json", "second.json"]) == 2
        assert "second.json is not an evaluation's record as it was written" in capsys.readouterr().err
