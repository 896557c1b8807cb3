"""`hbspec demo`: the tour as an installed package takes it, up to the training."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hbspec.cli import demo, main

STOPPED = 3


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "_trains", lambda: False)
    return tmp_path


def here(monkeypatch, code=None):
    """Run the commands of the tour in this process; or end each of them with a code."""

    def run(command, check):
        words = [str(word) for word in command[3:]]
        return subprocess.CompletedProcess(command, main(words) if code is None else code)

    monkeypatch.setattr(demo.subprocess, "run", run)


def test_the_tour_ends_before_the_training_that_is_not_installed(folder, monkeypatch, capsys):
    here(monkeypatch)
    assert main(["demo"]) == 0
    said = capsys.readouterr().out
    assert [line[:2] for line in said.splitlines() if line[:1].isdecimal() and line[1:3] == ". "] == [
        "1.",
        "2.",
        "3.",
        "4.",
    ]
    assert "pip install 'hbspec[train]'\nhbspec smoke hbspec-demo/heartbeat.yaml" in said
    assert said.endswith("Everything is in hbspec-demo.\n")
    assert (folder / "hbspec-demo/sagemaker/create_training_job.json").is_file()
    assert (folder / "hbspec-demo/deployment/deploy.sh").is_file()
    assert main(["check", "hbspec-demo/heartbeat.yaml"]) == 0


def test_a_command_that_ends_otherwise_ends_the_tour(folder, monkeypatch, capsys):
    here(monkeypatch, STOPPED)
    assert main(["demo"]) == STOPPED
    assert capsys.readouterr().err == "hbspec: demo: hbspec check ended with 3, not 1\n"


def test_a_changed_spec_is_kept(folder, monkeypatch, capsys):
    (folder / "hbspec-demo").mkdir()
    (folder / "hbspec-demo/heartbeat.yaml").write_text("mine")
    assert main(["demo"]) == 2
    assert "hbspec-demo/heartbeat.yaml is not as the demo writes it" in capsys.readouterr().err
    assert [place.name for place in (folder / "hbspec-demo").iterdir()] == ["heartbeat.yaml"]


def test_a_folder_that_cannot_be_made(folder, capsys):
    Path("file").write_text("")
    assert main(["demo", "-o", "file/inside"]) == 2
    assert capsys.readouterr().err.startswith("hbspec: file/inside")


def test_the_rehearsal_is_given_the_files_that_there_are(folder, monkeypatch):
    (folder / "train.jsonl").write_text("{}")
    monkeypatch.setattr(demo, "_trains", lambda: True)
    *_, last = demo._tour(Path("out"), folder)
    assert last.commands[0][-2:] == ("--train", str(folder / "train.jsonl"))
    assert last.commands[0][0] == "smoke"
