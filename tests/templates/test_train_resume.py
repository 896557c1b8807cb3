"""Real runs that start in a folder with checkpoints: of this run, of another one, damaged, cut off."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import checkpoints
import folder_lock
import manifest
import pytest
from settings import Folders
from training_bench import TEMPLATES, run

SETTINGS = {
    "MODEL_ID": "Qwen/Qwen2.5-7B-Instruct",
    "METHOD": "lora",
    "LEARNING_RATE": "5e-3",
    "PER_DEVICE_BATCH_SIZE": "2",
    "MAX_LENGTH": "256",
    "LORA_DROPOUT": "0.0",
    "MAX_STEPS": "4",
    "SAVE_STEPS": "1",
}
Job = Callable[..., str]


def conversations(count: int, word: str = "plus") -> list[list[dict[str, str]]]:
    return [
        [
            {"role": "user", "content": f"What is {number} {word} {number}?"},
            {"role": "assistant", "content": f"It is {2 * number}."},
        ]
        for number in range(count)
    ]


def steps(output: str) -> list[int]:
    return [int(step) for step in re.findall(r"step=(\d+) loss", output)]


def losses(output: str) -> list[str]:
    return re.findall(r" loss=(\S+)", output)


def result(bench: Any) -> bytes:
    return bytes((bench.folder / "model/adapter_model.safetensors").read_bytes())


def test_another_runs_checkpoints_are_refused_before_anything_is_trained(
    bench: Any, job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import train

    bench.write(SETTINGS, conversations(20))
    job("--MAX_STEPS", "1")
    (bench.folder / "model/adapter_model.safetensors").unlink()
    monkeypatch.setattr("job.run", lambda *_: pytest.fail("the job was begun"))

    def refused(*more: str) -> str:
        assert train.main([*bench.arguments, "--MAX_STEPS", "1", *more]) == 2
        return capsys.readouterr().err

    assert "LEARNING_RATE was 0.005 there and is 0.0001 here" in refused("--LEARNING_RATE", "1e-4")
    assert "LORA_R was 16 there and is 8 here" in refused("--LORA_R", "8")
    assert "TARGET_MODULES was all-linear there and is ['q_proj'] here" in refused("--TARGET_MODULES", '["q_proj"]')
    assert "effective batch was 2 there and is 4 here" in refused("--GRADIENT_ACCUMULATION_STEPS", "2")
    bench.write(SETTINGS, conversations(20, word="and"))
    text = refused()
    assert re.search(
        r"training data data.jsonl was \d+ bytes, SHA-256 \w+ there and is \d+ bytes, SHA-256 \w+ here", text
    )
    assert f"use another checkpoint folder than {bench.folder}/checkpoints, or restore" in text
    assert not (bench.folder / "model/adapter_model.safetensors").exists()


def test_damaged_checkpoints_are_passed_over_and_the_result_is_the_same(bench: Any, job: Job) -> None:
    """The optimizer's states are those of the checkpoint, else the losses would differ."""
    bench.write(SETTINGS | {"SAVE_TOTAL_LIMIT": "9", "LORA_DROPOUT": "0.1"}, conversations(20))
    unbroken, finished = losses(job()), result(bench)
    folder = bench.folder / "checkpoints"
    (folder / "checkpoint-4/optimizer.pt").unlink()
    (folder / "checkpoint-3/trainer_state.json").write_bytes(b"")
    (folder / "checkpoint-2").rename(folder / "checkpoint-tmp")
    output = job()
    assert "hbspec: checkpoint-4 is damaged and is passed over: optimizer.pt is missing" in output
    assert "hbspec: checkpoint-3 is damaged and is passed over: trainer_state.json has 0 bytes" in output
    assert "hbspec: checkpoint-tmp is not a checkpoint's name" in output
    assert f"hbspec: resumes from {folder}/checkpoint-1" in output
    assert losses(output) == unbroken[1:]
    assert result(bench) == finished
    assert all(manifest.damage(folder / f"checkpoint-{step}") is None for step in (1, 2, 3, 4))
    for step in (1, 2, 3, 4):
        (folder / f"checkpoint-{step}" / manifest.MANIFEST).unlink()
    output = job()
    assert "hbspec: WARNING none of the 4 checkpoints" in output
    assert losses(output) == unbroken
    assert result(bench) == finished


class CutOff(BaseException):
    """What a kill is to the process: nothing after it runs."""


