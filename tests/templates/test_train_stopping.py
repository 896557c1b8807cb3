"""A run that is told to stop: after the current micro-batch, with a checkpoint that goes on as if nothing had been."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from training_bench import TEMPLATES, Bench, losses, preloaded, run, sums

SMALL = {
    "MODEL_ID": "Qwen/Qwen2.5-7B-Instruct",
    "METHOD": "lora",
    "LEARNING_RATE": "5e-3",
    "PER_DEVICE_BATCH_SIZE": "2",
    "GRADIENT_ACCUMULATION_STEPS": "4",
    "MAX_LENGTH": "256",
    "LORA_DROPOUT": "0.3",
    "MAX_STEPS": "6",
    "SAVE_STEPS": "100",
}
"""Much dropout, so that other random numbers make another loss; 24 examples make three updates an epoch."""
ADAPTER = "adapter_model.safetensors"
Job = Callable[..., str]
Hear = Callable[[str, int], list[int]]


@pytest.fixture
def hear(monkeypatch: pytest.MonkeyPatch) -> Hear:
    """SIGTERM within the n-th call of a method of the trainer, once; gives a list that grows with every call."""

    def hear(method: str, when: int) -> list[int]:
        import trainers

        original, calls = getattr(trainers.of("sft"), method), []

        def heard(self: Any, *arguments: Any, **named: Any) -> Any:
            calls.append(self.state.global_step)
            if len(calls) == when:
                signal.raise_signal(signal.SIGTERM)
            return original(self, *arguments, **named)

        monkeypatch.setattr(trainers.of("sft"), method, heard)
        return calls

    return hear


def steps(output: str) -> list[int]:
    return [int(step) for step in re.findall(r"step=(\d+) loss", output)]


def kept(bench: Bench) -> list[str]:
    return sorted(path.name for path in (bench.folder / "checkpoints").glob("checkpoint-*"))


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("micro_batch", "finished"),
    [(10, 2), (12, 3), (14, 3)],
    ids=["within an update", "at its end", "within the first update of an epoch"],
)
def test_a_stopped_run_goes_on_as_if_nothing_had_been(
    bench: Bench, job: Job, hear: Hear, micro_batch: int, finished: int
) -> None:
    bench.write(SMALL, sums(24))
    whole = losses(job())
    unbroken = (bench.folder / "model" / ADAPTER).read_bytes()
    (bench.folder / "checkpoints").rename(bench.folder / "away")

    calls = hear("training_step", micro_batch)
    first = job()
    assert len(calls) == micro_batch, "the current micro-batch is the last"
    assert bench.record["stopped_by"] == "SIGTERM"
    assert f"stopped by SIGTERM after update {finished}; a new start resumes there" in first
    assert kept(bench) == [f"checkpoint-{finished}"]

    second = job()
    assert bench.record["resumed_from_step"] == finished
    assert steps(first) + steps(second) == [1, 2, 3, 4, 5, 6]
    assert losses(first) + losses(second) == whole
    assert (bench.folder / "model" / ADAPTER).read_bytes() == unbroken


def test_before_the_first_update_ends_there_is_nothing_to_save(bench: Bench, job: Job, hear: Hear) -> None:
    bench.write(SMALL, sums(24))
    hear("training_step", 2)
    assert "stopped by SIGTERM before the first update ended: nothing is saved" in job()
    assert kept(bench) == []
    assert not any((bench.folder / "model").iterdir())


def test_a_checkpoint_that_is_there_is_not_written_again(bench: Bench, job: Job, hear: Hear) -> None:
    """To write the only checkpoint once more could only damage it."""
    bench.write(SMALL, sums(24))
    calls = hear("training_step", 10)
    job()

    def written() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in (bench.folder / "checkpoints/checkpoint-2").iterdir()}

    before = written()
    hear("training_step", 2)
    job()
    assert len(calls) == 12
    assert (bench.record["last_step"], bench.record["updates"]) == (2, 2), "what the first start counted is kept"
    assert bench.record["stopped_by"] == "SIGTERM"
    assert written() == before


TWICE = """
import os, signal, sys
sys.path.insert(0, {templates!r})
import train, trainers
original, calls = trainers.of("sft").training_step, []
def step(self, *arguments, **named):
    calls.append(1)
    if len(calls) == 6:
        for _ in range({times}):
            os.kill(os.getpid(), signal.SIGINT)
    return original(self, *arguments, **named)
