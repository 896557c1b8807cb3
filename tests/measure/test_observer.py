"""The program around the script: what it reads of a GPU, and what it writes down when memory runs out."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from preloaded_training import preloaded

from hbspec.measure import observer
from hbspec.measure.observer import FOLDER, RAN_OUT, Gpus, is_out_of_memory, probe

GIB = 2**30


@pytest.fixture
def cuda(monkeypatch):
    """Two GPUs of 24 GiB, of which the process uses the first: 1 GiB of context, and what is reserved."""
    held = SimpleNamespace(reserved=5, most_reserved=6, most_allocated=4, waited=[])
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "synchronize", held.waited.append)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda index: held.most_allocated * GIB * (index == 0))
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda index: held.most_reserved * GIB)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda index: held.reserved * GIB)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: ((24 - 1 - held.reserved) * GIB, 24 * GIB))
    return held


def test_a_gpu_that_is_used_and_one_that_is_not(cuda):
    (found,) = Gpus().sample()
    assert found == {
        "index": 0,
        "total_bytes": 24 * GIB,
        "allocated_bytes": 4 * GIB,
        "reserved_bytes": 6 * GIB,
        "process_bytes": 7 * GIB,
    }


def test_only_what_is_used_is_waited_for(cuda):
    Gpus().wait()
    assert cuda.waited == [0]


def test_a_process_is_the_most_that_was_in_use(cuda):
    gpus = Gpus()
    gpus.sample()
    cuda.reserved = cuda.most_reserved = 9
    assert gpus.sample()[0]["process_bytes"] == 10 * GIB
    cuda.reserved = 2
    assert gpus.sample()[0]["process_bytes"] == 10 * GIB


def test_the_probe(cuda, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    properties = SimpleNamespace(name="NVIDIA A10G", total_memory=24 * GIB, uuid="aa")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: properties)
    assert probe()["gpus"] == [{"name": "NVIDIA A10G", "total_bytes": 24 * GIB, "uuid": "aa"}] * 2


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("NCCL error: unhandled cuda error. Cuda failure 2 'out of memory'"), True),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (MemoryError(), False),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), False),
    ],
)
def test_what_says_that_a_gpu_s_memory_ran_out(reason, said):
    assert is_out_of_memory(reason) is said


SCRIPT = """
import torch
def _choose_devices(invocation): pass
def main(arguments):
    _choose_devices(None)
    {body}
"""
TRAINERS = """
class Supervised: pass
BEFORE = {}
"""
WATCH = """
class Watch:
    def on_train_begin(self, *_, **__): pass
    def on_step_begin(self, *_, **__): pass
    def on_step_end(self, *_, **__): pass
"""


def run(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    """The observer around a script that does so much."""
    (folder / "observer.py").write_bytes(Path(observer.__file__).read_bytes())
    (folder / "train.py").write_text(SCRIPT.format(body=body))
    (folder / "counting.py").write_text(WATCH)
    (folder / "trainers.py").write_text(TRAINERS)
    (folder / "leaving.py").write_text("def finish(): pass\n")
    environment = {**os.environ, FOLDER: str(folder), "OMP_NUM_THREADS": "1"}
    words = [preloaded().python, str(folder / "observer.py")]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


UPDATES = (
    "import counting; watch = counting.Watch(); watch.on_train_begin(0, 0, 0)\n"
    "    watch.on_step_begin(0, 0, 0); watch.on_step_end(0, 0, 0); watch.on_step_begin(0, 0, 0)\n"
    "    "
)


@pytest.mark.parametrize(
    ("before", "where"), [("", "while loading"), (UPDATES, "in update 2")], ids=["loading", "training"]
)
def test_memory_that_runs_out_is_a_result(before, where, tmp_path):
    done = run(tmp_path, f'{before}raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")')
    assert done.returncode == RAN_OUT
    assert done.stderr == "observer.py: CUDA out of memory. Tried to allocate 2.00 GiB\n"
    written = json.loads((tmp_path / "rank-0.json").read_text())
    assert written["ran_out"] == where
    assert len(written["updates"]) == (before != "")
    assert written["software"]["torch"] == torch.__version__


def test_any_other_error_is_the_script_s(tmp_path):
    done = run(tmp_path, f'{UPDATES}raise ValueError("no")')
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: no\n")
    assert json.loads((tmp_path / "rank-0.json").read_text())["ran_out"] is None


def test_the_script_s_exit_code_is_passed_on(tmp_path):
    assert run(tmp_path, "return 2").returncode == 2
