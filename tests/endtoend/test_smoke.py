"""Rehearsals of compiled specs: real processes train, and what they count is what the plan says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch  # noqa: F401 - the processes that are started need it
from preloaded_training import imports_made

from hbspec.api import InvalidSpecError
from hbspec.catalog import catalog
from hbspec.render.rehearsal import rehearsal_lines
from hbspec.smoke import Rehearsal, RehearsalError, rehearse
from hbspec.smoke.compare import UNPROVEN_PIPELINE, compare
from hbspec.smoke.sample import EXAMPLES, training_lines
from hbspec.spec.data import Data

ROOT = Path(__file__).parents[2]
HEARTBEAT, AS_WRITTEN = ROOT / "specs/heartbeat.yaml", ROOT / "specs/heartbeat-as-written.yaml"
BASE = ROOT / "tests/rules/base.yaml"
REAL = ROOT.parent / "shared/data/heartbeat"
FEW = 23
"""Examples that neither two ranks nor the accumulation divide."""


@pytest.fixture(scope="module", autouse=True)
def sooner() -> Iterator[None]:
    with imports_made():
        yield


def config(model: str) -> dict[str, Any]:
    return catalog().models.config(model)


QWEN_32B = config("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B")


def few(folder: Path) -> Path:
    file = folder / "few.jsonl"
    file.write_text("".join(training_lines(Data()).splitlines(keepends=True)[:FEW]))
    return file


def rows(done: Rehearsal) -> dict[str, tuple[Any, Any]]:
    return {row.name: (row.planned, row.counted) for row in done.comparisons}


@pytest.fixture(scope="module")
def two_ranks(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """The seed put right, on its own data where that lies beside the repository."""
    folder = tmp_path_factory.mktemp("two")
    train, validation = REAL / "train.jsonl", REAL / "validation.jsonl"
    files = {}
    if train.is_file():
        cut = folder.with_name("validation.jsonl")
        cut.write_text("".join(validation.read_text().splitlines(keepends=True)[:8]))
        files = {"train": train, "validation": cut}
    return rehearse(HEARTBEAT, folder, config=QWEN_32B, ranks=2, updates=2, **files)


@pytest.mark.long
def test_two_ranks_consume_what_the_plan_says(two_ranks: Rehearsal) -> None:
    examples = sum(1 for _ in (REAL / "train.jsonl").open()) if REAL.is_dir() else EXAMPLES
    assert two_ranks.agrees, rows(two_ranks)
    counted = {name: counted for name, (_, counted) in rows(two_ranks).items()}
    assert counted["ranks"] == 2
    assert counted["examples of a full update"] == 1 * 4 * 2
    assert counted["examples of an epoch"] == examples
    assert counted["examples of 2 updates"] == 16
    assert two_ranks.run["examples_distinct"] == 16
    assert two_ranks.synthetic is not REAL.is_dir()


@pytest.mark.long
def test_what_ran_is_the_job_that_is_compiled(two_ranks: Rehearsal) -> None:
    assert two_ranks.run["wrapper"] == "DistributedDataParallel"
    settings = two_ranks.run["settings"]
    assert (settings["LEARNING_RATE"], settings["LORA_R"], settings["MAX_LENGTH"]) == (1e-4, 16, 832)
    assert [change["name"] for change in two_ranks.run["overrides"]] == [
        *("WEIGHTS", "TOKENIZER", "DEVICE", "COMPUTE"),
        *("WATCH_LOSS", "WATCH_GPU_MEMORY", "WATCH_STEP_MIN", "WATCH_STEP_MAX", "WATCH_GRAD_NORM", "MAX_STEPS"),
    ]
    assert (two_ranks.folder / "model/adapter_model.safetensors").is_file()
    assert "memory on a GPU, and that the job fits" in two_ranks.unproven


@pytest.mark.long
def test_the_last_micro_batches_of_an_epoch_are_filled_up(tmp_path: Path) -> None:
    done = rehearse(BASE, tmp_path, config=QWEN_32B, ranks=2, updates=4, train=few(tmp_path.parent))
    assert done.agrees, rows(done)
    counted = {name: counted for name, (_, counted) in rows(done).items()}
    assert counted["examples of an epoch"] == FEW + 1
    assert counted["updates of an epoch"] == 3
    assert counted["examples of 4 updates"] == (FEW + 1) + 8
    assert done.run["examples_distinct"] == FEW
    assert not done.synthetic


@pytest.mark.long
def test_the_loss_of_a_job_that_logs_less_often_than_it_is_rehearsed(tmp_path: Path) -> None:
    changed = ("hyperparameters.method=lora", "hyperparameters.logging_steps=10")
    few_lines = few(tmp_path.parent)
    done = rehearse(BASE, tmp_path, config=QWEN_32B, ranks=1, updates=2, train=few_lines, overrides=changed, force=True)
    assert done.run["first_loss"] > 0
    assert done.run["last_loss"] > 0
    assert "LOGGING_STEPS" in [change["name"] for change in done.run["overrides"]]
    (said,) = (
        "".join(text for _, text in line) for line in rehearsal_lines(done) if "at the first update" in str(line)
    )
    assert said.startswith("Loss: ")


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """The seed as it is written, on a few examples."""
    folder = tmp_path_factory.mktemp("one")
    return rehearse(AS_WRITTEN, folder, config=QWEN_32B, ranks=1, updates=2, train=few(folder.parent), force=True)


def test_pipeline_is_one_process(one_process: Rehearsal) -> None:
    assert one_process.agrees, rows(one_process)
    assert one_process.run["ranks"] == 1
    assert one_process.run["examples_of_each_update"] == [FEW, FEW], "32 an update, as far as there are any"
    assert "PARALLELISM" in [change["name"] for change in one_process.run["overrides"]]
    assert UNPROVEN_PIPELINE in one_process.unproven


def test_a_count_that_differs_is_seen(one_process: Rehearsal) -> None:
    plan, run = one_process.plan, one_process.run
    tiny = json.loads((Path(run["model_folder"]) / "config.json").read_text())
    for key, value in {"ranks": 3, "examples_per_update": 7, "examples_consumed": 15, "checkpoints": []}.items():
        assert [row.name for row in compare(plan, {**run, key: value}, tiny, 1) if not row.agrees], key
    fewer = plan._replace(training=plan.training._replace(lora_r=8))
    assert [row.name for row in compare(fewer, run, tiny, 1) if not row.agrees] == ["trainable parameters"]


def test_what_cannot_be_rehearsed_says_so(tmp_path: Path) -> None:
    own = tmp_path / "spec.yaml"
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "train.py").write_text("print()\n")
    own.write_text(f"{BASE.read_text()}\nscript: {{entry_point: train.py}}\n")
    with pytest.raises(RehearsalError, match="its own script"):
        rehearse(own, tmp_path / "own", config=QWEN_32B, ranks=1)
    with pytest.raises(InvalidSpecError):
        rehearse(AS_WRITTEN, tmp_path / "errors", config=QWEN_32B, ranks=1)
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{}\n")
    with pytest.raises(RehearsalError, match=r"exit code \d+; its output is in .*failed"):
        rehearse(BASE, tmp_path / "failed", config=QWEN_32B, ranks=1, updates=1, train=broken)
