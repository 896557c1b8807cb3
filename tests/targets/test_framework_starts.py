"""A second start of another framework's training goes on, and takes nothing from the first."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from compiled import BASE, files

STATE = '{\n  "global_step": %d,\n  "max_steps": 12,\n  "num_train_epochs": 1\n}'
PROGRAMS = {"trl": "trl", "axolotl": "accelerate", "llamafactory": "accelerate"}


class Started:
    """A compiled folder, data, and programs that only say how they were called."""

    def __init__(self, folder: Path, target: str) -> None:
        self.folder, self.data, self.work = folder, folder / "data", folder / "work"
        program = PROGRAMS[target]
        for each in (folder / "compiled", self.data, folder / "other", self.work):
            each.mkdir()
        for path, content in files(BASE, target, force=True).items():
            (folder / "compiled" / path).write_bytes(content)
        (folder / program).write_text('#!/bin/sh\npwd\necho "$@"\n')
        (folder / program).chmod(0o755)

    def __call__(self, data: str = "data") -> subprocess.CompletedProcess[str]:
        words = ["bash", str(self.folder / "compiled/train.sh"), str(self.folder / data)]
        told = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"}
        return subprocess.run(words, cwd=self.work, env=told, capture_output=True, text=True)

    def checkpoint(self, step: int, *, whole: bool = True) -> Path:
        (run,) = self.work.iterdir()
        place = run / f"model/checkpoint-{step}"
        place.mkdir(parents=True)
        if whole:
            (place / "trainer_state.json").write_text(STATE % step)
        return place


@pytest.fixture(params=PROGRAMS)
def started(request: pytest.FixtureRequest, tmp_path: Path) -> Started:
    return Started(tmp_path, request.param)


def test_the_last_update_is_not_trained_again(started: Started) -> None:
    assert started().stdout
    for step in (4, 12):
        started.checkpoint(step)
    again = started()
    assert (again.returncode, again.stdout) == (0, "")
    assert "model/checkpoint-12 is the last update already: nothing is left to train" in again.stderr


def test_other_data_are_not_gone_on_with(started: Started) -> None:
    started()
    other = started("other")
    assert (other.returncode, other.stdout) == (2, "")
    assert f"set RUN_DIR to another folder for {started.folder / 'other'}" in other.stderr


def test_trl_is_told_the_newest_whole_checkpoint(tmp_path: Path) -> None:
    started = Started(tmp_path, "trl")
    assert "--resume_from_checkpoint" not in started().stdout
    for step, whole in ((4, True), (10, True), (11, False)):
        started.checkpoint(step, whole=whole)
    assert started().stdout.splitlines()[-1].endswith("--resume_from_checkpoint model/checkpoint-10")


def test_axolotl_goes_on_by_itself() -> None:
    assert b"auto_resume_from_checkpoints: true" in files(BASE, "axolotl", force=True)["axolotl.yaml"]
