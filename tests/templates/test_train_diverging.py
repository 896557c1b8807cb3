"""A run whose weights are not finite any more says so, keeps its good checkpoints, and delivers none of them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from training_bench import Bench, losses, sums

SETTINGS = {
    "MODEL_ID": "Qwen/Qwen2.5-7B-Instruct",
    "METHOD": "lora",
    "LEARNING_RATE": "1e-3",
    "LR_SCHEDULER_TYPE": "constant",
    "PER_DEVICE_BATCH_SIZE": "2",
    "GRADIENT_ACCUMULATION_STEPS": "1",
    "MAX_LENGTH": "64",
    "LORA_R": "4",
    "MAX_STEPS": "6",
    "SAVE_STEPS": "1",
    "SAVE_TOTAL_LIMIT": "2",
}
BEST = {"EVAL_STEPS": "1", "LOAD_BEST_MODEL_AT_END": "true"}
ADAPTER = "adapter_model.safetensors"
Job = Callable[..., str]


@pytest.fixture
def diverging(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gradients of the fourth update are not numbers, as after an overflow."""
    import trainers

    original = trainers.of("sft").training_step

    def step(self: Any, model: Any, *arguments: Any, **named: Any) -> Any:
        loss = original(self, model, *arguments, **named)
        if self.state.global_step < 3:
            return loss
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.grad.fill_(math.nan)
        return loss * math.nan

    monkeypatch.setattr(trainers.of("sft"), "training_step", step)


def ended(bench: Bench, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    import train

    torch.set_num_threads(1)
    capsys.readouterr()
    code = train.main(bench.arguments)
    return code, *capsys.readouterr()


def is_finite(bench: Bench, place: str) -> bool:
    return all(bool(each.isfinite().all()) for each in load_file(bench.folder / place / ADAPTER).values())


def saved(bench: Bench) -> list[str]:
    return sorted(path.name for path in (bench.folder / "checkpoints").glob("checkpoint-*"))


@pytest.mark.usefixtures("job", "diverging")
def test_weights_that_are_not_finite_are_neither_saved_nor_delivered(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.write(SETTINGS, sums(12))
    code, out, err = ended(bench, capsys)
    assert code == 2, err
    assert "weights are not finite numbers after update 4" in err
    assert "checkpoint-3" in err
    assert [math.isnan(loss) for loss in losses(out)] == [False, False, False, True], "and training ends there"
    assert saved(bench) == ["checkpoint-2", "checkpoint-3"], "those before it are kept"
    assert is_finite(bench, "checkpoints/checkpoint-3")
    assert not (bench.folder / "model" / ADAPTER).exists()


@pytest.mark.usefixtures("job", "diverging")
def test_the_best_checkpoint_of_a_run_that_diverges_is_delivered(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.write(SETTINGS | BEST, sums(12), sums(4, seed=9))
    code, out, err = ended(bench, capsys)
    assert code == 0, err
    assert "WARNING" in out
    assert "weights are not finite numbers after update 4" in out
    assert is_finite(bench, "model")
    assert bench.record["best"]["checkpoint"] == "checkpoint-3"
    assert bench.record["checkpoints"] == ["checkpoint-1", "checkpoint-2", "checkpoint-3"]


@pytest.mark.usefixtures("job")
def test_an_evaluation_with_a_loss_that_is_not_a_number_is_none_of_the_others(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mean of the batches that are left could be the lowest of all."""
    import trainers

    original, batches = trainers.of("sft").prediction_step, iter(range(100))

    def step(self: Any, *arguments: Any, **named: Any) -> Any:
        loss, *rest = original(self, *arguments, **named)
        return loss * math.nan if next(batches) == 0 else loss, *rest

    monkeypatch.setattr(trainers.of("sft"), "prediction_step", step)
    bench.write(SETTINGS | BEST | {"MAX_STEPS": "2"}, sums(12), sums(4, seed=9))
    code, out, err = ended(bench, capsys)
    assert code == 0, err
    assert [math.isnan(float(loss)) for loss in re.findall(r"eval_loss=(\S+)", out)] == [True, False]
    assert bench.record["best"]["checkpoint"] == "checkpoint-2"
    state = json.loads((bench.folder / "checkpoints/checkpoint-2/trainer_state.json").read_text())
    assert state["best_global_step"] == 2
