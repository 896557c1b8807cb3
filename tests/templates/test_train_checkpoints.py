"""Checkpoints on the disk, judged without training: damage of every kind, other runs' checkpoints, what is deleted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import checkpoints
import manifest
import pytest
from checkpoints import Start, best_left, find_start, superfluous, write_owner
from manifest import damage, write_manifest
from saved_checkpoints import DAMAGES, FILES, FOREIGN, MINE, OTHER, rewrite, saved
from settings import RefusedError


def test_the_newest_whole_one_is_where_training_starts(tmp_path: Path) -> None:
    assert find_start(tmp_path / "nowhere", MINE) == Start()
    for step in (9, 10, 8):
        saved(tmp_path, step)
    start = find_start(tmp_path, MINE)
    assert (start.checkpoint, start.step, start.notes) == (tmp_path / "checkpoint-10", 10, ())
    assert start.loaded == MINE["loaded"]


@pytest.mark.parametrize("kind", DAMAGES)
def test_whichever_file_is_damaged_the_next_older_one_is_taken(tmp_path: Path, kind: str) -> None:
    older = saved(tmp_path, 2)
    for name in FILES:
        newer = saved(tmp_path, 4)
        DAMAGES[kind](newer / name)
        start = find_start(tmp_path, MINE)
        assert start.checkpoint == older, name
        assert len(start.notes) == 1
        assert start.notes[0].startswith("checkpoint-4 is damaged and is passed over: ")
        assert name in start.notes[0]


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b"\xff", b'{"format_version": 1, "step": 4, "files": 3}'])
def test_a_save_that_was_cut_off_before_or_in_its_manifest_is_passed_over(
    tmp_path: Path, content: bytes | None
) -> None:
    older, newer = saved(tmp_path, 2), saved(tmp_path, 4)
    (newer / manifest.MANIFEST).unlink()
    if content is not None:
        (newer / manifest.MANIFEST).write_bytes(content)
    start = find_start(tmp_path, MINE)
    assert start.checkpoint == older
    assert "checkpoint-4 is damaged" in start.notes[0]


def test_large_files_are_told_by_their_sizes_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "DIGESTED_BYTES", 400)
    checkpoint = saved(tmp_path, 4)
    found = json.loads((checkpoint / manifest.MANIFEST).read_text())["files"]
    digested = [entry["bytes"] for entry in found.values() if "sha256" in entry]
    others = [entry["bytes"] for entry in found.values() if "sha256" not in entry]
    assert digested
    assert sum(digested) <= 400
    assert max(digested) <= min(others)
    large = max(found, key=lambda name: found[name]["bytes"])
    DAMAGES["other"](checkpoint / large)
    assert damage(checkpoint) is None
    DAMAGES["short"](checkpoint / large)
    assert large in str(damage(checkpoint))


def test_names_that_are_no_checkpoints_are_said_and_left_alone(tmp_path: Path) -> None:
    real = saved(tmp_path, 12)
    names = ["checkpoint-12-backup", "checkpoint-tmp", "checkpoint-012", "checkpoint-x", "checkpoint-"]
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "checkpoint-x9").write_text("a file")
    start = find_start(tmp_path, MINE)
    assert start.checkpoint == real
    assert sorted(note.split()[0] for note in start.notes) == sorted([*names, "checkpoint-x9"])
    assert superfluous(tmp_path, newest=12, keep=1, best=None) == []


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo], ids=["file", "pipe"])
def test_a_file_with_a_checkpoints_name_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    saved(tmp_path, 12)
    make(tmp_path / "checkpoint-99")
    with pytest.raises(RefusedError, match="checkpoint-99 has a checkpoint's name and is not a folder"):
        find_start(tmp_path, MINE)


def test_a_link_with_a_checkpoints_name_that_leads_to_no_folder_is_said(tmp_path: Path) -> None:
    real = saved(tmp_path, 12)
    (tmp_path / "checkpoint-99").symlink_to(tmp_path / "nowhere")
    start = find_start(tmp_path, MINE)
    assert (start.checkpoint, start.notes) == (
        real,
        ("checkpoint-99 is a link that leads to no folder and is passed over",),
    )


def test_a_checkpoint_under_another_steps_name_is_damaged(tmp_path: Path) -> None:
    saved(tmp_path, 12).rename(tmp_path / "checkpoint-99")
    assert damage(tmp_path / "checkpoint-99") == "it was saved as checkpoint-12"


def test_a_checkpoint_that_was_renamed_and_says_so_in_its_manifest_is_damaged(tmp_path: Path) -> None:
    saved(tmp_path, 12).rename(tmp_path / "checkpoint-99")
    rewrite(tmp_path / "checkpoint-99", step=99)
    assert damage(tmp_path / "checkpoint-99") == "its trainer_state.json is of update 12, its name of update 99"


@pytest.mark.parametrize("state", ["", "[]", "[" * 200_000, "{}", '{"global_step": "4"}', '{"global_step": true}'])
def test_a_trainers_state_that_says_no_update_is_damage(tmp_path: Path, state: str) -> None:
    checkpoint = saved(tmp_path, 4)
    (checkpoint / "trainer_state.json").write_text(state)
    write_manifest(checkpoint, MINE, manifest.contents(checkpoint))
    assert "trainer_state.json" in str(damage(checkpoint))


def test_what_sagemaker_puts_beside_the_files_is_no_part_of_a_checkpoint(tmp_path: Path) -> None:
    checkpoint = saved(tmp_path, 4)
    marker = checkpoint / "optimizer.pt.sagemaker-uploading"
    marker.touch()
    write_manifest(checkpoint, MINE, manifest.contents(checkpoint))
    marker.unlink()
    assert damage(checkpoint) is None


@pytest.mark.parametrize("name", FOREIGN)
def test_what_the_manifest_does_not_list_is_damage(tmp_path: Path, name: str) -> None:
    older, newer = saved(tmp_path, 2), saved(tmp_path, 4)
    FOREIGN[name](newer)
    start = find_start(tmp_path, MINE)
    assert start.checkpoint == older
    assert start.notes == (f"checkpoint-4 is damaged and is passed over: {name} is not listed in its hbspec.json",)
    assert superfluous(tmp_path, 6, 9, None) == ["checkpoint-4"]


def test_hidden_files_beside_the_manifest_are_not(tmp_path: Path) -> None:
    checkpoint = saved(tmp_path, 4)
    (checkpoint / ".nfs0001").touch()
    assert damage(checkpoint) is None
    (checkpoint / "optimizer_0/.nfs0001").touch()
    assert "optimizer_0/.nfs0001" in str(damage(checkpoint))


class TestAnotherPrograms:
    """Folders with a checkpoint's name that this script has not begun."""

    @pytest.fixture
    def foreign(self, tmp_path: Path) -> Path:
        (tmp_path / "checkpoint-3").mkdir()
        (tmp_path / "checkpoint-3/precious.bin").write_text("precious")
        return tmp_path / "checkpoint-3"

    def test_an_older_one_is_said_and_never_deleted(self, tmp_path: Path, foreign: Path) -> None:
        for step in (2, 4, 6):
            saved(tmp_path, step)
        start = find_start(tmp_path, MINE)
        assert start.step == 6
        assert start.notes == ("checkpoint-3 has no hbspec.json: another program wrote it, and it is left alone",)
        assert superfluous(tmp_path, 6, 1, None) == ["checkpoint-4", "checkpoint-2"]

    def test_one_whose_name_a_save_may_need_is_refused(self, tmp_path: Path, foreign: Path) -> None:
        saved(tmp_path, 2)
        with pytest.raises(RefusedError, match="checkpoint-3 was written by another program, and a save may need"):
            find_start(tmp_path, MINE)
        (tmp_path / "checkpoint-2/optimizer.pt").unlink()
        with pytest.raises(RefusedError, match="checkpoint-3 was written by another program"):
            find_start(tmp_path, MINE)

    @pytest.mark.parametrize("name", [manifest.MANIFEST, manifest.BEGUN])
    def test_what_this_script_has_begun_is_its_own(self, tmp_path: Path, foreign: Path, name: str) -> None:
        saved(tmp_path, 2)
        (foreign / name).touch()
        assert "checkpoint-3 is damaged and is passed over" in find_start(tmp_path, MINE).notes[0]
        assert superfluous(tmp_path, 4, 9, None) == ["checkpoint-3"]

    def test_an_empty_one_and_a_link_hold_nothing_to_lose(self, tmp_path: Path, foreign: Path) -> None:
        saved(tmp_path, 2)
        foreign.rename(tmp_path / "elsewhere")
        foreign.symlink_to(tmp_path / "elsewhere")
        (tmp_path / "checkpoint-4").mkdir()
        (tmp_path / "checkpoint-4/any.sagemaker-uploading").touch()
        assert find_start(tmp_path, MINE).step == 2
        assert superfluous(tmp_path, 6, 9, None) == ["checkpoint-4", "checkpoint-3"]


