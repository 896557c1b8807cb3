"""The GPUs at hand, as PyTorch and the driver's tool tell them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from hbspec.catalog import catalog
from hbspec.measure import gpus
from hbspec.measure.gpus import GpuAtHand, NoMachineError, machine, visible


@pytest.fixture
def told(monkeypatch):
    """What the two programs answer."""
    answers = SimpleNamespace(probe=(0, '{"torch": "2.13.0", "cuda": null, "gpus": []}\n', ""), driver=None)

    def run(words, **_):
        if words[0] == "nvidia-smi":
            if answers.driver is None:
                raise FileNotFoundError
            return SimpleNamespace(returncode=0, stdout=answers.driver, stderr="")
        code, out, err = answers.probe
        return SimpleNamespace(returncode=code, stdout=out, stderr=err)

    monkeypatch.setattr(gpus.subprocess, "run", run)
    return answers


def seen(*uuids):
    found = [{"name": "NVIDIA A10G", "total_bytes": 23_600_000_000, "uuid": uuid} for uuid in uuids]
    return 0, "a warning\n" + json.dumps({"torch": "2.13.0", "cuda": "12.8", "gpus": found}) + "\n", ""


def test_each_gpu_is_found_by_its_uuid(told):
    told.probe, told.driver = seen("bb", "aa"), "GPU-aa, 570.133.20, 423\nGPU-bb, 570.133.20, 0\n"
    found = machine()
    assert [gpu.used for gpu in found.gpus] == [0, 423 * 2**20]
    assert (found.driver, found.cuda, found.gpus[0].called) == ("570.133.20", "12.8", "A10G")


def test_without_the_driver_s_tool_nothing_is_known_of_others(told):
    told.probe = seen("aa")
    found = machine()
    assert (found.gpus[0].used, found.driver) == (None, None)


def test_no_gpu(told):
    told.driver = "GPU-aa, 570.133.20, 0\n"
    assert machine().gpus == ()
    assert machine().driver is None


def test_a_torch_that_does_not_answer(told):
    told.probe = 1, "", "Traceback\nImportError: libcudart.so.12: cannot open\n"
    with pytest.raises(NoMachineError, match=r"cannot be asked for GPUs: ImportError: libcudart"):
        machine()


def test_a_gpu_that_the_catalog_does_not_know_keeps_its_name():
    assert GpuAtHand("Frobnicator 9000", 1, None).called == "Frobnicator 9000"


@pytest.mark.parametrize("gpu", [gpu for gpu in catalog().gpus.values() if gpu.usable_bytes], ids=lambda gpu: gpu.name)
def test_the_memory_tells_which_of_several_a_driver_means(gpu):
    """Whatever words of its name are said: the catalog's GPUs are known again by their memory, or not at all."""
    for words in (gpu.name, gpu.name.partition("-")[0], gpu.marketing_name):
        assert GpuAtHand(f"NVIDIA {words}", gpu.usable_bytes, None).called in (gpu.name, f"NVIDIA {words}")


def test_a_driver_does_not_say_the_memory():
    assert GpuAtHand("NVIDIA H200", 150_755_000_000, None).called == "H200-141"
    assert GpuAtHand("NVIDIA H200", 75_000_000_000, None).called == "NVIDIA H200"


@pytest.mark.parametrize(
    ("before", "count", "after"), [(None, 2, "0,1"), ("2,3,5", 2, "2,3"), ("GPU-aa", 1, "GPU-aa"), ("4,5", 0, "")]
)
def test_the_first_gpus_of_those_that_are_seen(before, count, after, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if before is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", before)
    assert visible(count) == after
