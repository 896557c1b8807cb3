"""Checkpoints as a run leaves them, made without one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fingerprint
import manifest
from manifest import name_of, write_manifest

FILES = (
    "adapter_model.safetensors", "adapter_config.json", "optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state.pth",
    "rng_state_1.pth", "trainer_state.json", "training_args.bin", "pytorch_model_fsdp_0/__0_0.distcp",
    "optimizer_0/.metadata", "latest", "global_step4/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt",
)  # fmt: skip
"""What the trainer writes, with adapters, in one process, in many, with FSDP and with ZeRO."""

MINE: fingerprint.Fingerprint = {
    "learned": {"METHOD": "lora", "checkpoint files": "whole", "LORA_R": 16, "training data a.jsonl": "9 bytes"},
    "loaded": {"compute dtype": "bfloat16"},
    "noted": {"SAVE_STEPS": 50, "processes": 1},
}

OTHER = {"METHOD": "lora", "checkpoint files": "whole", "LORA_R": 8}

DAMAGES: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "long": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "other": lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:]),
}


def saved(folder: Path, step: int, theirs: fingerprint.Fingerprint = MINE) -> Path:
    """A checkpoint as a save leaves it."""
    checkpoint = folder / name_of(step)
    manifest.begin(checkpoint)
    for number, name in enumerate(FILES):
        (checkpoint / name).parent.mkdir(parents=True, exist_ok=True)
        (checkpoint / name).write_bytes(f"{step} {name}".encode() * (number + 1))
    (checkpoint / "trainer_state.json").write_text(json.dumps({"global_step": step, "log_history": []}))
    write_manifest(checkpoint, theirs, manifest.contents(checkpoint))
    return checkpoint


def foreign_adapter(checkpoint: Path) -> None:
    (checkpoint / "default").mkdir()
    (checkpoint / "default/adapter_model.safetensors").touch()


FOREIGN: dict[str, Callable[[Path], object]] = {
    "model.safetensors": lambda checkpoint: (checkpoint / "model.safetensors").touch(),
    "default": foreign_adapter,
    "pytorch_model_fsdp_1": lambda checkpoint: (checkpoint / "pytorch_model_fsdp_1").mkdir(),
    ".hidden": lambda checkpoint: (checkpoint / ".hidden").mkdir(),
    "linked": lambda checkpoint: (checkpoint / "linked").symlink_to(checkpoint / "optimizer_0"),
    "dangling.bin": lambda checkpoint: (checkpoint / "dangling.bin").symlink_to("nowhere"),
    "optimizer_0/__0_0.distcp": lambda checkpoint: (checkpoint / "optimizer_0/__0_0.distcp").touch(),
}


def rewrite(checkpoint: Path, **changes: Any) -> None:
    """Forges a manifest."""
    path = checkpoint / manifest.MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