trainers.of("sft").training_step = step
sys.exit(train.main(sys.argv[1:]))
"""


@pytest.mark.parametrize(("times", "code"), [(1, 0), (2, -signal.SIGINT)])
def test_ctrl_c_saves_the_last_update_and_a_second_one_ends_at_once(bench: Bench, times: int, code: int) -> None:
    bench.write(SMALL, sums(24))
    driver = bench.folder / "interrupted.py"
    driver.write_text(TWICE.format(templates=str(TEMPLATES), times=times))
    done = run([driver, *bench.arguments])
    assert done.returncode == code, done.stderr
    assert ("stopped by SIGINT after update 1; a new start resumes there" in done.stdout) == (times == 1)
    assert kept(bench) == (["checkpoint-1"] if times == 1 else [])
    if times == 1:
        assert bench.record["stopped_by"] == "SIGINT"


def test_an_evaluation_is_not_waited_for(bench: Bench, job: Job, hear: Hear) -> None:
    evaluated = {"EVAL_STEPS": "2", "SAVE_STEPS": "4", "LOAD_BEST_MODEL_AT_END": "true", "SAVE_TOTAL_LIMIT": "1"}
    bench.write(SMALL | evaluated, sums(24), sums(16, seed=9))
    calls = hear("prediction_step", 3)
    output = job()
    assert len(calls) == 3, "of eight batches"
    assert "eval_loss" not in output
    assert "stopped by SIGTERM after update 2" in output
    assert kept(bench) == ["checkpoint-2"]
    assert json.loads((bench.folder / "checkpoints/checkpoint-2/trainer_state.json").read_text())["best_metric"] in (
        None,
        float("inf"),
    )


def test_the_only_checkpoint_that_is_kept_is_not_only_the_best(
    bench: Bench, job: Job, hear: Hear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trainer deletes the last checkpoint at its end where it keeps one, and that is not the best."""
    import trainers

    worse = property(lambda self: lambda **_: {"eval_loss": float(self.state.global_step)})
    monkeypatch.setattr(trainers.of("sft"), "evaluate", worse)
    limits = {"EVAL_STEPS": "1", "SAVE_STEPS": "1", "LOAD_BEST_MODEL_AT_END": "true", "SAVE_TOTAL_LIMIT": "1"}
    bench.write(SMALL | limits, sums(24), sums(4, seed=9))
    hear("training_step", 9)
    job()
    state = json.loads((bench.folder / "checkpoints/checkpoint-2/trainer_state.json").read_text())
    assert state["best_global_step"] == 1
    assert kept(bench) == ["checkpoint-1", "checkpoint-2"]


def test_a_stop_in_the_last_evaluation_leaves_nothing_that_looks_finished(bench: Bench, job: Job, hear: Hear) -> None:
    bench.write(SMALL, sums(24), sums(16, seed=9))
    calls = hear("prediction_step", 2)
    output = job()
    assert len(calls) == 2
    assert "stopped by SIGTERM after update 6" in output
    assert not any((bench.folder / "model").iterdir())
    job()
    assert bench.record["stopped_by"] is None
    assert (bench.folder / "model" / ADAPTER).is_file()


ONE_HEARS = """
import os, signal, sys, time
sys.path.insert(0, {templates!r})
import stopping, trainers
from train import main

step, hear, calls, heard = trainers.of("sft").training_step, stopping.Stop._hear, [], []

def stopped(self, *arguments, **named):
    calls.append(None)
    if os.environ["RANK"] == "1" and len(calls) == 6:
        os.kill(os.getppid(), signal.SIGTERM)
        while not heard:
            time.sleep(0.01)
    return step(self, *arguments, **named)

def heard_by_rank_1(self, number, frame):
    heard.append(number)
    if os.environ["RANK"] == "1":
        hear(self, number, frame)

trainers.of("sft").training_step, stopping.Stop._hear = stopped, heard_by_rank_1
sys.exit(main(sys.argv[1:]))
"""
"""The launcher gets SIGTERM, as a container's first process does, and rank 0 is late to hear of it."""


@pytest.mark.long
def test_two_ranks_stop_at_the_same_micro_batch_and_go_on_under_torchrun(bench: Bench) -> None:
    bench.write(SMALL | {"PARALLELISM": "ddp", "MAX_STEPS": "3", "PER_DEVICE_BATCH_SIZE": "1"}, sums(24))
    whole = losses(bench.run(ranks=2))
    unbroken = (bench.folder / "model" / ADAPTER).read_bytes()
    (bench.folder / "checkpoints").rename(bench.folder / "away")

    driver = bench.folder / "one_hears.py"
    driver.write_text(ONE_HEARS.format(templates=str(TEMPLATES)))
    command = [sys.executable, TEMPLATES / "launcher.py", "--nproc_per_node", "2", driver, *bench.arguments]
    first = subprocess.run(command, capture_output=True, text=True, env=bench.environment)
    assert first.returncode == 0, first.stderr[-4000:]
    assert "SIGTERM: ranks have 115 s to save and end" in first.stderr
    assert (bench.record["stopped_by"], bench.record["ranks"]) == ("SIGTERM", 2)
    assert "stopped by SIGTERM after update 1" in first.stdout
    assert kept(bench) == ["checkpoint-1"]

    done = subprocess.run(bench.command(ranks=2), capture_output=True, text=True, env=bench.environment)
    assert done.returncode == 0, done.stderr[-4000:]
    second = done.stdout
    assert losses(first.stdout) + losses(second) == whole
    assert (bench.folder / "model" / ADAPTER).read_bytes() == unbroken


