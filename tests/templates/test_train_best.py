"""The best checkpoint: a stop does not keep one from being it, and only a whole one of the run is delivered as it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from training_bench import QWEN_32B, TEMPLATES, Bench, losses, preloaded, sums

pytestmark = pytest.mark.long

SETTINGS = {
    "MODEL_ID": "Qwen/Qwen2.5-7B-Instruct",
    "METHOD": "lora",
    "LEARNING_RATE": "1",
    "LR_SCHEDULER_TYPE": "constant",
    "PER_DEVICE_BATCH_SIZE": "2",
    "GRADIENT_ACCUMULATION_STEPS": "1",
    "MAX_LENGTH": "256",
    "LORA_DROPOUT": "0.3",
    "MAX_STEPS": "4",
    "EVAL_STEPS": "1",
    "SAVE_STEPS": "1",
    "SAVE_TOTAL_LIMIT": "1",
    "LOAD_BEST_MODEL_AT_END": "true",
}
"""The third update is the last of its epoch. Much dropout makes other losses of other numbers."""
ADAPTER = "adapter_model.safetensors"
Job = Callable[..., str]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """With the model that learns for some updates and then no more."""
    return Bench(tmp_path, QWEN_32B)


BEST = 0
"""Stands for the update after which the loss of the unbroken run is the least."""


def evaluated(output: str) -> list[tuple[int, float]]:
    found = re.findall(r"step=(\d+) eval_loss=(\S+)", output)
    return [(int(step), float(loss)) for step, loss in found]


def evaluates_as(monkeypatch: pytest.MonkeyPatch, after: dict[int, float]) -> None:
    """Evaluations find these losses after the updates, whatever the CPU makes of them."""
    import trainers

    evaluate = trainers.of("sft").evaluate

    def told(self: Any, *arguments: Any, **named: Any) -> dict[str, float]:
        found = evaluate(self, *arguments, **named)
        loss = after[self.state.global_step]
        self.state.log_history[-1]["eval_loss"] = loss
        return {**found, "eval_loss": loss}

    monkeypatch.setattr(trainers.of("sft"), "evaluate", told)


def hear(monkeypatch: pytest.MonkeyPatch, method: str, update: int) -> None:
    """SIGTERM within the first call of a method of the trainer after so many updates, once."""
    import trainers

    original, left = getattr(trainers.of("sft"), method), [update]

    def heard(self: Any, *arguments: Any, **named: Any) -> Any:
        if left and self.state.global_step == update:
            left.pop()
            signal.raise_signal(signal.SIGTERM)
        return original(self, *arguments, **named)

    monkeypatch.setattr(trainers.of("sft"), method, heard)


@pytest.mark.parametrize("place", ["in the update", "in its evaluation"])
@pytest.mark.parametrize(("at", "rate"), [(2, "1"), (3, "1"), (BEST, "1"), (4, "5e-3")])
def test_a_checkpoint_that_a_stop_left_unevaluated_is_evaluated_by_the_next_start(
    bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch, place: str, at: int, rate: str
) -> None:
    """Within an epoch, at its end, where it is the best one, which the CPU decides, and at the end of the run."""
    bench.write(SETTINGS | {"LEARNING_RATE": rate}, sums(6), sums(4, seed=9))
    whole = job()
    unbroken, told = (bench.folder / "model" / ADAPTER).read_bytes(), bench.record.get("best")
    (bench.folder / "checkpoints").rename(bench.folder / "away")
    best = min(evaluated(whole), key=lambda each: each[1])[0]
    at = at or max(best, 2)

    hear(monkeypatch, *(("training_step", at - 1) if place == "in the update" else ("prediction_step", at)))
    first = job()
    assert f"stopped by SIGTERM after update {at};" in first
    assert [step for step, _ in evaluated(first)] == list(range(1, at))

    second = job()
    assert f"evaluates checkpoint-{at}, which a stop has left unevaluated" in second
    assert evaluated(first) + evaluated(second) == evaluated(whole)
    assert losses(first) + losses(second) == losses(whole)
    assert bench.record["best"] == told
    assert told["checkpoint"] == f"checkpoint-{best}"
    assert (bench.folder / "model" / ADAPTER).read_bytes() == unbroken


def test_a_stop_in_the_evaluation_that_is_made_up_for_leaves_it_due(
    bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write(SETTINGS, sums(6), sums(4, seed=9))
    for _ in range(2):
        hear(monkeypatch, "prediction_step", 1)
        assert "stopped by SIGTERM after update 1; a new start resumes there" in job()
    assert [path.name for path in (bench.folder / "checkpoints").glob("checkpoint-*")] == ["checkpoint-1"]
    assert [step for step, _ in evaluated(job())] == [1, 2, 3, 4]
    state = json.loads((bench.folder / "checkpoints/checkpoint-4/trainer_state.json").read_text())
    assert [entry["step"] for entry in state["log_history"] if "eval_loss" in entry] == [1, 2, 3, 4]


RANK_1_HEARS = """
import os, signal, sys
sys.path.insert(0, {templates!r})
import trainers
from train import main

