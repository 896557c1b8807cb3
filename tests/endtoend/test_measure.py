"""Measurements of real jobs: a tiny model trains on this CPU, and what is killed half way leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
import torch  # noqa: F401 - the processes that are started need it
from preloaded_training import ENVIRONMENT, imports_made, preloaded

from hbspec.api import check, compilation, estimate
from hbspec.measure import MeasureError, measure, measurement
from hbspec.measure.base import write_base
from hbspec.measure.gpus import GpuAtHand, MachineAtHand
from hbspec.measure.job import command as command_of
from hbspec.measure.job import run, write_job
from hbspec.measure.record import record_of
from hbspec.measure.rows import schedule
from hbspec.plan.measurement_file import read_measurement

CONFIG = {
    "model_type": "qwen2",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 1024,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
}
SPEC = {
    "hbspec": 1,
    "name": "tiny",
    "model": {"id": "our/tiny", "config": "./config.json"},
    "data": {"train": {"examples": 1000}, "validation": {"examples": 9}, "tokens": {"mean": 60, "max": 100}},
    "instance": {"type": "ml.g5.xlarge", "region": "us-east-1", "parallelism": "single"},
    "hyperparameters": {
        "method": "qlora",
        "learning_rate": 2e-4,
        "max_steps": 60,
        "per_device_batch_size": 2,
        "gradient_accumulation_steps": 2,
        "max_length": 128,
    },
}


PYTHON = sys.executable
"""The interpreter itself: what it starts are its own children, which can be seen."""


@pytest.fixture(scope="module", autouse=True)
def sooner():
    with imports_made():
        yield


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def written(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "spec.yaml").write_text(json.dumps(SPEC))
    return folder / "spec.yaml"


def command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "hbspec", "measure", str(written(folder)), *words]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The command, run on this CPU."""
    folder = tmp_path_factory.mktemp("measured")
    words = command(folder, "--on-cpu", "--updates", "3", "--format", "json")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return folder, ended


def test_a_real_run_times_its_updates_and_knows_nothing_of_a_gpu(done):
    _, ended = done
    record = json.loads(ended.stdout)
    found = read_measurement(record)
    assert (found.gpu, found.devices, found.ran_out) == ("CPU", (), None)
    assert len(found.updates) == 10, "of 40 rows"
    assert all(0 < update.seconds < 600 for update in found.updates)
    assert record["found"]["host_bytes"] > 100_000_000
    assert record["predicted"] is None
    assert found.software["torch"].startswith("2.")


def test_the_rows_are_those_of_the_profile(done):
    """An update has two micro-batches of two rows, each padded to its longer one."""
    record = json.loads(done[1].stdout)
    assert record["rows"]["longest"] == 100
    assert not record["rows"]["alike"]
    for update in record["found"]["updates"]:
        assert update["longest"] <= 100
        assert update["real_tokens"] <= update["tokens"] <= 400
    mean = sum(update["real_tokens"] for update in record["found"]["updates"]) / 40
    assert 50 < mean < 70
    assert record["rows"]["tokens"] == sum(update["tokens"] for update in record["found"]["updates"]) / 20


def test_only_the_record_is_left(done):
    folder, ended = done
    assert json.loads((folder / "tiny.measured.json").read_text()) == json.loads(ended.stdout)
    assert not (folder / "build/tiny/measure").exists()
    assert ended.stderr == "hbspec: writes random weights\nhbspec: runs 18 updates, of which 10 are timed\n"


def test_it_calibrates_no_estimate_of_a_gpu(done):
    folder, _ = done
    named = folder / "calibrated.yaml"
    named.write_text(json.dumps({**SPEC, "calibration": {"record": "./tiny.measured.json"}}))
    before, after = estimate(folder / "spec.yaml"), estimate(named)
    assert (after.time, after.memory) == (before.time, before.memory)
    (note,) = [entry for entry in check(named).diagnostics if entry.code == "HB319"]
    assert note.message.startswith("the record is not used: gpu: CPU measured, A10G in this job; ")


