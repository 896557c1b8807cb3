"""Real runs that start in a folder whose checkpoints hold what another run, or nobody, should have put there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import manifest
import pytest
from training_bench import Bench, sums

pytestmark = pytest.mark.long

SETTINGS = {
    "MODEL_ID": "Qwen/Qwen2.5-7B-Instruct",
    "METHOD": "lora",
    "LEARNING_RATE": "5e-3",
    "PER_DEVICE_BATCH_SIZE": "2",
    "MAX_LENGTH": "256",
    "LORA_DROPOUT": "0.1",
    "MAX_STEPS": "6",
    "SAVE_STEPS": "2",
}
Job = Callable[..., str]


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A checkpoint of another run, by its method."""
    found = {}
    for method in ("full", "lora"):
        bench = Bench(tmp_path_factory.mktemp(method))
        bench.write(SETTINGS | {"METHOD": method, "SEED": "7", "MAX_STEPS": "4", "SAVE_STEPS": "4"}, sums(20, seed=3))
        bench.run()
        found[method] = bench.folder / "checkpoints/checkpoint-4"
    return found


@pytest.fixture
def broken_off(bench: Bench, job: Job) -> bytes:
    """A run after checkpoint 4 of 6; the adapter that it would have delivered."""
    bench.write(SETTINGS, sums(20))
    job()
    whole = adapter(bench)
    shutil.rmtree(bench.folder / "checkpoints/checkpoint-6")
    shutil.rmtree(bench.folder / "model")
    return whole


def adapter(bench: Bench) -> bytes:
    return (bench.folder / "model/adapter_model.safetensors").read_bytes()