predict = trainers.of("sft").prediction_step

def stopped(self, *arguments, **named):
    if os.environ["RANK"] == "1" and self.state.global_step == 2:
        signal.raise_signal(signal.SIGTERM)
    return predict(self, *arguments, **named)

trainers.of("sft").prediction_step = stopped
sys.exit(main(sys.argv[1:]))
"""


def test_two_ranks_make_up_an_evaluation_together(bench: Bench) -> None:
    """The last update of the run, which has nothing left to train when it starts again."""
    ddp = {"PARALLELISM": "ddp", "MAX_STEPS": "2", "LEARNING_RATE": "5e-3", "PER_DEVICE_BATCH_SIZE": "1"}
    bench.write(SETTINGS | ddp, sums(6), sums(4, seed=9))
    driver = bench.folder / "rank_1_hears.py"
    driver.write_text(RANK_1_HEARS.format(templates=str(TEMPLATES)))
    command = [preloaded().python, TEMPLATES / "launcher.py", "--nproc_per_node", "2", driver, *bench.arguments]
    first = subprocess.run(command, capture_output=True, text=True, env=bench.environment)
    assert first.returncode == 0, first.stderr[-4000:]
    assert "stopped by SIGTERM after update 2" in first.stdout
    second = bench.run(ranks=2)
    assert [step for step, _ in evaluated(first.stdout)] == [1]
    assert [step for step, _ in evaluated(second)] == [2]
    assert bench.record["ranks"] == 2
    assert bench.record["best"]["checkpoint"] == "checkpoint-2"
    assert (bench.folder / "model" / ADAPTER).read_bytes() == (
        bench.folder / "checkpoints/checkpoint-2" / ADAPTER
    ).read_bytes()


def replace_by_another_runs(checkpoint: Path) -> None:
    other = checkpoint.parents[1] / "other/checkpoint-1"
    shutil.rmtree(checkpoint)
    shutil.copytree(other, checkpoint)


HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "removed": (shutil.rmtree, "it is not there any more"),
    "renamed": (lambda path: path.rename(path.parent / "mine"), "it is not there any more"),
    "refilled": (replace_by_another_runs, "another run wrote it"),
    "cut": (lambda path: (path / ADAPTER).write_bytes(b""), f"{ADAPTER} has 0 bytes"),
}


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("kept", [9, 1])
def test_the_best_checkpoint_is_delivered_only_if_it_is_whole_and_of_this_run(
    bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch, harm: str, kept: int
) -> None:
    """Losses of 1, 3, 2, 4 after the updates; what happens to the best one happens in the last update."""
    import trainers

    at, (act, reason) = bench.folder, HARMS[harm]
    more = ["--LEARNING_RATE", "5e-3", "--SAVE_TOTAL_LIMIT", str(kept)]
    bench.write(SETTINGS, sums(6), sums(4, seed=9))
    other = ["--MAX_STEPS", "1", "--checkpoint-dir", f"{at}/other", "--model-dir", f"{at}/model-2"]
    job(*more, "--LORA_R", "8", *other, "--output-data-dir", f"{at}/output-2")

    step = trainers.of("sft").training_step

    def harmed(self: Any, *arguments: Any, **named: Any) -> Any:
        if self.state.global_step == 3:
            act(at / "checkpoints/checkpoint-1")
        return step(self, *arguments, **named)

    evaluates_as(monkeypatch, {1: 1.0, 2: 3.0, 3: 2.0, 4: 4.0})
    monkeypatch.setattr(trainers.of("sft"), "training_step", harmed)
    output = job(*more)
    left = "checkpoint-3" if kept == 9 else "checkpoint-4"
    assert f"hbspec: WARNING the best checkpoint, checkpoint-1, is passed over: {reason}" in output
    assert bench.record["best"]["checkpoint"] == left
    assert bench.record["best"]["eval_loss"] == {"checkpoint-3": 2.0, "checkpoint-4": 4.0}[left]
    assert reason in bench.record["best"]["passed_over"][0]
    assert (at / "model" / ADAPTER).read_bytes() == (at / "checkpoints" / left / ADAPTER).read_bytes()


def test_where_no_evaluated_checkpoint_is_left_the_last_weights_are_delivered_and_that_is_said(
    bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    import trainers

    load, last = trainers.of("sft")._load_best_model, bench.folder / "last"

    def harmed(self: Any) -> None:
        (bench.folder / "checkpoints/checkpoint-4").rename(last)
        shutil.rmtree(bench.folder / "checkpoints/checkpoint-3")
        load(self)

    evaluates_as(monkeypatch, {1: 4.0, 2: 3.0, 3: 1.0, 4: 2.0})
    monkeypatch.setattr(trainers.of("sft"), "_load_best_model", harmed)
    bench.write(SETTINGS, sums(6), sums(4, seed=9))
    output = job()
    assert "WARNING the best checkpoint, checkpoint-3, is passed over: it is not there any more" in output
    assert "WARNING no best checkpoint is left: the last weights are delivered" in output
    assert (bench.record["best"]["checkpoint"], len(bench.record["best"]["passed_over"])) == (None, 1)
    assert (bench.folder / "model" / ADAPTER).read_bytes() == (last / ADAPTER).read_bytes()


def test_shares_that_rounding_parts_are_refused(bench: Bench, job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    """Half and a quarter of 6 updates are 3 and 2: no checkpoint but the last would be evaluated."""
    import train

    shares = {"EVAL_STEPS": "0.25", "SAVE_STEPS": "0.5"}
    bench.write(SETTINGS | shares | {"MAX_STEPS": "6"}, sums(6), sums(4, seed=9))
    assert train.main(bench.arguments) == 2
    said = capsys.readouterr().err
    assert "SAVE_STEPS=0.5 is 3 of 6 updates, and EVAL_STEPS=0.25 is 2" in said
    bench.write(SETTINGS | shares | {"MAX_STEPS": "4"}, sums(6), sums(4, seed=9))
    assert [step for step, _ in evaluated(job())] == [1, 2, 3, 4]


def test_the_best_one_is_chosen_among_evaluations_that_have_a_checkpoint(
    bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lowest loss is that of an update between two saves: without it, the first checkpoint is the best one."""
    import trainers

    original = trainers.of("sft").prediction_step

    def step(self: Any, *arguments: Any, **named: Any) -> Any:
        loss, *rest = original(self, *arguments, **named)
        return loss * 0 + self.state.global_step, *rest

    monkeypatch.setattr(trainers.of("sft"), "prediction_step", step)
    more = {"SAVE_STEPS": "2", "SAVE_TOTAL_LIMIT": "2", "LEARNING_RATE": "1e-3"}
    bench.write(SETTINGS | more, sums(6), sums(4, seed=9))
    assert evaluated(job()) == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert bench.record["best"] == {"checkpoint": "checkpoint-2", "eval_loss": 2, "passed_over": []}
    delivered = (bench.folder / "model" / ADAPTER).read_bytes()
    assert delivered == (bench.folder / "checkpoints/checkpoint-2" / ADAPTER).read_bytes()
