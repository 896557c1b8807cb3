"""The four suites of the HeartBeat spec, asked of a server that answers by their references."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from stub_model import Handler, Stub, stub

from hbspec.cli import main
from hbspec.suites import GENERATED, Item, suite

SPECS = Path(__file__).parents[2] / "specs"
ITEMS = 60
QUESTIONS = (  # templates of tool-usage: with fewer, no score decides
    f"{verb} {noun}"
    for verb in ("show", "compare", "rank", "plot", "list")
    for noun in ("shots", "goals", "shifts", "saves")
)
CASES = [
    {
        "messages": [
            {"role": "user", "content": f"{question} {number}"},
            {"role": "assistant", "content": "[TOOL: parquet_query] and [TOOL: vector_search]"},
        ]
    }
    for question in QUESTIONS
    for number in range(6)
]
DATA = ("--set", "evaluation[1].data=./validation.jsonl")


def right(item: Item) -> str:
    """A right answer, after some reasoning."""
    known = item.reference
    if "tools" in known:
        return " then ".join(f"[TOOL: {tool}]" for tool in known["tools"][0])
    lines = [f"{step['label']}: {_written(step)}" for step in known.get("steps", ())]
    return "\n".join(["<think>It may be 12.</think>By our numbers:", *lines, f"Answer: {_written(known)}"])


def _written(known: dict[str, Any]) -> str:
    return f"{float(Fraction(known['number'])):.3f} {known['unit']}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for file in ("heartbeat.yaml", "heartbeat.train.profile.json"):
        shutil.copy(SPECS / file, file)
    Path("validation.jsonl").write_text("".join(f"{json.dumps(case)}\n" for case in CASES))
    Path("pyproject.toml").touch()
    return tmp_path


@pytest.fixture
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Stub, dict[str, str]]]:
    """The server, and what it answers to each conversation."""
    made = [suite(name) for name in GENERATED] + [suite("tool-usage", folder / "validation.jsonl")]
    answers = {json.dumps(item.messages): right(item) for one in made for item in one.items(0, ITEMS)}

    def answer(handler: Handler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        message = {"role": "assistant", "content": answers[json.dumps(body["messages"])]}
        handler._send(200, {"model": "stub-1", "choices": [{"message": message, "finish_reason": "stop"}]})

    monkeypatch.setattr(Handler, "do_POST", answer)
    with stub() as running:
        yield running, answers


def evaluate(server: Stub, *words: str) -> int:
    return main(["evaluate", "heartbeat.yaml", "--against", server.url, "--items", str(ITEMS), *DATA, *words])


def deployed(*words: str) -> int:
    changed = [word for index in range(4) for word in ("--set", f"evaluation[{index}].items={ITEMS}")]
    return main(["compile", "heartbeat.yaml", "--target", "deployment", "--record", "r.json", *DATA, *changed, *words])


def test_right_answers_pass_every_suite_and_let_the_deployment_out(server, capsys):
    asked, _ = server
    low = ("--set", "evaluation[1].min_score=0.7", "--set", "evaluation[3].min_score=0.7")
    assert evaluate(asked, "-o", "r.json", *low) == 0
    scored = json.loads(Path("r.json").read_text())["suites"]
    assert [(one["suite"], one["right"], one["items"]) for one in scored] == [
        (name, ITEMS, ITEMS)
        for name in ("mathematical-accuracy", "tool-usage", "reasoning-quality", "response-consistency")
    ]
    assert deployed(*low) == 0
    Path("validation.jsonl").write_text(f"{json.dumps(CASES[0])}\n")
    capsys.readouterr()
    assert deployed("--force", *low) == 1
    assert "tool-usage was another suite" in " ".join(capsys.readouterr().err.split())


def test_wrong_answers_are_counted_where_they_are(server):
    asked, answers = server
    for suite_name in ("mathematical-accuracy", "response-consistency"):
        for item in list(suite(suite_name).items(0, ITEMS))[:10]:
            answers[json.dumps(item.messages)] = "It is ours.\nAnswer: 99999"
    assert evaluate(asked, "-o", "r.json") == 1
    kinds = {one["suite"]: one["kinds"] for one in json.loads(Path("r.json").read_text())["suites"]}
    assert kinds["mathematical-accuracy"] == {"right": ITEMS - 10, "wrong": 10}
    assert kinds["response-consistency"] == {"inconsistent": 2, "right": ITEMS - 12, "wrong": 10}
    assert kinds["reasoning-quality"] == kinds["tool-usage"] == {"right": ITEMS}


def test_the_validation_split_in_s3_is_to_be_copied_first(server, capsys):
    asked, _ = server
    assert main(["evaluate", "heartbeat.yaml", "--against", asked.url]) == 2
    assert (
        "s3://heartbeat/validation/ is not on this machine: copy it, and set evaluation[1].data"
        in capsys.readouterr().err
    )
    assert not asked.asked
