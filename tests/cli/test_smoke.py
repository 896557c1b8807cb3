"""`hbspec smoke` around the rehearsal: what is handed to it, where it works, and its exit codes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hbspec.api import estimate
from hbspec.cli import main
from hbspec.cli.first_spec import STARTER
from hbspec.smoke import Comparison, RehearsalError

SPEC = str(STARTER)
DDP = ("--set", "instance.type=ml.g5.12xlarge", "--set", "instance.parallelism=ddp", "--set", "instance.price=null")


@pytest.fixture
def rehearsed(monkeypatch, tmp_path):
    """Every call of the rehearsal, which counts exactly what is planned unless `counted` says otherwise."""
    monkeypatch.chdir(tmp_path)
    calls = SimpleNamespace(made=[], counted=1, error=None)

    def rehearse(spec, folder, **arguments):
        if calls.error:
            raise calls.error
        calls.made.append({"spec": spec, "folder": folder, **arguments})
        (folder / "left").write_text("something")
        return SimpleNamespace(
            folder=folder,
            run={},
            comparisons=[Comparison("ranks", 1, calls.counted)],
            unproven=[],
            synthetic=True,
            agrees=calls.counted == 1,
        )

    monkeypatch.setattr("hbspec.smoke.rehearse", rehearse)
    return calls


def test_the_model_s_config_and_the_data_go_along(rehearsed, tmp_path, capsys):
    (tmp_path / "train.jsonl").write_text("{}\n")
    assert main(["smoke", SPEC, "--train", "train.jsonl", "--updates", "2", "--set", "name=mine"]) == 0
    (call,) = rehearsed.made
    assert call["folder"] == tmp_path / "build/mine/smoke"
    assert call["config"]["model_type"] == "qwen2"
    assert (call["ranks"], call["updates"], call["overrides"]) == (1, 2, ("name=mine",))
    assert (call["train"].name, call["validation"]) == ("train.jsonl", None)
    assert "  yes  ranks: 1\n" in capsys.readouterr().out


def test_what_was_counted_otherwise_is_an_error(rehearsed):
    rehearsed.counted = 2
    assert main(["smoke", SPEC]) == 1


def test_an_earlier_run_is_kept(rehearsed, tmp_path):
    for _ in range(2):
        assert main(["smoke", SPEC, "-o", "out"]) == 0
    assert [call["folder"].name for call in rehearsed.made] == ["out", "out-2"]


@pytest.mark.parametrize(("words", "ranks"), [((), 2), (("--ranks", "3"), 3)])
def test_several_processes(rehearsed, words, ranks):
    assert estimate(SPEC, overrides=DDP[1::2]).plan.processes == 4
    assert main(["smoke", SPEC, *DDP, *words]) == 0
    assert rehearsed.made[0]["ranks"] == ranks


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--ranks", "2"), "--ranks 2: the job runs in one process"),
        (("--ranks", "0"), "--ranks 0: not a whole number from 1 to 999,999"),
        (("--updates", "²"), "--updates ²: not a whole number from 1 to 999,999"),
        (("--train", "nowhere"), "nowhere is not a file"),
        (("--set", "model.id=nobody/knows"), "the model nobody/knows is not in the catalog"),
    ],
)
def test_misuse(rehearsed, capsys, words, said):
    assert main(["smoke", SPEC, *words]) == 2
    assert said in capsys.readouterr().err
    assert not rehearsed.made


def test_a_spec_that_is_broken(rehearsed, capsys):
    assert main(["smoke", SPEC, "--set", "hyperparameters.lora_r=0"]) == 1
    assert "error[HB024]" in capsys.readouterr().err


def test_training_that_fails(rehearsed, capsys):
    rehearsed.error = RehearsalError("training ended with exit code 1")
    assert main(["smoke", SPEC]) == 1
    assert capsys.readouterr().err == "hbspec: training ended with exit code 1\n"


def test_without_the_extra(rehearsed, capsys, monkeypatch):
    monkeypatch.setattr("hbspec.cli.smoke.find_spec", lambda name: None if name in ("torch", "trl") else object())
    assert main(["smoke", SPEC]) == 2
    assert capsys.readouterr().err == "hbspec: smoke trains a model and needs torch, trl: pip install 'hbspec[train]'\n"
