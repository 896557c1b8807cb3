"""What a run of a `transformers.Trainer` of your own learns from, as far as the trainer tells it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sized
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
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
    said |= {"effective batch": batch, "checkpoint files": layout, **_model(trainer), **_examples(trainer)}
    yours = {f"your {name}": _plain(value) for name, value in learned.items()}
    return {"learned": {**said, **yours}, "loaded": {}, "noted": {"processes": args.world_size, **software()}}


def _model(trainer: Any) -> dict[str, Any]:
    """Which weights are trained. A folder counts by its own name: the next start may have it in another place."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    name = str(getattr(getattr(model, "config", None), "_name_or_path", "") or "")
    adapters = {key: _adapter(value) for key, value in getattr(model, "peft_config", {}).items()}
    told = {"base model": Path(name).name if Path(name).is_dir() else name, "METHOD": "lora" if adapters else "full"}
    return {
        **told,
        **{f"adapter {key} {entry}": said for key, each in adapters.items() for entry, said in each.items()},
    }


def _adapter(config: Any) -> dict[str, Any]:
    """What of peft's configuration decides what is learned: rank, scale, and the modules that are changed."""
    told = {name: getattr(config, name, None) for name in ("r", "lora_alpha", "target_modules", "modules_to_save")}
    return {name: sorted(value) if isinstance(value, set) else _plain(value) for name, value in told.items()}


def _examples(trainer: Any) -> dict[str, int]:
    """How many examples the data has, where it has a length."""
    data = trainer.train_dataset
    return {"training examples": len(data)} if isinstance(data, Sized) else {}


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
