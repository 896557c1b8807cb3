"""Laws of the help of rules about memory: what it names makes the job fit, and brings no new error."""

from __future__ import annotations

import json
from itertools import product

import pytest

from hbspec.api import check, estimate
from hbspec.diagnostics import Severity
from hbspec.rules.action import action
from hbspec.rules.fitting import change_that_fits
from hbspec.rules.follow import CLAIM_CONTRADICTED
from hbspec.rules.harmless import harmless

MODELS = ["Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-72B"]
METHODS = ["full", "lora", "qlora"]
PLACES = [
    ("ml.g5.xlarge", "single", 3),
    ("ml.g5.12xlarge", "ddp", 8),
    ("ml.g5.12xlarge", "fsdp", 8),
    ("ml.p4d.24xlarge", "zero3", 1),
    ("ml.p4d.24xlarge", "single", 12),
]
"""Instance types, ways to share the work, and micro-batches."""

ABOUT_MEMORY = {"HB109", "HB123", "HB127"}


def spec(model, method, place):
    kind, parallelism, rows = place
    return {
        "hbspec": 1,
        "name": "law",
        "model": {"id": model},
        "data": {"train": {"examples": 2198}, "tokens": {"mean": 374, "max": 1400}},
        "instance": {"type": kind, "parallelism": parallelism, "region": "us-east-1"},
        "hyperparameters": {
            "method": method,
            "learning_rate": 1e-4,
            "max_steps": 100,
            "per_device_batch_size": rows,
            "gradient_accumulation_steps": 8,
            "max_length": 1024,
        },
    }


@pytest.mark.one_in(7)
@pytest.mark.parametrize(("model", "method", "place"), list(product(MODELS, METHODS, PLACES)))
def test_the_help_applied_to_the_spec_makes_it_fit(model, method, place):
    values = spec(model, method, place)
    found = {entry.code: entry for entry in check(values).diagnostics}
    if ABOUT_MEMORY.isdisjoint(found):
        return
    analysis = estimate(values).analysis
    errors = {code for code, entry in found.items() if entry.severity is Severity.ERROR}
    errors |= {code for entry in found.values() for code, _ in entry.also}
    change = change_that_fits(analysis, harmless(analysis))
    if change is None:
        assert "HB109" not in found or "no single change or pair of changes tried" in found["HB109"].help
        return
    assert "HB109" not in found or found["HB109"].help == action(change)
    overrides = [f"{key}={json.dumps(value)}" for key, value in change.to_dict().items()]
    then = check(values, overrides=overrides).diagnostics
    assert "HB109" not in {entry.code for entry in then}
    assert {entry.code for entry in then if entry.severity is Severity.ERROR} <= {*errors, CLAIM_CONTRADICTED}
    assert estimate(values, overrides=overrides).plan.effective_batch_size == analysis.plan.effective_batch_size