def test_where_none_is_whole_training_starts_again_and_says_so(tmp_path: Path) -> None:
    write_owner(tmp_path, MINE)
    (tmp_path / "checkpoint-2").mkdir()
    start = find_start(tmp_path, MINE)
    assert start.checkpoint is None
    assert "WARNING none of the 1 checkpoints" in start.notes[-1]
    assert "starts again at update 1" in start.notes[-1]


class TestAnotherRun:
    def refusal(self, folder: Path) -> str:
        with pytest.raises(RefusedError) as caught:
            find_start(folder, MINE)
        return str(caught.value)

    def test_each_key_that_differs_is_named_with_both_values(self, tmp_path: Path) -> None:
        saved(tmp_path, 4, {**MINE, "learned": OTHER | {"training data b.jsonl": "7 bytes", "REVISION": None}})
        text = self.refusal(tmp_path)
        for part in (
            "checkpoint-4 was written by another run",
            "LORA_R was 8 there and is 16 here",
            "training data a.jsonl was missing there and is 9 bytes here",
            "training data b.jsonl was 7 bytes there and is missing here",
            "REVISION was not set there and is missing here",
            "use another checkpoint folder",
        ):
            assert part in text

    def test_also_where_it_is_damaged_or_older(self, tmp_path: Path) -> None:
        theirs = {**MINE, "learned": OTHER}
        (saved(tmp_path, 4, theirs) / "optimizer.pt").unlink()
        self.refusal(tmp_path)
        saved(tmp_path, 6)
        self.refusal(tmp_path)

    def test_also_where_only_the_folders_owner_is_left(self, tmp_path: Path) -> None:
        write_owner(tmp_path, {**MINE, "learned": OTHER})
        assert find_start(tmp_path, MINE) == Start(), "a folder without checkpoints is free"
        (tmp_path / "checkpoint-4").mkdir()
        assert checkpoints.OWNER in self.refusal(tmp_path)

    def test_one_that_says_nothing_of_its_run_is_refused_for_that(self, tmp_path: Path) -> None:
        (saved(tmp_path, 4) / manifest.MANIFEST).unlink()
        assert "checkpoint-4 does not say which run wrote it" in self.refusal(tmp_path)

    def test_what_changes_no_result_is_noted(self, tmp_path: Path) -> None:
        saved(tmp_path, 4, {**MINE, "noted": MINE["noted"] | {"SAVE_STEPS": 20}})
        start = find_start(tmp_path, MINE)
        assert start.step == 4
        assert start.notes == ("SAVE_STEPS was 20 there and is 50 here; what is learned is the same",)


