"""Checkpoints on the disk, judged without training: damage of every kind, other runs' checkpoints, what is deleted."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import checkpoints
import manifest
import pytest
from checkpoints import (
    Start,
    best_left,
    find_start,
    notes_on_added,
    superfluous,
    taken,
    write_owner,
)
from manifest import damage, write_manifest
from saved_checkpoints import ADDED, DAMAGES, FILES, LOADED, MINE, OTHER, rewrite, saved, touched
from settings import RefusedError


def test_the_newest_whole_one_is_where_training_starts(tmp_path: Path) -> None:
    assert find_start(tmp_path / "nowhere", MINE) == Start()
    for step in (9, 10, 8):
        saved(tmp_path, step)
    start = find_start(tmp_path, MINE)
    assert (start.checkpoint, start.step, start.notes) == (tmp_path / "checkpoint-10", 10, ())
    assert set(start.authors) == {tmp_path / f"checkpoint-{step}/hbspec.json" for step in (8, 9, 10)}


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
    assert superfluous(tmp_path, MINE, newest=12, keep=1, best=None) == []


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


@pytest.mark.parametrize("name", LOADED)
def test_what_would_be_loaded_in_the_place_of_what_was_saved_is_refused(tmp_path: Path, name: str) -> None:
    saved(tmp_path, 2)
    newer = saved(tmp_path, 4)
    LOADED[name](newer)
    assert damage(newer) == f"{name} is not listed in its hbspec.json, and would be loaded"
    with pytest.raises(RefusedError, match=f"checkpoint-4 is damaged .{re.escape(name)} is not listed.*move that away"):
        find_start(tmp_path, MINE)
    assert superfluous(tmp_path, MINE, 6, 1, None) == ["checkpoint-2"]


@pytest.mark.parametrize("name", ADDED)
def test_what_somebody_has_added_is_never_deleted(tmp_path: Path, name: str) -> None:
    for step in (2, 4, 6):
        saved(tmp_path, step)
    touched(name)(tmp_path / "checkpoint-4")
    touched(name)(tmp_path / "checkpoint-6")
    assert find_start(tmp_path, MINE).checkpoint == tmp_path / "checkpoint-6"
    assert superfluous(tmp_path, MINE, 8, 1, None) == ["checkpoint-2"]
    notes = list(notes_on_added(tmp_path, MINE, 8))
    assert [note.split()[0] for note in notes] == ["checkpoint-6", "checkpoint-4"]
    assert name.partition("/")[0] in notes[0]
    assert "checkpoint-4 holds what" in next(taken(tmp_path / "checkpoint-4", MINE))


NOT_LOADED = ("README.md", "tokenizer_config.json", "vocab.json")


def annotated(folder: Path, step: int) -> Path:
    """A checkpoint with files that are saved and never loaded."""
    checkpoint = saved(folder, step)
    for name in NOT_LOADED:
        (checkpoint / name).write_text(f"made {name}")
    write_manifest(checkpoint, MINE, manifest.contents(checkpoint))
    return checkpoint


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("name", NOT_LOADED)
def test_a_file_that_is_not_loaded_may_be_changed_and_keeps_its_checkpoint(
    tmp_path: Path, name: str, kind: str
) -> None:
    for step in (2, 4, 6):
        annotated(tmp_path, step)
    DAMAGES[kind](tmp_path / "checkpoint-4" / name)
    DAMAGES[kind](tmp_path / "checkpoint-6" / name)
    assert damage(tmp_path / "checkpoint-6") is None
    assert find_start(tmp_path, MINE).checkpoint == tmp_path / "checkpoint-6"
    notes = list(notes_on_added(tmp_path, MINE, 8))
    if kind == "gone":
        assert notes == []
    else:
        assert superfluous(tmp_path, MINE, 8, 1, None) == ["checkpoint-2"]
        said = f"holds what this script has not saved ({name}), and is not deleted"
        assert notes == [f"checkpoint-{step} {said}" for step in (6, 4)]


@pytest.mark.parametrize("kind", ["empty", "short", "long"])
def test_one_whose_weights_somebody_wrote_over_is_said_and_not_deleted(tmp_path: Path, kind: str) -> None:
    for step in (2, 4):
        saved(tmp_path, step)
    DAMAGES[kind](tmp_path / "checkpoint-4/adapter_model.safetensors")
    assert superfluous(tmp_path, MINE, 8, 1, None) == ["checkpoint-2"]
    assert "checkpoint-4 holds what this script has not saved (adapter_model" in next(notes_on_added(tmp_path, MINE, 8))


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "optimizer_0/.nfs0001", ".hbspec.json.tmp"])
def test_what_systems_leave_is_nobodys(tmp_path: Path, name: str) -> None:
    saved(tmp_path, 2)
    touched(name)(tmp_path / "checkpoint-2")
    assert superfluous(tmp_path, MINE, 6, 1, None) == ["checkpoint-2"]


def test_what_was_added_to_a_damaged_one_is_not_deleted_with_it(tmp_path: Path) -> None:
    saved(tmp_path, 2)
    damaged = saved(tmp_path, 4)
    (damaged / "optimizer.pt").unlink()
    touched("eval_results.json")(damaged)
    with pytest.raises(RefusedError, match=r"checkpoint-4 is damaged .optimizer.pt is missing.*eval_results.json"):
        find_start(tmp_path, MINE)


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
        said = "no hbspec.json that says that it is this run's: another run or program wrote it, and it is left alone"
        assert start.notes == (f"checkpoint-3 has {said}",)
        assert superfluous(tmp_path, MINE, 6, 1, None) == ["checkpoint-4", "checkpoint-2"]

    def test_one_whose_name_a_save_may_need_is_refused(self, tmp_path: Path, foreign: Path) -> None:
        saved(tmp_path, 2)
        with pytest.raises(
            RefusedError, match="checkpoint-3 was written by another run or program, and a save may need"
        ):
            find_start(tmp_path, MINE)
        (tmp_path / "checkpoint-2/optimizer.pt").unlink()
        with pytest.raises(RefusedError, match="checkpoint-3 was written by another run or program"):
            find_start(tmp_path, MINE)

    def test_what_this_run_has_begun_is_its_own(self, tmp_path: Path, foreign: Path) -> None:
        saved(tmp_path, 2)
        manifest.begin(foreign, MINE)
        assert "checkpoint-3 is damaged and is passed over" in find_start(tmp_path, MINE).notes[0]
        assert superfluous(tmp_path, MINE, 4, 9, None) == ["checkpoint-3"]

    @pytest.mark.parametrize("name", [manifest.MANIFEST, f"{manifest.BEGUN}0123456789abcdef", ".hbspec-begun"])
    def test_what_another_run_has_begun_is_not(self, tmp_path: Path, foreign: Path, name: str) -> None:
        saved(tmp_path, 2)
        (foreign / name).touch()
        with pytest.raises(RefusedError, match="checkpoint-3 was written by another run or program"):
            find_start(tmp_path, MINE)
        assert superfluous(tmp_path, MINE, 4, 1, None) == ["checkpoint-2"]

    @pytest.mark.parametrize("part", ["learned", "loaded"])
    def test_whole_ones_of_another_run_are_not_deleted(self, tmp_path: Path, part: str) -> None:
        saved(tmp_path, 4, {**MINE, part: {**MINE[part], "LORA_R": 8}})
        for step in (3, 6):
            saved(tmp_path, step)
        assert superfluous(tmp_path, MINE, 6, 1, None) == ["checkpoint-3"]
        assert "checkpoint-4 was written by another run" in next(taken(tmp_path / "checkpoint-4", MINE))

    def test_an_empty_one_and_a_link_hold_nothing_to_lose(self, tmp_path: Path, foreign: Path) -> None:
        saved(tmp_path, 2)
        foreign.rename(tmp_path / "elsewhere")
        foreign.symlink_to(tmp_path / "elsewhere")
        (tmp_path / "checkpoint-4").mkdir()
        (tmp_path / "checkpoint-4/any.sagemaker-uploading").touch()
        assert find_start(tmp_path, MINE).step == 2
        assert superfluous(tmp_path, MINE, 6, 9, None) == ["checkpoint-4", "checkpoint-3"]


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
        assert superfluous(tmp_path, MINE, 10, 3, None) == ["checkpoint-6", "checkpoint-2"]
        assert superfluous(tmp_path, MINE, 10, 1, None) == [f"checkpoint-{step}" for step in (8, 6, 4, 2)]
        assert superfluous(tmp_path, MINE, 10, 9, None) == ["checkpoint-6"]

    def test_the_best_one_stays_and_counts(self, tmp_path: Path) -> None:
        for step in (2, 4, 6):
            saved(tmp_path, step)
        assert superfluous(tmp_path, MINE, 6, 2, "/elsewhere/checkpoint-2") == ["checkpoint-4"]
        assert superfluous(tmp_path, MINE, 6, 1, "/elsewhere/checkpoint-2") == ["checkpoint-4"]
        assert superfluous(tmp_path, MINE, 6, 1, "/elsewhere/checkpoint-6") == ["checkpoint-4", "checkpoint-2"]

    def test_one_whose_evaluation_is_due_stays_and_counts_not(self, tmp_path: Path) -> None:
        for step in (2, 4, 6, 8):
            saved(tmp_path, step)
        assert superfluous(tmp_path, MINE, 8, 1, None, [2]) == ["checkpoint-6", "checkpoint-4"]
        assert superfluous(tmp_path, MINE, 8, 2, "/elsewhere/checkpoint-4", [2, 4]) == ["checkpoint-6"]

    def test_one_that_lies_after_the_newest_is_not_a_reason_to_delete_the_older(self, tmp_path: Path) -> None:
        for step in (2, 4, 6):
            saved(tmp_path, step)
        assert superfluous(tmp_path, MINE, 4, 2, None) == []


class TestBest:
    STATE: ClassVar[dict[str, Any]] = {
        "best_model_checkpoint": "/opt/ml/checkpoints/checkpoint-4",
        "log_history": [{"step": step, "eval_loss": loss} for step, loss in ((2, 3.0), (4, 1.0), (6, 2.0), (8, 1.5))],
    }

    def test_it_is_found_in_this_folder_whatever_path_was_recorded(self, tmp_path: Path) -> None:
        best = saved(tmp_path, 4)
        assert best_left(tmp_path, MINE, self.STATE) == ({"best_model_checkpoint": str(best)}, None)
        assert best_left(tmp_path, MINE, {"best_model_checkpoint": None}) == ({}, None)

    def test_a_damaged_one_is_replaced_by_the_best_whole_one(self, tmp_path: Path) -> None:
        for step in (2, 4, 6):
            saved(tmp_path, step)
        (tmp_path / "checkpoint-4/adapter_model.safetensors").write_bytes(b"")
        found, note = best_left(tmp_path, MINE, self.STATE)
        assert found == {
            "best_model_checkpoint": str(tmp_path / "checkpoint-6"), "best_metric": 2.0, "best_global_step": 6,
        }  # fmt: skip
        assert "WARNING the best checkpoint, checkpoint-4, is passed over: adapter_model.safetensors has 0" in str(note)

    def test_where_none_is_left_it_is_chosen_again(self, tmp_path: Path) -> None:
        found, note = best_left(tmp_path, MINE, self.STATE)
        assert found == dict.fromkeys(("best_model_checkpoint", "best_metric", "best_global_step"))
        assert "WARNING" in str(note)


class TestChanged:
    def test_what_lies_as_it_lay_is_not_changed(self, tmp_path: Path) -> None:
        checkpoint = saved(tmp_path, 4)
        start = find_start(tmp_path, MINE)
        (checkpoint / "notes.md").write_text("somebody's")
        assert checkpoints.changed(start) == []
        assert checkpoints.changed(Start()) == []

    @pytest.mark.parametrize("digests", [0, manifest.DIGESTED_BYTES])
    def test_another_content_of_the_same_size_is_seen(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digests: int
    ) -> None:
        monkeypatch.setattr(manifest, "DIGESTED_BYTES", digests)
        path = saved(tmp_path, 4) / "optimizer.pt"
        start = find_start(tmp_path, MINE)
        os.utime(path, ns=(1, path.stat().st_mtime_ns if digests else 1))
        DAMAGES["other"](path)
        (problem,) = checkpoints.changed(start)
        assert "checkpoint-4 was changed after this run had checked it (optimizer.pt" in problem

    def test_a_whole_one_of_another_run_in_its_place_is_seen(self, tmp_path: Path) -> None:
        checkpoint = saved(tmp_path, 4)
        start = find_start(tmp_path, MINE)
        shutil.rmtree(checkpoint)
        assert "it has no hbspec.json" in str(checkpoints.changed(start))
        saved(tmp_path, 4, MINE | {"learned": OTHER})
        assert damage(checkpoint) is None
        assert "hbspec.json" in str(checkpoints.changed(start))


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo], ids=["file", "pipe"])
def test_a_file_with_the_name_of_a_save_is_somebodys(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """One that came while the run trained, and of which the start could say nothing."""
    make(tmp_path / "checkpoint-4")
    assert list(checkpoints.taken(tmp_path / "checkpoint-4", MINE)) == [
        f"{tmp_path}/checkpoint-4 was written by another run or program while this run trained: move it away"
    ]
    assert list(checkpoints.taken(tmp_path / "checkpoint-5", MINE)) == []


@pytest.mark.parametrize("inside", [True, False], ids=["in a folder", "itself"])
def test_a_pipe_is_removed_and_not_waited_for(tmp_path: Path, inside: bool) -> None:
    place = tmp_path / "checkpoint-4"
    if inside:
        place.mkdir()
    os.mkfifo(place / "pipe" if inside else place)
    waiter = threading.Thread(target=manifest.discard, args=(place,), daemon=True)
    waiter.start()
    waiter.join(300)
    assert not waiter.is_alive(), "it waits for a writer"
    assert not os.path.lexists(place)
