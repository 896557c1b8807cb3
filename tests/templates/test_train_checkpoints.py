"""Checkpoints on the disk, judged without training: damage of every kind, other runs' checkpoints, what is deleted."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import checkpoints
import fingerprint
import manifest
import pytest
import removal
from checkpoints import Start, best_left, find_start, superfluous, write_owner
from manifest import damage, name_of, write_manifest
from settings import Folders, Invocation, RefusedError, Settings

FILES = (
    "adapter_model.safetensors", "adapter_config.json", "optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state.pth",
    "rng_state_1.pth", "trainer_state.json", "training_args.bin", "pytorch_model_fsdp_0/__0_0.distcp",
    "optimizer_0/.metadata", "latest", "global_step4/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt",
)  # fmt: skip
"""What the trainer writes, with adapters, in one process, in many, with FSDP and with ZeRO."""
MINE: fingerprint.Fingerprint = {
    "learned": {"METHOD": "lora", "checkpoint files": "whole", "LORA_R": 16, "training data a.jsonl": "9 bytes"},
    "loaded": {"compute dtype": "bfloat16"},
    "noted": {"SAVE_STEPS": 50, "processes": 1},
}
OTHER = {"METHOD": "lora", "checkpoint files": "whole", "LORA_R": 8}
DAMAGES: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "long": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "other": lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:]),
}


def saved(folder: Path, step: int, theirs: fingerprint.Fingerprint = MINE) -> Path:
    """A checkpoint as a save leaves it."""
    checkpoint = folder / name_of(step)
    manifest.begin(checkpoint)
    for number, name in enumerate(FILES):
        (checkpoint / name).parent.mkdir(parents=True, exist_ok=True)
        (checkpoint / name).write_bytes(f"{step} {name}".encode() * (number + 1))
    (checkpoint / "trainer_state.json").write_text(json.dumps({"global_step": step, "log_history": []}))
    write_manifest(checkpoint, theirs, manifest.contents(checkpoint))
    return checkpoint


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


def foreign_adapter(checkpoint: Path) -> None:
    (checkpoint / "default").mkdir()
    (checkpoint / "default/adapter_model.safetensors").touch()


FOREIGN: dict[str, Callable[[Path], object]] = {
    "model.safetensors": lambda checkpoint: (checkpoint / "model.safetensors").touch(),
    "default": foreign_adapter,
    "pytorch_model_fsdp_1": lambda checkpoint: (checkpoint / "pytorch_model_fsdp_1").mkdir(),
    ".hidden": lambda checkpoint: (checkpoint / ".hidden").mkdir(),
    "linked": lambda checkpoint: (checkpoint / "linked").symlink_to(checkpoint / "optimizer_0"),
    "dangling.bin": lambda checkpoint: (checkpoint / "dangling.bin").symlink_to("nowhere"),
    "optimizer_0/__0_0.distcp": lambda checkpoint: (checkpoint / "optimizer_0/__0_0.distcp").touch(),
}


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


def rewrite(checkpoint: Path, **changes: Any) -> None:
    """Forges a manifest."""
    path = checkpoint / manifest.MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


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


class TestForged:
    LAYOUTS: ClassVar[dict[str, tuple[dict[str, Any], int, set[str]]]] = {
        "adapters": (
            {"METHOD": "qlora", "checkpoint files": "whole"},
            1,
            {"adapter_model.safetensors", "adapter_config.json", "optimizer.pt", "scheduler.pt", "rng_state.pth"},
        ),
        "all weights": (
            {"METHOD": "full", "checkpoint files": "whole"},
            2,
            {"model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state_0.pth", "rng_state_1.pth"},
        ),
        "fsdp": (
            {"METHOD": "lora", "checkpoint files": "fsdp"},
            2,
            {
                "pytorch_model_fsdp_0/.metadata",
                "optimizer_0/.metadata",
                "scheduler.pt",
                "rng_state_0.pth",
                "rng_state_1.pth",
            },
        ),
        "zero": (
            {"METHOD": "full", "checkpoint files": "zero3 over 1 processes"},
            1,
            {
                "latest",
                "global_step4/zero_pp_rank_0_mp_rank_00_model_states.pt",
                "global_step4/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt",
                "rng_state.pth",
            },
        ),
    }

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_a_file_that_is_needed_can_be_left_out_of_no_manifest(self, tmp_path: Path, layout: str) -> None:
        learned, processes, names = self.LAYOUTS[layout]
        mine = {"learned": learned, "loaded": {}, "noted": {"processes": processes}}
        checkpoint = tmp_path / "checkpoint-4"
        for name in names:
            (checkpoint / name).parent.mkdir(parents=True, exist_ok=True)
            (checkpoint / name).touch()
        (checkpoint / "trainer_state.json").write_text('{"global_step": 4}')
        whole = manifest.contents(checkpoint)
        write_manifest(checkpoint, mine, whole)
        assert find_start(tmp_path, mine).checkpoint == checkpoint
        for name in whole:
            content = (checkpoint / name).read_bytes()
            (checkpoint / name).unlink()
            rewrite(checkpoint, files={other: entry for other, entry in whole.items() if other != name})
            assert "is missing" in str(damage(checkpoint)), name
            with pytest.raises(RuntimeError, match="the trainer saved"):
                write_manifest(checkpoint, mine, {other: whole[other] for other in whole if other != name})
            (checkpoint / name).write_bytes(content)

    def test_a_digest_that_was_taken_can_be_left_out_of_no_manifest(self, tmp_path: Path) -> None:
        checkpoint = saved(tmp_path, 4)
        files = json.loads((checkpoint / manifest.MANIFEST).read_text())["files"]
        for name, entry in files.items():
            rewrite(checkpoint, files=files | {name: {"bytes": entry["bytes"]}})
            assert damage(checkpoint) == f"{name} has no SHA-256 digest in its hbspec.json"
            assert damage(checkpoint, digests=False) == damage(checkpoint)

    def test_which_files_are_digested_is_the_same_for_one_host_and_for_many(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each host digests its smallest files; together they are more than a manifest has digests of."""
        monkeypatch.setattr(manifest, "DIGESTED_BYTES", 400)
        checkpoint = saved(tmp_path, 4)
        alone = json.loads((checkpoint / manifest.MANIFEST).read_text())["files"]
        hosts: dict[str, Any] = {}
        for name in alone:
            whole = (checkpoint / name).read_bytes()
            hosts[name] = {"bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest()}
        write_manifest(checkpoint, MINE, hosts)
        assert json.loads((checkpoint / manifest.MANIFEST).read_text())["files"] == alone
        assert damage(checkpoint) is None

    def test_nothing_listed_is_nothing_saved(self, tmp_path: Path) -> None:
        checkpoint = saved(tmp_path, 4)
        for path in checkpoint.iterdir():
            if path.name != manifest.MANIFEST:
                removal.remove(path)
        rewrite(checkpoint, files={})
        assert "adapter_model.safetensors is missing" in find_start(tmp_path, MINE).notes[0]

    @pytest.mark.parametrize(
        "theirs", [None, {}, [], {"learned": None, "loaded": {}, "noted": {}}, {**MINE, "loaded": None}], ids=repr
    )
    def test_one_that_says_nothing_of_its_run_is_not_gone_on_from(self, tmp_path: Path, theirs: Any) -> None:
        write_owner(tmp_path, MINE)
        older, newer = saved(tmp_path, 2), saved(tmp_path, 4)
        write_owner(newer, MINE)
        rewrite(newer, fingerprint=theirs)
        start = find_start(tmp_path, MINE)
        assert start.checkpoint == older
        assert "checkpoint-4 is damaged and is passed over" in start.notes[0]

    @pytest.mark.parametrize(
        "content",
        [
            b"[" * 200_000,
            b'{"format_version": 1, "step": 4, "fingerprint": ' + b"[" * 900 + b"]" * 900 + b"}",
            b"9" * 5_000,
            b" " * (17 * 2**20),
            b'{"format_version": 1, "step": 4, "files": {}}',
            b'{"format_version": 1, "step": "\\ud800", "files": {}, "fingerprint": {}}',
        ],
        ids=["deep", "too deep to compare", "a number", "large", "no fingerprint", "not a step"],
    )
    def test_whatever_a_manifest_holds_it_is_passed_over(self, tmp_path: Path, content: bytes) -> None:
        older, newer = saved(tmp_path, 2), saved(tmp_path, 4)
        (newer / manifest.MANIFEST).write_bytes(content)
        start = find_start(tmp_path, MINE)
        assert start.checkpoint == older
        assert "checkpoint-4 is damaged and is passed over" in start.notes[0]

    def test_a_pipe_in_its_place_is_not_waited_for(self, tmp_path: Path) -> None:
        older, newer = saved(tmp_path, 2), saved(tmp_path, 4)
        (newer / manifest.MANIFEST).unlink()
        os.mkfifo(newer / manifest.MANIFEST)
        assert find_start(tmp_path, MINE).checkpoint == older

    def test_files_elsewhere_are_not_a_checkpoints(self, tmp_path: Path) -> None:
        checkpoint = saved(tmp_path, 4)
        (tmp_path / "elsewhere").touch()
        files = json.loads((checkpoint / manifest.MANIFEST).read_text())["files"]
        for name in ("../elsewhere", str(tmp_path / "elsewhere")):
            rewrite(checkpoint, files=files | {name: {"bytes": 0}})
            assert f"{name} is missing" in str(damage(checkpoint))


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


class TestFingerprint:
    @pytest.fixture(autouse=True)
    def training(self) -> None:
        """A fingerprint holds the versions of what trains, which must be installed."""
        import torch  # noqa: F401

    @pytest.fixture
    def invocation(self, tmp_path: Path) -> Invocation:
        for name in ("train", "validation"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "data.jsonl").write_text("{}\n")
        folders = Folders(train_dir=tmp_path / "train", validation_dir=tmp_path / "validation")
        return Invocation(Settings(MODEL_ID="Qwen/Qwen2.5-7B-Instruct"), folders)

    def change(self, invocation: Invocation, processes: int = 1, **changes: Any) -> set[str]:
        """Keys of what is learned that differ after a change of settings."""
        changed = Invocation(replace(invocation.settings, **changes), invocation.folders)
        one, other = fingerprint.fingerprint(invocation, 1), fingerprint.fingerprint(changed, processes)
        assert json.loads(json.dumps(one)) == one, "what a checkpoint gives back is compared with what is made"
        lines = fingerprint.differences(one["learned"], other["learned"])
        return {line.rpartition(" was ")[0] for line in lines}

    def test_every_setting_decides_what_its_row_says(self, invocation: Invocation) -> None:
        for entry in fields(Settings):
            value = getattr(invocation.settings, entry.name)
            other = (not value) if isinstance(value, bool) else f"{value}x" if isinstance(value, str) else 3.25
            learned = entry.metadata["learned"].holds(invocation.settings)
            assert (entry.name in self.change(invocation, **{entry.name: other})) == learned, entry.name

    @pytest.mark.parametrize("name", ["LEARNING_RATE", "LORA_R", "TARGET_MODULES", "SEED", "MAX_LENGTH", "MODEL_ID"])
    def test_what_is_learned(self, invocation: Invocation, name: str) -> None:
        assert self.change(invocation, **{name: "other"}) == {name}

    @pytest.mark.parametrize("name", ["SAVE_STEPS", "EVAL_STEPS", "LOGGING_STEPS", "SAVE_TOTAL_LIMIT"])
    def test_what_is_not(self, invocation: Invocation, name: str) -> None:
        assert self.change(invocation, **{name: 7}) == set()

    def test_the_same_effective_batch_by_another_split_is_only_noted(self, invocation: Invocation) -> None:
        twice = Invocation(replace(invocation.settings, GRADIENT_ACCUMULATION_STEPS=8), invocation.folders)
        assert self.change(twice, processes=4, GRADIENT_ACCUMULATION_STEPS=2, PARALLELISM="ddp") == set()
        assert self.change(twice, PER_DEVICE_BATCH_SIZE=2, GRADIENT_ACCUMULATION_STEPS=4) == set()
        assert self.change(twice, PER_DEVICE_BATCH_SIZE=2) == {"effective batch"}
        assert self.change(twice, processes=2) == {"effective batch"}

    def test_files_that_another_sharding_cannot_read(self, invocation: Invocation) -> None:
        assert self.change(invocation, PARALLELISM="fsdp") == {"checkpoint files"}
        assert self.change(invocation, PARALLELISM="pipeline") == set()

    def test_a_longer_run_is_the_same_only_where_the_schedule_does_not_end(self, invocation: Invocation) -> None:
        assert self.change(invocation, MAX_STEPS=7) == {"MAX_STEPS", "NUM_TRAIN_EPOCHS"}
        assert self.change(invocation, NUM_TRAIN_EPOCHS=3.0) == set(), "3 is what not set means"
        endless = Invocation(replace(invocation.settings, LR_SCHEDULER_TYPE="constant"), invocation.folders)
        assert self.change(endless, MAX_STEPS=7) == set()
        warmed = replace(invocation.settings, LR_SCHEDULER_TYPE="constant_with_warmup", WARMUP_RATIO=0.1)
        assert self.change(Invocation(warmed, invocation.folders), MAX_STEPS=7) == {"MAX_STEPS", "NUM_TRAIN_EPOCHS"}

    def test_what_chooses_the_best_checkpoint_decides_the_result(self, invocation: Invocation) -> None:
        chosen = replace(invocation.settings, LOAD_BEST_MODEL_AT_END=True, EVAL_STEPS=10)
        assert self.change(Invocation(chosen, invocation.folders), EVAL_STEPS=5) == {"EVAL_STEPS"}
        found = fingerprint.fingerprint(Invocation(chosen, invocation.folders), 1)
        assert "validation data data.jsonl" in found["learned"]
        assert "validation data data.jsonl" in fingerprint.fingerprint(invocation, 1)["noted"]

    def test_data_by_name_and_size_and_code_by_digest(
        self, invocation: Invocation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = fingerprint.fingerprint(invocation, 1)
        (tmp_path / "train/more.jsonl").write_text("{}\n")
        (tmp_path / "train/data.jsonl").write_text("{}\n{}\n")
        monkeypatch.setattr(fingerprint, "__file__", str(tmp_path / "fingerprint.py"))
        (tmp_path / "job.py").write_text("pass\n")
        lines = fingerprint.differences(before["learned"], fingerprint.fingerprint(invocation, 1)["learned"])
        assert "training data data.jsonl was 3 bytes there and is 6 bytes here" in lines
        assert "training data more.jsonl was missing there and is 3 bytes here" in lines
        assert any(line.startswith("code job.py was ") for line in lines)

    def test_patch_versions_are_only_noted(self, invocation: Invocation, monkeypatch: pytest.MonkeyPatch) -> None:
        found = []
        for release in ("2.9.0+cu128", "2.9.1", "2.10.0"):
            monkeypatch.setattr(fingerprint, "version", lambda _, release=release: release)
            found.append(fingerprint.fingerprint(invocation, 1))
        assert fingerprint.differences(found[0]["learned"], found[1]["learned"]) == []
        assert "release of torch was 2.9.0+cu128 there" in str(
            fingerprint.differences(found[0]["noted"], found[1]["noted"])
        )
        assert "torch was 2.9 there and is 2.10 here" in fingerprint.differences(
            found[0]["learned"], found[2]["learned"]
        )

    def test_a_rehearsal_is_never_the_real_run(self, invocation: Invocation, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text("{}")
        tiny = replace(invocation.folders, tiny=True, model_config=tmp_path / "config.json")
        one = fingerprint.fingerprint(invocation, 1)
        other = fingerprint.fingerprint(Invocation(invocation.settings, tiny), 1)
        assert len(fingerprint.differences(one["learned"], other["learned"])) == 1

    def test_the_files_of_a_local_model_count(self, invocation: Invocation, tmp_path: Path) -> None:
        weights = tmp_path / "model/model.safetensors"
        weights.parent.mkdir()
        weights.write_bytes(b"12345")
        local = Invocation(replace(invocation.settings, MODEL_ID=str(tmp_path / "model")), invocation.folders)
        before = fingerprint.fingerprint(local, 1)["learned"]
        assert before["base model model.safetensors"] == "5 bytes, SHA-256 5994471abb01112a"
        weights.write_bytes(b"54321")
        lines = fingerprint.differences(before, fingerprint.fingerprint(local, 1)["learned"])
        assert len(lines) == 1
        assert lines[0].startswith(
            "base model model.safetensors was 5 bytes, SHA-256 5994471abb01112a there and is 5 bytes"
        )

    def test_the_files_below_a_local_model_count_too(self, invocation: Invocation, tmp_path: Path) -> None:
        model, elsewhere = tmp_path / "model", tmp_path / "elsewhere"
        elsewhere.mkdir()
        local = Invocation(replace(invocation.settings, MODEL_ID=str(model)), invocation.folders)
        files = [model / "w/a.safetensors", model / "additional_chat_templates/default.jinja", elsewhere / "a.bin"]
        for path in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("one")
        (model / "linked").symlink_to(elsewhere)
        (model / "w/back").symlink_to(model)
        (model / ".git").mkdir()
        (model / "pipe").mkdir()
        os.mkfifo(model / "pipe/pipe")
        before = fingerprint.fingerprint(local, 1)["learned"]
        for path in (*files, model / ".git/index"):
            path.write_text("two")
        lines = fingerprint.differences(before, fingerprint.fingerprint(local, 1)["learned"])
        assert [line.partition(" was ")[0] for line in lines] == [
            "base model additional_chat_templates/default.jinja",
            "base model linked/a.bin",
            "base model w/a.safetensors",
        ]

    def test_of_a_large_file_blocks_from_the_first_byte_to_the_last_count(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fingerprint, "WHOLE_BYTES", 1000)
        monkeypatch.setattr(fingerprint, "BLOCK_BYTES", 2)
        path = tmp_path / "model.safetensors"

        def seen(place: int) -> bool:
            path.write_bytes(bytes(2000))
            before = fingerprint.sampled_digest(path)
            path.write_bytes(bytes(place) + b"x" + bytes(1999 - place))
            return fingerprint.sampled_digest(path) != before

        places = [place for place in range(2000) if seen(place)]
        assert len(places) == 2 * fingerprint.BLOCKS
        assert {0, 1, 1998, 1999} <= set(places)
        assert max(b - a for a, b in pairwise(places)) <= 32
