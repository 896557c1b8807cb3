"""The author's watches: a run that breaks one for good is saved and ends as failed; chance ends none."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from training_bench import ENVIRONMENT, TEMPLATES, Bench, losses, preloaded, sums

SETTINGS = {
    "MODEL_ID": "Qwen/Qwen2.5-7B-Instruct",
    "METHOD": "lora",
    "LEARNING_RATE": "1e-3",
    "LR_SCHEDULER_TYPE": "constant",
    "PER_DEVICE_BATCH_SIZE": "2",
    "GRADIENT_ACCUMULATION_STEPS": "2",
    "MAX_LENGTH": "64",
    "LORA_R": "4",
    "MAX_STEPS": "12",
    "SAVE_STEPS": "100",
}
BROKEN = 3
LINE = {"loss": 2.0, "step_seconds": 1.0}


def watches(**bounds: Any) -> Any:
    from settings import Settings
    from watches import Watches

    return Watches(Settings(MODEL_ID="x", **bounds))


def seen(bounds: Mapping[str, Any], *lines: Mapping[str, float]) -> list[int]:
    """The updates, from 1 on, whose line ends the run."""
    watched = watches(**bounds)
    return [number for number, line in enumerate(lines, 1) if watched.see(number, LINE | dict(line))]


def each(name: str, *values: float) -> list[dict[str, float]]:
    return [{name: value} for value in values]


@pytest.mark.parametrize(
    ("bounds", "name", "values", "ends"),
    [
        ({"WATCH_GPU_MEMORY": 35}, "gpu_memory_bytes", (35, 35, 35, 35), []),
        ({"WATCH_GPU_MEMORY": 35}, "gpu_memory_bytes", (36, 36, 35, 36, 36), []),
        ({"WATCH_GPU_MEMORY": 35}, "gpu_memory_bytes", (36, 36, 36), [3]),
        ({"WATCH_GRAD_NORM": 10.0}, "grad_norm", (10, 11, 11, 10, 11, 11), []),
        ({"WATCH_GRAD_NORM": 10.0}, "grad_norm", (11, float("nan"), 11, float("inf"), 11), [5]),
        ({}, "grad_norm", (1e9, 1e9, 1e9, 1e9), []),
        ({}, "loss", (float("nan"), float("nan"), 2, float("nan"), float("inf"), float("nan")), [6]),
        ({"WATCH_STEP_MAX": 60.0}, "step_seconds", (90, 60, 61, 61, 60, 61), []),
        ({"WATCH_STEP_MAX": 60.0}, "step_seconds", (90, 61, 61, 61), [4]),
        ({"WATCH_STEP_MIN": 2.0}, "step_seconds", (1, 2, 1, 1, 2), []),
        ({"WATCH_STEP_MIN": 2.0}, "step_seconds", (3, 1, 1, 1), [4]),
        ({"WATCH_LOSS": 6}, "loss", (3, 3, 3, 2, 3, 3), []),
        ({"WATCH_LOSS": 6}, "loss", (3, 3, 3, 3, 3, 3), [6]),
        ({"WATCH_LOSS": 6}, "loss", (3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2), []),
        ({"WATCH_LOSS": 6}, "loss", (3, 3, 3, 2, 2, 2, 4, 4, 4), [8, 9]),
        ({"WATCH_LOSS": 4}, "loss", (3, 3, 3, 3), []),
        ({}, "loss", (3, 4, 5, 6, 7, 8), []),
    ],
)
def test_edges(bounds, name, values, ends):
    assert seen(bounds, *each(name, *values)) == ends


def test_a_run_without_a_gpu_has_no_memory_to_watch():
    assert seen({"WATCH_GPU_MEMORY": 1}, *[{}] * 5) == []


def test_a_new_start_in_the_middle_has_its_own_window():
    watched = watches(WATCH_LOSS=6)
    found = [watched.see(number, LINE | {"loss": 3.0}) for number in range(100, 106)]
    assert [bool(reason) for reason in found] == [False] * 5 + [True]
    assert found[-1].startswith("the loss has not decreased over WATCH_LOSS=6 updates: 3 in the last half")


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rehearsal in which watches stay on."""
    import tiny

    monkeypatch.setattr(tiny, "WATCHES", ())


def ended(bench: Bench, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str]:
    import torch
    import train

    torch.set_num_threads(1)
    capsys.readouterr()
    return train.main([*bench.arguments, *more]), *capsys.readouterr()