class TestDeletion:
    def test_whole_ones_are_counted_from_the_newest(self, tmp_path: Path) -> None:
        for step in (2, 4, 6, 8, 10):
            saved(tmp_path, step)
        (tmp_path / "checkpoint-6/optimizer.pt").unlink()
        assert superfluous(tmp_path, 10, 3, None) == ["checkpoint-6", "checkpoint-2"]
        assert superfluous(tmp_path, 10, 1, None) == [f"checkpoint-{step}" for step in (8, 6, 4, 2)]
        assert superfluous(tmp_path, 10, 9, None) == ["checkpoint-6"]

    def test_the_best_one_stays_and_counts(self, tmp_path: Path) -> None:
        for step in (2, 4, 6):
            saved(tmp_path, step)
        assert superfluous(tmp_path, 6, 2, "/elsewhere/checkpoint-2") == ["checkpoint-4"]
        assert superfluous(tmp_path, 6, 1, "/elsewhere/checkpoint-2") == ["checkpoint-4"]
        assert superfluous(tmp_path, 6, 1, "/elsewhere/checkpoint-6") == ["checkpoint-4", "checkpoint-2"]

    def test_one_that_lies_after_the_newest_is_not_a_reason_to_delete_the_older(self, tmp_path: Path) -> None:
        for step in (2, 4, 6):
            saved(tmp_path, step)
        assert superfluous(tmp_path, 4, 2, None) == []


class TestBest:
    STATE: ClassVar[dict[str, Any]] = {
        "best_model_checkpoint": "/opt/ml/checkpoints/checkpoint-4",
        "log_history": [{"step": step, "eval_loss": loss} for step, loss in ((2, 3.0), (4, 1.0), (6, 2.0), (8, 1.5))],
    }

    def test_it_is_found_in_this_folder_whatever_path_was_recorded(self, tmp_path: Path) -> None:
        best = saved(tmp_path, 4)
        assert best_left(tmp_path, self.STATE) == ({"best_model_checkpoint": str(best)}, None)
        assert best_left(tmp_path, {"best_model_checkpoint": None}) == ({}, None)

    def test_a_damaged_one_is_replaced_by_the_best_whole_one(self, tmp_path: Path) -> None:
        for step in (2, 4, 6):
            saved(tmp_path, step)
        (tmp_path / "checkpoint-4/adapter_model.safetensors").write_bytes(b"")
        found, note = best_left(tmp_path, self.STATE)
        assert found == {
            "best_model_checkpoint": str(tmp_path / "checkpoint-6"), "best_metric": 2.0, "best_global_step": 6,
        }  # fmt: skip
        assert "WARNING the best checkpoint, checkpoint-4, is passed over: adapter_model.safetensors has 0" in str(note)

    def test_where_none_is_left_it_is_chosen_anew(self, tmp_path: Path) -> None:
        found, note = best_left(tmp_path, self.STATE)
        assert found == dict.fromkeys(("best_model_checkpoint", "best_metric", "best_global_step"))
        assert "WARNING" in str(note)
