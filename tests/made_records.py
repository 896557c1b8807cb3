"""Records of measurements as `hbspec measure` would write them on a GPU that is not here: of a job that is planned."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hbspec.api import Estimates, estimate
from hbspec.plan.calibration import conditions_of, longest_row
from hbspec.plan.measurement_file import DIGEST, digest_of

SPEC: Mapping[str, Any] = {
    "hbspec": 1,
    "name": "measured",
    "model": {"id": "Qwen/Qwen2.5-0.5B"},
    "data": {"train": {"examples": 1000}, "tokens": {"mean": 300, "max": 300}},
    "instance": {"type": "ml.g5.xlarge", "region": "us-east-1", "parallelism": "single", "price": "1.408 USD/h"},
    "hyperparameters": {
        "method": "lora",
        "learning_rate": 2e-4,
        "max_steps": 60,
        "per_device_batch_size": 2,
        "max_length": 512,
    },
}
SECONDS = (0.100, 0.110, 0.104)


def record_of_estimate(estimates: Estimates, seconds: tuple[float, ...] = SECONDS) -> dict[str, Any]:
    """A record of the very job, which took these seconds for each update, and 10 % more memory than was expected."""
    plan = estimates.plan
    tokens = plan.training.micro_batch * plan.padded_row_tokens.expected
    devices = [
        {
            "index": device.index,
            "total_bytes": device.usable,
            "others_bytes": 0,
            "allocated_bytes": round(device.peak_allocated.expected),
            "reserved_bytes": round(device.peak_reserved.expected * 1.1),
            "process_bytes": round(device.process.expected * 1.1),
        }
        for device in estimates.memory.devices
        if device.process.high
    ]
    update = tokens * plan.training.gradient_accumulation
    return signed(
        {
            "hbspec_measurement": 1,
            "day": "2026-12-01",
            "place": {"gpu": plan.hardware.gpu.name},
            "conditions": conditions_of(plan, shipped=True),
            "software": dict(plan.training.software),
            "rows": {
                "longest": longest_row(plan),
                "tokens": tokens,
                "unevenness": plan.unevenness,
                "alike": plan.lengths.mean.expected == plan.lengths.longest.expected,
            },
            "found": {
                "ran_out": None,
                "updates": [{"tokens": update, "seconds": one} for one in seconds],
                "devices": devices,
            },
        }
    )


def signed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The record with the digest of its content."""
    content = {key: value for key, value in values.items() if key != DIGEST}
    return {**content, DIGEST: digest_of(content)}


def changed(values: Mapping[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """A record in which something was measured otherwise."""
    copy = json.loads(json.dumps(values))
    change(copy)
    return signed(copy)


def with_record(values: Mapping[str, Any], folder: Path, *overrides: str, spec: Mapping[str, Any] = SPEC) -> Estimates:
    """The estimates of a spec that names a record; its changes are overrides."""
    (folder / "record.json").write_text(json.dumps(values))
    (folder / "spec.yaml").write_text(json.dumps({**spec, "calibration": {"record": "./record.json"}}))
    return estimate(folder / "spec.yaml", overrides=overrides)
