"""Small jobs whose estimates are compared."""

from __future__ import annotations

import pytest

from hbspec.api import estimate

BASE = {
    "hbspec": 1,
    "name": "bot",
    "model": {"id": "Qwen/Qwen2.5-7B"},
    "data": {"train": {"examples": 4000}, "tokens": {"mean": 300, "max": 900}},
    "instance": {"type": "ml.g5.12xlarge", "region": "us-east-1", "parallelism": "ddp", "max_runtime": "100h"},
    "hyperparameters": {
        "method": "qlora",
        "learning_rate": 2e-4,
        "num_train_epochs": 2,
        "per_device_batch_size": 2,
        "max_length": 1024,
    },
}


@pytest.fixture(scope="session")
def job():
    """The estimates of the job with some values set, as after `--set`; each is made once."""
    made = {}

    def changed(*overrides):
        if overrides not in made:
            made[overrides] = estimate(BASE, overrides=overrides)
        return made[overrides]

    return changed
