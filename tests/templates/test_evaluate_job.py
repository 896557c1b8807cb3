"""The evaluation as a job runs it: a plan, a record, lines for its log, and its exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from evaluate import main, signed
from stub_model import Stub, Sums, stub

PLAN = {"job": {"name": "job-0a1b2c3d4e5f"}, "suites": [{"name": "sums", "min_score": 0.8, "seed": 0, "items": 40}]}


@pytest.fixture(scope="module")
def server():
    with stub() as server:
        yield server


def run(server: Stub, folder: Path, monkeypatch: pytest.MonkeyPatch, *behaviours: str, against: str = "") -> int:
    monkeypatch.setitem(sys.modules, "suites", SimpleNamespace(suite=lambda name, folder: Sums(*behaviours)))
    (folder / "plan.json").write_text(json.dumps(PLAN))
    places = ["--plan", str(folder / "plan.json"), "--output", str(folder / "out/record.json")]
    return main([*places, "--against", against or server.url])


def test_a_model_that_passes(server: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    assert run(server, tmp_path, monkeypatch, "right") == 0
    record = json.loads((tmp_path / "out/record.json").read_text())
    assert record == signed(record)
    assert record["job"] == PLAN["job"]
    said = capsys.readouterr().out
    assert "hbspec: 40 of 40 items answered" in said
    assert "hbspec: sums: passed: 40 of 40 right, 0.91" in said


def test_one_that_fails_has_a_record_too(server: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    assert run(server, tmp_path, monkeypatch, "wrong", "right") == 1
    assert json.loads((tmp_path / "out/record.json").read_text())["verdict"] == "failed"
    assert "verdict: failed" in capsys.readouterr().out


def test_one_that_cannot_be_asked_has_none(
    server: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    assert run(server, tmp_path, monkeypatch, "right", against="http://127.0.0.1:9/v1") == 2
    assert "does not answer: start the server" in capsys.readouterr().err
    assert not (tmp_path / "out/record.json").exists()
