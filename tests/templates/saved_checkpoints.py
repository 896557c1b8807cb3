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
    manifest.begin(checkpoint, theirs)
    for number, name in enumerate(FILES):
        (checkpoint / name).parent.mkdir(parents=True, exist_ok=True)
        (checkpoint / name).write_bytes(f"{step} {name}".encode() * (number + 1))
    (checkpoint / "trainer_state.json").write_text(json.dumps({"global_step": step, "log_history": []}))
    write_manifest(checkpoint, theirs, manifest.contents(checkpoint))
    return checkpoint


def foreign_adapter(checkpoint: Path) -> None:
    (checkpoint / "default").mkdir()
    (checkpoint / "default/adapter_model.safetensors").touch()


def touched(name: str) -> Callable[[Path], object]:
    def touch(checkpoint: Path) -> None:
        (checkpoint / name).parent.mkdir(exist_ok=True)
        (checkpoint / name).touch()

    return touch


LOADED: dict[str, Callable[[Path], object]] = {
    "model.safetensors": touched("model.safetensors"),
    "default/adapter_model.safetensors": foreign_adapter,
    "pytorch_model_fsdp_1": lambda checkpoint: (checkpoint / "pytorch_model_fsdp_1").mkdir(),
    "linked": lambda checkpoint: (checkpoint / "linked").symlink_to(checkpoint / "optimizer_0"),
    "dangling.bin": lambda checkpoint: (checkpoint / "dangling.bin").symlink_to("nowhere"),
    "optimizer_0/__0_0.distcp": touched("optimizer_0/__0_0.distcp"),
} | {
    name: touched(name)
    for name in (
        "pytorch_model.bin", "adapter_model.bin", "optimizer.bin", "pytorch_model.bin.index.json", "rng_state_7.pth",
        "rank0-of-1-optimizer.pt", "pytorch_model_fsdp.bin", "global_step4/mp_rank_01_model_states.pt",
    )
}  # fmt: skip
"""What somebody may put into a checkpoint, and would be loaded for its name."""

ADDED = ("eval_results.json", "notes/eval.md", ".ipynb_checkpoints/eval-checkpoint.json", ".notes", "config.yaml")
"""What would not."""


def rewrite(checkpoint: Path, **changes: Any) -> None:
    """Forges a manifest."""
    path = checkpoint / manifest.MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