STOPPED_WHILE_READING = """
import os, signal, sys
sys.path.insert(0, {templates!r})
import train
def read(*_):
    os.kill(os.getpid(), signal.{name})
    signal.pause()
train.read_conversations = read
sys.exit(train.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_before_training_ends_the_job_well(bench: Bench, name: str) -> None:
    bench.write(SMALL, sums(24))
    driver = bench.folder / "stopped.py"
    driver.write_text(STOPPED_WHILE_READING.format(templates=str(TEMPLATES), name=name))
    command = [preloaded().python, driver, *bench.arguments]
    job = subprocess.run(command, capture_output=True, text=True, env=bench.environment, timeout=300)
    assert (job.returncode, job.stdout) == (0, f"hbspec: stopped by {name} before training began\n")


@pytest.mark.parametrize("stdout", ["closed", "unread"])
def test_a_signal_before_training_ends_the_job_well_when_nobody_reads_its_log(bench: Bench, stdout: str) -> None:
    bench.write(SMALL, sums(24))
    driver = bench.folder / "stopped.py"
    driver.write_text(STOPPED_WHILE_READING.format(templates=str(TEMPLATES), name="SIGTERM"))
    reader, writer = os.pipe()
    os.close(reader)
    redirected = ["bash", "-c", 'exec "$@" >&-', "bash"] if stdout == "closed" else []
    command = [*redirected, sys.executable, driver, *bench.arguments]
    job = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, env=bench.environment, timeout=300)
    os.close(writer)
    assert (job.returncode, job.stderr) == (0, b"")


def test_a_signal_while_the_script_is_imported_ends_the_job_well(bench: Bench) -> None:
    copy = bench.folder / "source"
    shutil.copytree(TEMPLATES, copy)
    (copy / "checkpoints.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGTERM); signal.pause()")
    job = subprocess.run([sys.executable, copy / "train.py"], capture_output=True, text=True, timeout=300)
    assert (job.returncode, job.stdout) == (0, "hbspec: stopped by SIGTERM before training began\n")


LATE_SIGNAL = """
import os
class Late:
    def __del__(self, kill=os.kill, process=os.getpid()):
        kill(process, 15)
late = Late()
"""
"""The interpreter deletes it when it has put away all handlers of signals."""


@pytest.mark.long
def test_a_signal_when_all_is_written_changes_nothing(bench: Bench) -> None:
    bench.write(SMALL | {"MAX_STEPS": "1"}, sums(24))
    (bench.folder / "sitecustomize.py").write_text(LATE_SIGNAL)
    environment = bench.environment | {"PYTHONPATH": str(bench.folder)}
    job = subprocess.run(bench.command(), capture_output=True, text=True, env=environment)
    assert job.returncode == 0, job.stderr[-4000:]
    assert bench.record["stopped_by"] is None
    assert (bench.folder / "model" / ADAPTER).is_file()


ONE_IS_LATE = """
import os, signal, sys, time
sys.path.insert(0, {templates!r})
import job
from train import main

def keep(*arguments):
    if os.environ["RANK"] == "1":
        time.sleep(2)
        os.kill(os.getppid(), signal.SIGTERM)
        time.sleep(2)
    return whole(*arguments)

whole, job.keep_trainable_dtype = job.keep_trainable_dtype, keep
sys.exit(main(sys.argv[1:]))
"""
"""Rank 0 has its trainer and would train, and rank 1 leaves while it still makes its own."""


@pytest.mark.long
def test_a_rank_that_is_ready_to_train_does_not_fail_when_another_leaves(bench: Bench) -> None:
    import accelerate  # noqa: F401 - what is started imports it

    bench.write(SMALL | {"PARALLELISM": "ddp", "MAX_STEPS": "3"}, sums(24))
    driver = bench.folder / "one_is_late.py"
    driver.write_text(ONE_IS_LATE.format(templates=str(TEMPLATES)))
    command = [sys.executable, TEMPLATES / "launcher.py", "--nproc_per_node", "2", driver, *bench.arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=bench.environment, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "stopped by SIGTERM before training began" in done.stdout
