"""`instance.gpu_memory`: a GPU outside the catalog is judged for memory, and for nothing else."""

from __future__ import annotations

import pytest

from hbspec.api import check, estimate

JOB = {
    "hbspec": 1,
    "name": "local",
    "model": {"id": "Qwen/Qwen2.5-0.5B"},
    "data": {"train": {"examples": 100}, "tokens": {"mean": 300.0, "max": 512}},
    "hyperparameters": {"learning_rate": 1e-4, "per_device_batch_size": 1, "max_length": 512, "max_steps": 10},
}


def job(**instance):
    return {**JOB, "instance": {"gpu": "Frobnicator 9", **instance}}


@pytest.mark.parametrize(("memory", "verdict"), [("24 GB", "fits"), ("900 MB", "does_not_fit")])
def test_its_memory_decides(memory, verdict):
    found = estimate(job(gpu_memory=memory))
    assert found.memory.verdict == verdict
    assert found.memory.fullest.usable == int(0.98 * {"24 GB": 24e9, "900 MB": 900e6}[memory])
    assert found.time is None


def test_without_a_memory_it_is_not_known():
    codes = {entry.code for entry in check(job()).diagnostics}
    assert "HB119" in codes
    assert "HB119" not in {entry.code for entry in check(job(gpu_memory="24 GB")).diagnostics}


def test_a_gpu_of_the_catalog_keeps_what_was_measured():
    found = estimate({**JOB, "instance": {"gpu": "A100-40", "gpu_memory": "80 GB"}})
    assert found.memory.fullest.usable == int(39.39 * 2**30)
