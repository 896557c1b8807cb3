"""A job that trains all weights is helped by what keeps that, before by training adapters."""

from __future__ import annotations

from hbspec.api import check, estimate

SPEC = {
    "hbspec": 1,
    "name": "pairs",
    "task": "dpo",
    "model": {"id": "meta-llama/Llama-3.1-8B-Instruct"},
    "data": {"train": {"examples": 5000}, "type": "preference", "tokens": {"mean": 500, "max": 1000}},
    "instance": {"type": "ml.p4d.24xlarge", "region": "us-east-1", "parallelism": "fsdp", "max_runtime": "20h"},
    "hyperparameters": {
        "method": "full",
        "learning_rate": 1e-6,
        "num_train_epochs": 1,
        "per_device_batch_size": 4,
        "gradient_accumulation_steps": 2,
        "max_length": 1024,
    },
}
METHOD = ("hyperparameters", "method")


def test_the_help_keeps_training_all_weights():
    (found,) = (entry for entry in check(SPEC).diagnostics if entry.code == "HB109")
    assert found.help
    assert "method" not in found.help


def test_advice_names_another_method_last():
    changes = [one.change.settings for one in estimate(SPEC).advice.outcomes]
    assert changes
    assert METHOD not in changes[0]
    assert [METHOD in one for one in changes] == sorted(METHOD in one for one in changes)