@pytest.mark.long
def test_two_ranks_share_the_rows(tmp_path):
    """The job of two GPUs, whose processes find each other on this CPU: each sees its rows, and so many updates."""
    spec = {**SPEC, "instance": {"gpu": "A10G", "gpus": 2, "parallelism": "ddp"}}
    spec["hyperparameters"] = {**SPEC["hyperparameters"], "method": "lora", "bf16": False}
    written(tmp_path)
    (tmp_path / "spec.yaml").write_text(json.dumps(spec))
    estimates = estimate(tmp_path / "spec.yaml")
    given = schedule(estimates.plan, 2, 3)
    folder = tmp_path / "work"
    artifacts = compilation(tmp_path / "spec.yaml", "launch", force=True).artifacts
    folder.mkdir()
    write_job(artifacts, given, folder, "language_modeling")
    write_base(CONFIG, folder / "base")
    words = command_of(estimates.analysis, given, folder, 2)
    ran = run(words, folder, 2, given.updates, {"CUDA_VISIBLE_DEVICES": ""})
    assert [len(rank["updates"]) for rank in ran.ranks] == [given.updates] * 2
    assert all(rank["updates"][given.warm_up - 1]["longest"] == 100 for rank in ran.ranks)
    record = record_of(ran, given, estimates, MachineAtHand((), "2.13.0", None, None), "2026-12-01")
    timed = record["found"]["updates"]
    assert sum(update["tokens"] for update in timed) * 2 == sum(
        update["tokens"] for rank in ran.ranks for update in rank["updates"][given.warm_up :]
    )
    assert ran.ranks[0]["updates"][-1] != ran.ranks[1]["updates"][-1]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.long),
        (signal.SIGTERM, 143),
        pytest.param(signal.SIGKILL, -9, marks=pytest.mark.long),
    ],
)
def test_killed_half_way(number, code, tmp_path):
    """No record, no weights (but after SIGKILL), and no process that goes on training."""
    before = signal.getsignal(signal.SIGINT)
    _, *words = command(tmp_path, "--on-cpu")
    with mock.patch.object(sys, "executable", PYTHON), Path(os.devnull).open("r+b") as nowhere:
        streams = [nowhere.fileno()] * 3
        started = preloaded().start(words, streams, folder=tmp_path, environment=ENVIRONMENT)
    work = tmp_path / "build/tiny/measure"
    deadline = time.monotonic() + 300
    while not ((work / "log.txt").exists() and children(started.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    (trains,) = children(started.pid)
    os.kill(started.pid, number)
    assert started.wait(300) == code
    while alive(trains) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(trains)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["build", "config.json", "spec.yaml"]
    assert work.exists() is (number == signal.SIGKILL)
    assert signal.getsignal(signal.SIGINT) is before


def children(parent: int) -> list[int]:
    """The processes that a process has started and not yet waited for."""
    return [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def alive(process: int) -> bool:
    """Whether a process runs: one that has ended and is not yet waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_no_gpu_and_nobody_asked_for_the_cpu(tmp_path):
    with pytest.raises(MeasureError, match="sees no GPU: run this where there is one, or give --on-cpu") as reason:
        measure(written(tmp_path), tmp_path / "work", config=CONFIG)
    assert reason.value.misuse


def test_gpus_that_are_not_alike(tmp_path, monkeypatch):
    several = (GpuAtHand("NVIDIA A10G", 23 * 10**9, 0), GpuAtHand("Tesla T4", 15 * 10**9, 0))
    monkeypatch.setattr(measurement, "machine", lambda: MachineAtHand(several, "2.13.0", "12.8", "570.1"))
    spec, override = written(tmp_path), ["instance={type: ml.g5.12xlarge, parallelism: ddp}"]
    with pytest.raises(MeasureError, match=r"not alike \(NVIDIA A10G, Tesla T4\): name some with CUDA_VISIBLE_DEVICES"):
        measure(spec, tmp_path / "work", config=CONFIG, overrides=override)


def test_a_full_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(measurement.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    (tmp_path / "work").mkdir()
    with pytest.raises(MeasureError, match=r"of disk, but .*work has 1\.00 kB: name another with --work") as reason:
        measure(written(tmp_path), tmp_path / "work", config=CONFIG, on_cpu=True)
    assert reason.value.misuse


@pytest.mark.long
def test_a_gpu_that_the_job_does_not_use(tmp_path, monkeypatch):
    """As where the job's own libraries do not see it: what a CPU took is not said of the GPU."""
    one = (GpuAtHand("NVIDIA A10G", 23 * 10**9, 0),)
    monkeypatch.setattr(measurement, "machine", lambda: MachineAtHand(one, "2.13.0", "12.8", "570.1"))
    (tmp_path / "work").mkdir()
    with pytest.raises(MeasureError, match="did not use the NVIDIA A10G"):
        measure(written(tmp_path), tmp_path / "work", config=CONFIG, overrides=["hyperparameters.bf16=false"])


def test_a_job_that_fails_shows_the_end_of_its_log(tmp_path):
    (tmp_path / "work").mkdir()
    spec = written(tmp_path)
    with pytest.raises(MeasureError, match=r"exit code 1; its log is .*log\.txt\n") as reason:
        measure(
            spec,
            tmp_path / "work",
            config=CONFIG,
            on_cpu=True,
            overrides=["hyperparameters.target_modules=[nowhere_proj]"],
        )
    assert "nowhere_proj" in str(reason.value)


def test_a_job_that_takes_too_long_is_stopped(tmp_path):
    (tmp_path / "work").mkdir()
    with pytest.raises(MeasureError, match=r"took longer than 0\.1 s"):
        measure(written(tmp_path), tmp_path / "work", config=CONFIG, on_cpu=True, limit=0.1)


@pytest.mark.long
@pytest.mark.parametrize(
    ("task", "kind"), [("dpo", "preference"), ("kto", "unpaired_preference"), ("reward", "preference")]
)
def test_a_task_is_measured_by_its_trainer(task, kind, tmp_path):
    spec = written(tmp_path)
    given = {**SPEC["hyperparameters"], "method": "lora"}
    changed = {"task": task, "data": {**SPEC["data"], "type": kind}, "hyperparameters": given}
    spec.write_text(json.dumps({**SPEC, **changed}))
    (tmp_path / "work").mkdir()
    found = measure(spec, tmp_path / "work", config=CONFIG, on_cpu=True, updates=3)
    assert found.record["rows"]["longest"] == 100
    assert len(found.record["found"]["updates"]) == 10


def test_completions_are_not_measured(tmp_path):
    written(tmp_path)
    (tmp_path / "rewards.py").write_text("def right(completions, **_):\n    return [0.0] * len(completions)\n")
    changed = {"task": "grpo", "reward": {"functions": ["rewards.py:right"]}}
    spec = {**SPEC, **changed, "data": {**SPEC["data"], "type": "prompt_only"}}
    (tmp_path / "spec.yaml").write_text(json.dumps(spec))
    with pytest.raises(MeasureError, match="grpo cannot be measured") as refused:
        measure(tmp_path / "spec.yaml", tmp_path, config=CONFIG, on_cpu=True)
    assert refused.value.misuse


def test_a_script_of_the_spec_s_own(tmp_path):
    spec = written(tmp_path)
    (tmp_path / "own.py").write_text("print()\n")
    with pytest.raises(MeasureError, match="only the shipped script"):
        measure(spec, tmp_path, config=CONFIG, on_cpu=True, overrides=["script={entry_point: own.py}"])


def test_a_model_that_transformers_does_not_build(tmp_path):
    (tmp_path / "work").mkdir()
    with pytest.raises(MeasureError, match="transformers does not build this model"):
        measure(written(tmp_path), tmp_path / "work", config={**CONFIG, "model_type": "nothing"}, on_cpu=True)
    small = {**CONFIG, "vocab_size": 64}
    (tmp_path / "again").mkdir()
    with pytest.raises(MeasureError, match="the vocabulary of 64 words is smaller than"):
        measure(written(tmp_path), tmp_path / "again", config=small, on_cpu=True)