@pytest.mark.one_in(3)
@pytest.mark.parametrize("where", ["super", "contents", "write_manifest", "superfluous", "delete"])
def test_wherever_a_save_is_cut_off_a_whole_checkpoint_is_left(
    bench: Any, job: Job, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    from trl import SFTTrainer

    bench.write(SETTINGS | {"SAVE_TOTAL_LIMIT": "1", "MAX_STEPS": "3"}, conversations(20))
    folder = bench.folder / "checkpoints"

    def cut(*arguments: Any) -> Any:
        if (folder / "checkpoint-2").exists():
            raise CutOff
        return whole(*arguments)

    place, name = {
        "super": (SFTTrainer, "_save_optimizer_and_scheduler"),
        "delete": (manifest, "remove"),
        "superfluous": (checkpoints, "superfluous"),
    }.get(where, (manifest, where))
    whole = getattr(place, name)
    with monkeypatch.context() as patched:
        patched.setattr(place, name, cut)
        with pytest.raises(CutOff):
            job()
    assert any(manifest.damage(path) is None for path in folder.glob("checkpoint-*"))
    output = job()
    assert "resumes from" in output
    assert steps(output)[-1] == 3
    assert [path.name for path in folder.glob("checkpoint-*")] == ["checkpoint-3"]


def test_intervals_of_this_start_hold_and_are_noted(bench: Any, job: Job) -> None:
    bench.write(SETTINGS | {"LR_SCHEDULER_TYPE": "constant"}, conversations(20))
    job("--MAX_STEPS", "2", "--SAVE_STEPS", "2")
    output = job("--MAX_STEPS", "6", "--SAVE_STEPS", "3")
    assert "hbspec: SAVE_STEPS was 2 there and is 3 here; what is learned is the same" in output
    assert "hbspec: MAX_STEPS was 2 there and is 6 here; what is learned is the same" in output
    assert steps(output) == [3, 4, 5, 6]
    assert bench.record["checkpoints"] == ["checkpoint-3", "checkpoint-6"]


def test_a_run_over_more_epochs_goes_on_and_one_over_fewer_is_refused(
    bench: Any, job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    import train

    settings = {name: value for name, value in SETTINGS.items() if name != "MAX_STEPS"}
    bench.write(settings | {"LR_SCHEDULER_TYPE": "constant"}, conversations(4))
    job("--NUM_TRAIN_EPOCHS", "1")
    assert steps(job("--NUM_TRAIN_EPOCHS", "2")) == [3, 4]
    assert train.main([*bench.arguments, "--NUM_TRAIN_EPOCHS", "1"]) == 2
    assert "checkpoint-4 is past the 2 updates to train" in capsys.readouterr().err


def test_data_that_were_corrected_and_keep_their_size_are_other_data(
    bench: Any, job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    import train

    bench.write(SETTINGS | {"MAX_STEPS": "1"}, conversations(20, word="plus"))
    job()
    bench.write(SETTINGS | {"MAX_STEPS": "1"}, conversations(20, word="less"))
    assert train.main(bench.arguments) == 2
    assert re.search(r"data.jsonl was (\d+ bytes), SHA-256 \w+ there and is \1", capsys.readouterr().err)


def test_an_adapter_does_not_go_on_on_another_base(bench: Any, job: Job) -> None:
    """Other weights of the same size in the place of a local base model."""
    bench.write(SETTINGS | {"PARALLELISM": "single", "MAX_STEPS": "2"}, conversations(20))
    job()
    base = (bench.folder / "output/tiny-model").rename(bench.folder / "base")
    at = bench.arguments.index("--model-config")
    folders = {"--checkpoint-dir": "others", "--model-dir": "adapter", "--output-data-dir": "records"}
    places = {"--MODEL_ID": base, **{option: bench.folder / name for option, name in folders.items()}}
    real = [
        *bench.arguments[1:at],
        *bench.arguments[at + 2 :],
        *(str(word) for pair in places.items() for word in pair),
    ]
    command = [TEMPLATES / "train.py", *real]
    assert run(command).returncode == 0
    again = run(command)
    assert (again.returncode, "nothing is left to train" in again.stdout) == (0, True), again.stderr[-4000:]
    weights = bytearray((base / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (base / "model.safetensors").write_bytes(weights)
    refused = run(command)
    assert refused.returncode == 2
    assert re.search(r"base model model.safetensors was (\d+ bytes), SHA-256 \w+ there and is \1", refused.stderr)


def test_the_best_checkpoint_is_judged_where_the_folder_lies_now(bench: Any, job: Job) -> None:
    """A finished run's folder is copied elsewhere: the recorded path is gone, and then the best one is damaged."""
    diverging = {"METHOD": "full", "LEARNING_RATE": "0.5", "LR_SCHEDULER_TYPE": "constant", "MAX_STEPS": "3"}
    best_kept = {"EVAL_STEPS": "1", "SAVE_TOTAL_LIMIT": "9", "LOAD_BEST_MODEL_AT_END": "true"}
    bench.write(SETTINGS | diverging | best_kept, conversations(20), conversations(4, word="and"))
    job()
    elsewhere = bench.folder / "elsewhere"
    (bench.folder / "checkpoints").rename(elsewhere)
    state = json.loads((elsewhere / "checkpoint-3/trainer_state.json").read_text())
    evaluated = {entry["step"]: entry["eval_loss"] for entry in state["log_history"] if "eval_loss" in entry}
    first, second, _ = sorted(evaluated, key=lambda step: evaluated[step])
    assert first != 3, "else the newest would be damaged, and trained again"
    assert weights(bench.folder / "model") == weights(elsewhere / f"checkpoint-{first}")

    job("--checkpoint-dir", str(elsewhere))
    assert weights(bench.folder / "model") == weights(elsewhere / f"checkpoint-{first}")

    (elsewhere / f"checkpoint-{first}/optimizer.pt").write_bytes(b"")
    output = job("--checkpoint-dir", str(elsewhere))
    assert f"hbspec: WARNING the best checkpoint, checkpoint-{first}, is passed over: optimizer.pt has 0" in output
    assert weights(bench.folder / "model") == weights(elsewhere / f"checkpoint-{second}")


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


OPTIONS = {"--checkpoint-dir": "checkpoints", "--model-dir": "model", "--output-data-dir": "output"}


@pytest.mark.parametrize("shared", OPTIONS)
def test_two_runs_never_write_into_one_folder_at_once(
    bench: Any, job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shared: str
) -> None:
    import train

    bench.write(SETTINGS, conversations(20))
    folder = bench.folder / OPTIONS[shared]
    others = [word for name in OPTIONS if name != shared for word in (name, str(bench.folder / "second" / name))]

    def second(*_: Any) -> int:
        monkeypatch.setattr("job.run", lambda *_: pytest.fail("the second run was begun"))
        return train.main([*bench.arguments, *others, "--SEED", "7"])

    monkeypatch.setattr("job.run", second)
    assert train.main(bench.arguments) == 2
    assert f"another run writes into {shared} {folder} now: pass another {shared}" in capsys.readouterr().err
    monkeypatch.undo()
    job("--MAX_STEPS", "1")


@pytest.mark.parametrize("left", [{"RANK": "1"}, {"RANK": "3", "WORLD_SIZE": "1"}])
def test_a_run_of_one_process_keeps_others_out_whatever_rank_the_environment_says(
    bench: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], left: dict[str, str]
) -> None:
    """As a cluster's launcher or a shell leaves it: two such runs in one folder deleted each other's saves."""
    import train

    bench.write(SETTINGS, conversations(20))
    for name, value in left.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("job.run", lambda *_: pytest.fail("the second run was begun"))
    folder = bench.folder / "checkpoints"
    with folder_lock.alone_in(Folders(checkpoint_dir=folder, model_dir=folder, output_data_dir=folder)):
        assert train.main(bench.arguments) == 2
    assert f"another run writes into --checkpoint-dir {folder} now" in capsys.readouterr().err


@pytest.mark.parametrize(("local", "says"), [({"LOCAL_RANK": "0"}, True), ({}, True), ({"LOCAL_RANK": "1"}, False)])
def test_each_host_says_once_why_it_refuses_what_lies_on_it(
    bench: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], local: dict[str, str], says: bool
) -> None:
    """Rank 0 of another host may have nothing to refuse, and the log would not say why the job ended."""
    import train

    for name, value in {"RANK": "41", "WORLD_SIZE": "80", **local}.items():
        monkeypatch.setenv(name, value)
    bench.write(SETTINGS, [])
    assert train.main(bench.arguments) == 2
    assert ("train.py: " in capsys.readouterr().err) == says


def test_what_a_killed_run_held_is_free_again(bench: Any, job: Job) -> None:
    """The kernel lets go of the lock, however the process ended."""
    bench.write(SETTINGS, conversations(20))
    folder = bench.folder / "checkpoints"
    held = f"import os, sys; sys.path.insert(0, {str(TEMPLATES)!r}); import folder_lock, pathlib\n"
    held += f"import settings; one = pathlib.Path({str(folder)!r})\n"
    held += "folders = settings.Folders(checkpoint_dir=one, model_dir=one, output_data_dir=one)\n"
    held += "with folder_lock.alone_in(folders): os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", held], check=False).returncode == -signal.SIGKILL
    with folder_lock.alone_in(Folders(checkpoint_dir=folder, model_dir=folder, output_data_dir=folder)):
        pass


@pytest.mark.parametrize("when", ["rehearse_epoch", "_load_optimizer_and_scheduler"])
def test_a_checkpoint_that_is_replaced_after_it_was_checked_is_not_trained_on(
    bench: Any, job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], when: str
) -> None:
    """While the model is loaded, or between the weights and the optimizer's states."""
    import train
    import trainers

    bench.write(SETTINGS | {"LR_SCHEDULER_TYPE": "constant", "MAX_STEPS": "1"}, conversations(20))
    job()
    path = bench.folder / "checkpoints/checkpoint-1/adapter_model.safetensors"
    original, content = getattr(trainers.of("sft"), when), bytearray(path.read_bytes())
    content[-1] ^= 1

    def replace(*arguments: Any) -> Any:
        path.write_bytes(content)
        return original(*arguments)

    monkeypatch.setattr(trainers.of("sft"), when, replace)
    assert train.main([*bench.arguments, "--MAX_STEPS", "2"]) == 2
    printed = capsys.readouterr()
    assert "checkpoint-1 was changed after this run had checked it (adapter_model.safetensors" in printed.err
    assert steps(printed.out) == []
    assert not (bench.folder / "checkpoints/checkpoint-2").exists()
