"""What a run of a `transformers.Trainer` of your own learns from, as far as the trainer tells it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fingerprint import PACKAGES, Fingerprint

LEARNED = (
    "learning_rate", "lr_scheduler_type", "warmup_steps", "max_steps", "num_train_epochs", "optim", "weight_decay",
    "max_grad_norm", "seed",
)  # fmt: skip
"""Arguments of the trainer of which another value makes another run."""


def of_trainer(trainer: Any, learned: Mapping[str, Any]) -> Fingerprint:
    """What the run learns from, as far as the trainer tells it."""
    args = trainer.args
    layout = "fsdp" if trainer.is_fsdp_enabled else "zero" if trainer.is_deepspeed_enabled else "whole"
    said = {name: _plain(getattr(args, name, None)) for name in LEARNED}
    batch = args.per_device_train_batch_size * args.gradient_accumulation_steps * args.world_size
    method = "lora" if hasattr(trainer.accelerator.unwrap_model(trainer.model), "peft_config") else "full"
    said |= {"effective batch": batch, "checkpoint files": layout, "METHOD": method}
    yours = {f"your {name}": _plain(value) for name, value in learned.items()}
    return {"learned": {**said, **yours}, "loaded": {}, "noted": {"processes": args.world_size, **software()}}


def _plain(value: Any) -> Any:
    """A value as JSON has it; what it has not, as text."""
    value = getattr(value, "value", value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return str(value)


def software() -> dict[str, str]:
    """Versions of the packages that a run depends on, where they are installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
