"""A tiny model of a real architecture, evaluated behind a real server and from its folder."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import small_server
from preloaded_training import preloaded
from small_served import build
from stub_model import Sums

from hbspec.evaluation.harness import harness

ENTRY = {"name": "sums", "min_score": 0.5, "seed": 0, "items": 3}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("small"))[0]


@pytest.fixture(scope="module")
def url(base: Path) -> Iterator[str]:
    words = [preloaded().python, small_server.__file__, "serve", str(base), "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        yield f"http://127.0.0.1:{port}"
        server.terminate()


def evaluated(against: str, place: Path) -> dict[str, Any]:
    """The record of three items."""
    evaluate = harness()
    wanted = evaluate.wanted_suites([ENTRY], lambda *_: Sums("right"))
    record: dict[str, Any] = evaluate.evaluated(
        {"name": "job"}, wanted, evaluate.asked_of(evaluate.Way(against)), place
    )
    return record


def test_a_server_and_a_checkpoint_of_one_model_give_one_score(base: Path, url: str, tmp_path: Path) -> None:
    served = evaluated(url, tmp_path / "served.json")
    loaded = evaluated(str(base), tmp_path / "loaded.json")
    assert served["suites"][0]["right"] == loaded["suites"][0]["right"] == 0
    assert served["suites"][0]["kinds"] == {"truncated": 3}
    assert loaded["model"]["kind"] == "checkpoint"
    assert len(loaded["model"]["files"]) == 64


def test_a_folder_without_a_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(harness("asking").DeniedError, match="cannot be loaded as a model"):
        harness().asked_of(harness().Way(str(tmp_path)))
