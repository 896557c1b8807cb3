"""A run of each task is stopped within an update, and goes on to the losses of the run that nobody stopped.

The same on two ranks, which train what one rank trains in an update twice as large.
"""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_train_grpo import FUNCTIONS, GRPO, PROMPTS
from test_train_tasks import DPO, KTO, PAIRS, RATED, REWARD, put
from training_bench import Bench, losses

Job = Callable[..., str]
RUN = {"MAX_STEPS": "4", "SAVE_STEPS": "100"}
LINE = r"step=(\d+) loss=(\S+) grad_norm=(\S+)"


@pytest.fixture
def rewards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import author_rewards
    import beside

    (tmp_path / "rewards.py").write_text(FUNCTIONS)
    for module in (beside, author_rewards):
        monkeypatch.setattr(module, "__file__", str(tmp_path / "module.py"))


def stopped(task: str, micro_batch: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """SIGTERM within a micro-batch, once; a list that grows with every micro-batch."""
    import trainers

    original, calls = trainers.of(task).training_step, []

    def heard(self: Any, *arguments: Any, **named: Any) -> Any:
        calls.append(self.state.global_step)
        if len(calls) == micro_batch:
            signal.raise_signal(signal.SIGTERM)
        return original(self, *arguments, **named)

    monkeypatch.setattr(trainers.of(task), "training_step", heard)
    return calls


def goes_on(
    bench: Bench,
    job: Job,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    rows: list[Any],
    micro_batch: int = 6,
    finished: int = 3,
) -> None:
    """Ten examples make updates of 2, 2 and 1 micro-batches, so that the sixth is the first of the fourth update."""
    put(bench, settings | RUN, rows)
    whole = re.findall(LINE, job())
    for name in ("checkpoints", "model", "output"):
        shutil.rmtree(bench.folder / name)
    calls = stopped(settings["TASK"], micro_batch, monkeypatch)
    first = job()
    assert len(calls) == micro_batch, "the current micro-batch is the last"
    assert bench.record["stopped_by"] == "SIGTERM"
    assert not list((bench.folder / "model").glob("*.safetensors"))
    assert re.findall(LINE, first) == whole[:finished]
    assert re.findall(LINE, job()) == whole[finished:]
    assert bench.record["resumed_from_step"] == finished


def test_pairs(bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on(bench, job, monkeypatch, DPO | {"WATCH_GRAD_NORM": "1e9"}, PAIRS)


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "rows"),
    [
        (DPO | {"PRECOMPUTE_REF_LOG_PROBS": "true"}, PAIRS),
        (DPO | {"METHOD": "full", "LEARNING_RATE": "1e-4"}, PAIRS),
        (KTO, RATED),
        (REWARD, PAIRS),
    ],
    ids=["dpo precomputed", "dpo full", "kto", "reward"],
)
def test_other_tasks(
    bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], rows: list[Any]
) -> None:
    goes_on(bench, job, monkeypatch, settings, rows)


@pytest.mark.long
@pytest.mark.usefixtures("rewards")
def test_completions(bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on(bench, job, monkeypatch, GRPO, PROMPTS, micro_batch=5, finished=2)


@pytest.mark.parametrize(
    ("settings", "rows"),
    [
        (DPO, PAIRS),
        pytest.param(KTO, RATED, marks=pytest.mark.long),
        pytest.param(DPO | {"METHOD": "full", "LEARNING_RATE": "1e-4"}, PAIRS, marks=pytest.mark.long),
        pytest.param(KTO | {"LOSS_TYPE": "apo_zero_unpaired"}, RATED, marks=pytest.mark.long),
    ],
    ids=["dpo", "kto", "dpo full", "kto without KL"],
)
@pytest.mark.long
def test_what_the_reference_says_first_is_what_it_says_in_the_steps_of_two_ranks(
    bench: Bench, settings: dict[str, str], rows: list[Any]
) -> None:
    """The data do not fill the last micro-batch of both ranks."""
    put(bench, settings | {"PARALLELISM": "ddp", "MAX_STEPS": "4"}, rows[:9], rows[:3])
    together = bench.run(ranks=2)
    assert bench.record["examples_of_each_update"] == [8, 4, 8, 4]
    assert bench.record["examples_distinct"] == 9
    for name in ("checkpoints", "model", "output"):
        shutil.rmtree(bench.folder / name)
    first = bench.run("--PRECOMPUTE_REF_LOG_PROBS", "true", ranks=2)
    assert losses(first) == pytest.approx(losses(together), abs=2e-4)
    found = [[float(value) for value in re.findall(r"eval_loss=(\S+)", output)] for output in (first, together)]
    assert found[0] == pytest.approx(found[1], abs=2e-4)
    assert found[0]