def forge(checkpoint: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = checkpoint / "hbspec.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_weights_that_another_run_left_in_a_checkpoint_are_not_gone_on_from(
    bench: Bench, job: Job, broken_off: bytes, others: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    import train

    older, newer = (bench.folder / f"checkpoints/checkpoint-{step}" for step in (2, 4))
    shutil.copy(others["full"] / "model.safetensors", newer)
    (older / "default").mkdir()
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        shutil.copy(others["lora"] / name, older / "default")
    before = {path: path.is_dir() or path.read_bytes() for path in newer.parent.rglob("*")}
    assert train.main(bench.arguments) == 2
    assert "checkpoint-4 is damaged (model.safetensors is not listed" in capsys.readouterr().err
    assert {path: path.is_dir() or path.read_bytes() for path in newer.parent.rglob("*")} == before
    shutil.rmtree(newer)
    assert train.main(bench.arguments) == 2
    assert "checkpoint-2 is damaged (default/adapter_" in capsys.readouterr().err
    shutil.rmtree(older / "default")
    job()
    assert adapter(bench) == broken_off


def test_what_a_user_has_put_into_checkpoints_stays_and_they_are_gone_on_from(
    bench: Bench, job: Job, broken_off: bytes
) -> None:
    checkpoint = bench.folder / "checkpoints/checkpoint-4"
    (checkpoint / "eval_results.json").write_text("an evaluation of a day")
    (checkpoint / ".ipynb_checkpoints").mkdir()
    output = job("--SAVE_TOTAL_LIMIT", "1", "--SAVE_STEPS", "1")
    assert f"resumes from {checkpoint}" in output
    said = "hbspec: checkpoint-4 holds what this script has not saved (.ipynb_checkpoints, eval_results.json), and is"
    assert output.count(said) == 1
    assert adapter(bench) == broken_off
    assert sorted(path.name for path in checkpoint.parent.glob("checkpoint-*")) == ["checkpoint-4", "checkpoint-6"]
    assert (checkpoint / "eval_results.json").read_text() == "an evaluation of a day"


def test_a_manifest_that_lists_too_little_or_says_nothing_of_its_run_is_not_gone_on_from(
    bench: Bench, job: Job, broken_off: bytes
) -> None:
    folder = bench.folder / "checkpoints"
    (folder / "checkpoint-4/optimizer.pt").unlink()
    forge(folder / "checkpoint-4", lambda content: content["files"].pop("optimizer.pt"))
    shutil.copytree(folder / "checkpoint-2", folder / "checkpoint-5")
    forge(folder / "checkpoint-5", lambda content: content.update(step=5))
    forge(folder / "checkpoint-5", lambda content: content["fingerprint"].update(learned=None))
    output = job()
    assert "checkpoint-4 is damaged and is passed over: optimizer.pt is missing" in output
    assert "checkpoint-5 is damaged and is passed over: its hbspec.json does not say which run wrote it" in output
    assert f"resumes from {folder}/checkpoint-2" in output
    assert adapter(bench) == broken_off


def test_a_checkpoint_under_a_forged_step_is_not_taken_for_the_last_update(
    bench: Bench, job: Job, broken_off: bytes
) -> None:
    folder = bench.folder / "checkpoints"
    (folder / "checkpoint-4").rename(folder / "checkpoint-6")
    forge(folder / "checkpoint-6", lambda content: content.update(step=6))
    output = job()
    assert "checkpoint-6 is damaged and is passed over: its trainer_state.json is of update 4" in output
    assert adapter(bench) == broken_off


def test_a_manifest_without_digests_is_not_trusted(bench: Bench, job: Job, broken_off: bytes) -> None:
    checkpoint = bench.folder / "checkpoints/checkpoint-4"
    forge(checkpoint, lambda content: [entry.pop("sha256") for entry in content["files"].values()])
    optimizer = bytearray((checkpoint / "optimizer.pt").read_bytes())
    middle = len(optimizer) // 2
    optimizer[middle : middle + 100] = bytes(100)
    (checkpoint / "optimizer.pt").write_bytes(optimizer)
    assert "has no SHA-256 digest in its hbspec.json" in job()
    assert adapter(bench) == broken_off


def test_a_manifest_that_cannot_be_read_ends_no_job(bench: Bench, job: Job, broken_off: bytes) -> None:
    folder = bench.folder / "checkpoints"
    (folder / "checkpoint-4/hbspec.json").write_text("[" * 200_000)
    forge(folder / "checkpoint-2", lambda content: content.pop("fingerprint"))
    output = job()
    assert "WARNING none of the 2 checkpoints" in output
    assert adapter(bench) == broken_off


def test_what_no_encoding_has_can_be_shown(bench: Bench) -> None:
    bench.write(SETTINGS, sums(20))
    bench.run("--MAX_STEPS", "2")
    forge(bench.folder / "checkpoints/checkpoint-2", lambda content: content.update(step="\ud800"))
    assert "it was saved as checkpoint-\\ud800" in bench.run("--MAX_STEPS", "2")


@pytest.mark.parametrize("target", ["a folder", "nothing"])
def test_a_save_never_follows_a_link(bench: Bench, job: Job, broken_off: bytes, target: str) -> None:
    elsewhere, link = bench.folder / "elsewhere", bench.folder / "checkpoints/checkpoint-6"
    if target == "a folder":
        elsewhere.mkdir()
        (elsewhere / "trainer_state.json").write_text("another's")
    link.symlink_to(elsewhere)
    job()
    assert not link.is_symlink()
    assert link.is_dir()
    assert adapter(bench) == broken_off
    if target == "a folder":
        assert [path.name for path in elsewhere.iterdir()] == ["trainer_state.json"]
        assert (elsewhere / "trainer_state.json").read_text() == "another's"
    else:
        assert not elsewhere.exists()


def test_a_folder_that_cannot_be_cleared_is_not_saved_into(
    bench: Bench, job: Job, broken_off: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = bench.folder / "checkpoints/checkpoint-6/stale"
    stale.mkdir(parents=True)
    mark = next((bench.folder / "checkpoints/checkpoint-4").glob(f"{manifest.BEGUN}*")).name
    (stale.parent / mark).touch()
    rmtree = shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda path, **named: path == stale or rmtree(path, **named))
    with pytest.raises(OSError, match="checkpoint-6/stale cannot be removed"):
        job()
    assert {path.name for path in stale.parent.iterdir()} == {"stale", mark}


def test_a_file_beside_the_checkpoints_is_not_written_over(bench: Bench, job: Job) -> None:
    bench.write(SETTINGS, sums(20))
    notes = bench.folder / "checkpoints/README.md"
    notes.parent.mkdir()
    notes.write_text("my notes")
    job("--MAX_STEPS", "2")
    assert notes.read_text() == "my notes"
    assert {path.name for path in notes.parent.iterdir()} == {"README.md", "checkpoint-2", "hbspec-run.json"}


def test_a_checkpoint_of_another_program_is_never_deleted(
    bench: Bench, job: Job, broken_off: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    import train

    foreign = bench.folder / "checkpoints/checkpoint-3"
    foreign.mkdir()
    (foreign / "precious.bin").write_text("precious")
    assert "hbspec: checkpoint-3 has no hbspec.json that says" in job("--SAVE_TOTAL_LIMIT", "1")
    assert adapter(bench) == broken_off
    assert sorted(path.name for path in foreign.parent.glob("checkpoint-*")) == ["checkpoint-3", "checkpoint-6"]
    shutil.rmtree(foreign.parent / "checkpoint-6")
    foreign.rename(foreign.parent / "checkpoint-6")
    bench.write(SETTINGS, sums(20))
    assert train.main(bench.arguments) == 2
    assert "precious" in (foreign.parent / "checkpoint-6/precious.bin").read_text()


def test_one_that_came_while_the_run_trains_ends_it(
    bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import train
    import trainers

    bench.write(SETTINGS, sums(20))
    foreign = bench.folder / "checkpoints/checkpoint-4"
    original = trainers.of("sft").training_step

    def step(self: Any, *arguments: Any, **named: Any) -> Any:
        foreign.mkdir(exist_ok=True)
        (foreign / "precious.bin").write_text("precious")
        return original(self, *arguments, **named)

    monkeypatch.setattr(trainers.of("sft"), "training_step", step)
    assert train.main(bench.arguments) == 2
    assert "checkpoint-4 was written by another run or program while this run trained" in capsys.readouterr().err
    assert [path.name for path in foreign.iterdir()] == ["precious.bin"]


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo], ids=["file", "pipe"])
def test_a_file_that_came_while_the_run_trains_is_never_deleted(
    bench: Bench,
    job: Job,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], None],
) -> None:
    import train
    import trainers

    bench.write(SETTINGS, sums(20))
    foreign = bench.folder / "checkpoints/checkpoint-4"
    original = trainers.of("sft").training_step

    def step(self: Any, *arguments: Any, **named: Any) -> Any:
        if not os.path.lexists(foreign):
            make(foreign)
        return original(self, *arguments, **named)

    monkeypatch.setattr(trainers.of("sft"), "training_step", step)
    assert train.main(bench.arguments) == 2
    assert "checkpoint-4 was written by another run or program while this run trained" in capsys.readouterr().err
    assert os.path.lexists(foreign)
    assert not foreign.is_dir()


def test_a_file_with_a_checkpoints_name_is_refused_at_once(
    bench: Bench, job: Job, broken_off: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    import train

    (bench.folder / "checkpoints/checkpoint-6").write_text("a file")
    assert train.main(bench.arguments) == 2
    assert "checkpoint-6 has a checkpoint's name and is not a folder: move it away" in capsys.readouterr().err
