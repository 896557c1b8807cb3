"""Real runs in folders that somebody moves, or that hold what somebody has put there."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import folder_lock
import pytest
from settings import Folders
from training_bench import Bench, sums

SETTINGS = {
    "MODEL_ID": "Qwen/Qwen2.5-7B-Instruct",
    "METHOD": "lora",
    "LEARNING_RATE": "5e-3",
    "PER_DEVICE_BATCH_SIZE": "2",
    "MAX_LENGTH": "256",
    "MAX_STEPS": "4",
    "SAVE_STEPS": "2",
    "SAVE_TOTAL_LIMIT": "1",
}
Job = Callable[..., str]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def at_update(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], object]) -> None:
    """Does something once, at the first micro-batch after so many updates."""
    import trainers

    original = trainers.of("sft").training_step
    left = [act]

    def step(self: Any, *arguments: Any, **named: Any) -> Any:
        if self.state.global_step == number and left:
            left.pop()()
        return original(self, *arguments, **named)

    monkeypatch.setattr(trainers.of("sft"), "training_step", step)


@pytest.mark.parametrize("name", ["checkpoints", "model", "output"])
def test_a_folder_that_is_moved_while_a_run_trains_ends_it(
    bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    import train

    bench.write(SETTINGS, sums(20))
    folder, moved = bench.folder / name, bench.folder / "moved"

    def move() -> None:
        folder.rename(moved)
        shutil.copytree(moved, folder)
        (folder / "theirs").write_text("another run's")

    at_update(monkeypatch, 3, move)
    assert train.main(bench.arguments) == 2
    option = {"checkpoints": "--checkpoint-dir", "model": "--model-dir", "output": "--output-data-dir"}[name]
    assert f"{option} {folder} is not the folder any more that this run began in" in capsys.readouterr().err
    assert {**tree(moved), "theirs": b"another run's"} == tree(folder)


def test_what_is_held_is_asked_of_the_folder_and_not_of_its_name(tmp_path: Path) -> None:
    one, link = tmp_path / "one", tmp_path / "link"
    one.mkdir()
    link.symlink_to(one)
    with folder_lock.alone_in(Folders(checkpoint_dir=link, model_dir=one, output_data_dir=one)) as held:
        assert held.moved() == []
        one.rename(tmp_path / "two")
        assert len(held.moved()) == 1
        link.unlink()
        link.symlink_to(tmp_path / "two")
        (tmp_path / "two").rename(one)
        assert held.moved() == [] or "link" in held.moved()[0]
    assert folder_lock.Held().moved() == []


def test_a_record_and_a_base_that_a_run_has_not_written_are_refused_by_their_names(
    bench: Bench, job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")  # whose version is part of the record
    import train

    bench.write(SETTINGS, sums(20))
    output = bench.folder / "output"
    (output / "tiny-model").mkdir(parents=True)
    (output / "run.json").write_text('{"mine": 1}')
    (output / "tiny-model/model.safetensors").write_text("my weights")
    before = tree(output)
    assert train.main(bench.arguments) == 2
    said = capsys.readouterr().err
    assert f"{output}/run.json does not say that this run wrote it: move it away" in said
    assert f"--output-data-dir {output}/tiny-model holds files that this run has not written" in said
    assert "(model.safetensors)" in said
    assert tree(output) == before

    shutil.rmtree(output)
    job("--MAX_STEPS", "1")
    for name in ("checkpoints", "model"):
        shutil.rmtree(bench.folder / name)
    before = tree(output)
    assert train.main([*bench.arguments, "--MAX_STEPS", "1", "--LORA_R", "8"]) == 2
    said = capsys.readouterr().err
    assert f"{output}/run.json was written by another run" in said
    assert "LORA_R was 16 there and is 8 here" in said
    assert tree(output) == before


def test_a_finished_run_that_starts_again_keeps_what_was_counted(bench: Bench, job: Job) -> None:
    bench.write(SETTINGS, sums(20))
    job()
    counted = bench.record
    assert counted["updates"] == 4
    assert "nothing is left to train" in job()
    assert bench.record == counted
    assert [path.name for path in (bench.folder / "output").iterdir() if path.name.startswith(".")] == []


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was flushed, and what then was given its name or removed, in order."""
    said: list[str] = []
    fsync, replace, rmdir = os.fsync, os.replace, os.rmdir

    def record(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(what: Any, *rest: Any, **named: Any) -> Any:
            path = (
                Path(f"/proc/self/fd/{what}").readlink()
                if isinstance(what, int)
                else os.fspath(rest[0] if rest else what)
            )
            said.append(f"{name} {path}")
            return call(what, *rest, **named)

        return run

    monkeypatch.setattr(os, "fsync", record("fsync", fsync))
    monkeypatch.setattr(os, "replace", record("name", replace))
    monkeypatch.setattr(os, "rmdir", record("remove", rmdir))
    return said


def test_all_of_a_checkpoint_is_on_the_disk_before_it_is_listed_and_an_older_one_deleted(
    bench: Bench, job: Job, synced: list[str]
) -> None:
    bench.write(SETTINGS, sums(20))
    job()
    folder, model = bench.folder / "checkpoints", bench.folder / "model"
    listed = json.loads((folder / "checkpoint-4/hbspec.json").read_text())["files"]
    written = synced.index(f"name {folder}/checkpoint-4/hbspec.json")
    assert {f"fsync {folder}/checkpoint-4/{name}" for name in listed} <= set(synced[:written])
    assert {f"fsync {folder}/checkpoint-4", f"fsync {folder}"} <= set(synced[:written])
    removed = next(at for at, line in enumerate(synced) if line.startswith("remove") and "checkpoint-2" in line)
    assert f"fsync {folder}/checkpoint-4" in synced[written:removed]
    assert synced[written - 1] == f"fsync {folder}/checkpoint-4/.hbspec.json.0.tmp"

    names = json.loads((model / "hbspec-model.json").read_text())["files"]
    delivered = synced.index(f"name {model}/hbspec-model.json")
    begun = f"fsync {model}/.hbspec"
    flushed = {line.removeprefix(begun).partition("/")[2] for line in synced[:delivered] if line.startswith(begun)}
    assert set(names) <= flushed
    assert f"fsync {model}" in synced[delivered:]


@pytest.mark.parametrize("left", ["hbspec.json", "trainer_state.json", ".hbspec-begun-0123"])
def test_a_checkpoint_is_no_folder_of_checkpoints(
    bench: Bench, job: Job, capsys: pytest.CaptureFixture[str], left: str
) -> None:
    """Whoever names one means to go on from it, and would start at the first update and write into it."""
    import train

    bench.write(SETTINGS, sums(20))
    folder = bench.folder / "checkpoints"
    checkpoint = folder / "checkpoint-4"
    checkpoint.mkdir(parents=True)
    (checkpoint / left).write_text("{}")
    assert train.main([*bench.arguments, "--checkpoint-dir", str(checkpoint)]) == 2
    said = capsys.readouterr().err
    assert f"--checkpoint-dir {checkpoint} is itself a checkpoint" in said
    assert f"pass --checkpoint-dir {folder}\n" in said
    assert [path.name for path in checkpoint.iterdir()] == [left]


def test_a_run_that_lost_its_folder_before_it_trains_writes_nothing_into_anothers(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import train
    import trainers

    bench.write(SETTINGS, sums(20))
    folder = bench.folder / "checkpoints"
    rehearse = trainers.of("sft").rehearse_epoch

    def moved(self: Any) -> Any:
        folder.rename(bench.folder / "away")
        folder.mkdir()
        (folder / "hbspec-run.json").write_text("another run's")
        return rehearse(self)

    monkeypatch.setattr(trainers.of("sft"), "rehearse_epoch", moved)
    assert train.main(bench.arguments) == 2
    assert f"--checkpoint-dir {folder} is not the folder any more" in capsys.readouterr().err
    assert tree(folder) == {"hbspec-run.json": b"another run's"}


def test_a_run_that_is_stopped_after_it_lost_its_folder_writes_no_record_into_anothers(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import train

    bench.write(SETTINGS | {"GRADIENT_ACCUMULATION_STEPS": "2"}, sums(20))
    folder = bench.folder / "output"

    def move() -> None:
        folder.rename(bench.folder / "away")
        folder.mkdir()
        signal.raise_signal(signal.SIGTERM)

    at_update(monkeypatch, 0, move)
    assert train.main(bench.arguments) == 2
    assert f"--output-data-dir {folder} is not the folder any more" in capsys.readouterr().err
    assert tree(folder) == {}