@pytest.mark.usefixtures("job", "watching")
def test_a_broken_watch_ends_the_run_after_saving(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write(SETTINGS | {"WATCH_STEP_MAX": "1e-6"}, sums(12))
    code, out, err = ended(bench, capsys)
    assert code == BROKEN, err
    assert len(losses(out)) == 4, "the first line does not count, and the next three do"
    assert "hbspec: stopped by a watch after update 4; a new start resumes there" in out
    assert "train.py: ended by a watch: an update takes" in err
    assert "more than WATCH_STEP_MAX=1e-06" in err
    assert (bench.folder / "checkpoints/checkpoint-4").is_dir()
    assert not list((bench.folder / "model").glob("*.safetensors")), "nothing is delivered"
    assert bench.record["stopped_by"] == "a watch"

    bench.write(SETTINGS, sums(12))
    code, out, err = ended(bench, capsys)
    assert code == 0, err
    assert bench.record["resumed_from_step"] == 4
    assert bench.record["last_step"] == 12, "a bound that is lifted does not make another run"


@pytest.mark.usefixtures("job")
def test_a_rehearsal_is_not_watched(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.write(SETTINGS | {"WATCH_STEP_MAX": "1e-6", "MAX_STEPS": "5"}, sums(12))
    code, out, err = ended(bench, capsys)
    assert code == 0, err
    assert "hbspec: override WATCH_STEP_MAX: 1e-06 -> off" in out


@pytest.mark.usefixtures("job", "watching")
def test_the_reason_is_where_sagemaker_looks_for_it(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import failure

    monkeypatch.setattr(failure, "ROOT", bench.folder)
    monkeypatch.setattr(failure, "FAILURE", bench.folder / "output/failure")
    bench.write(SETTINGS | {"WATCH_STEP_MAX": "1e-6"}, sums(12))
    code, _, err = ended(bench, capsys, "--output-data-dir", str(bench.folder / "output/data"))
    assert code == BROKEN, err
    assert (bench.folder / "output/failure").read_text().startswith("an update takes")


def test_settings_that_are_refused_are_a_reason_too(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import failure

    (bench.folder / "output").mkdir()
    monkeypatch.setattr(failure, "ROOT", bench.folder)
    monkeypatch.setattr(failure, "FAILURE", bench.folder / "output/failure")
    bench.write(SETTINGS, [[{"role": "nobody", "content": "x" * 3000}]])
    code, _, err = ended(bench, capsys, "--output-data-dir", str(bench.folder / "output/data"))
    assert code == 2
    told = (bench.folder / "output/failure").read_text()
    assert err.startswith(f"train.py: {told[:60]}")
    assert len(told) <= 1024


@pytest.mark.usefixtures("job", "watching")
def test_a_failure_that_cannot_be_written_hides_nothing(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import failure

    (tmp_path / "output/failure").mkdir(parents=True)
    monkeypatch.setattr(failure, "FAILURE", tmp_path / "output/failure")
    monkeypatch.setattr(failure, "ROOT", tmp_path)
    failure.tell(_folders(tmp_path), ["a reason"])


def _folders(root: Path) -> Any:
    from settings import Folders

    return Folders(output_data_dir=root / "output/data")


def test_ranks_end_together_and_fail(bench: Bench) -> None:
    """The rehearsal's model under the launcher, as a real run, where only rank 0 judges."""
    bench.write(SETTINGS | {"MAX_STEPS": "1"}, sums(12))
    bench.run()
    for name in ("checkpoints", "model", "output"):
        (bench.folder / name).rename(bench.folder / f"rehearsed-{name}")
    changed = {"MODEL_ID": str(bench.folder / "rehearsed-output/tiny-model"), "WATCH_STEP_MAX": "1e-6"}
    bench.write(SETTINGS | changed | {"PARALLELISM": "ddp", "FP16": "false", "BF16": "false"}, sums(12))
    words = [word for word in bench.arguments if word != "--tiny"]
    launcher, script = TEMPLATES / "launcher.py", TEMPLATES / "train.py"
    done = subprocess.run(
        [preloaded().python, str(launcher), "--nproc_per_node=2", str(script), *words],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == BROKEN, done.stderr[-3000:]
    assert done.stderr.count("ended by a watch") == 1
    ended_after = int(re.findall(r"stopped by a watch after update (\d+)", done.stdout)[0])
    assert ended_after in (4, 5)
    assert (bench.folder / f"checkpoints/checkpoint-{ended_after}").is_dir()
