"""Bytes of what a training saves: its trained weights, and a checkpoint with the optimizer's states."""

from __future__ import annotations

from hbspec.catalog import Architecture
from hbspec.catalog.dtypes import BYTES
from hbspec.plan.training import Training


def saved_bytes(architecture: Architecture | None, training: Training, trainable: int | None) -> int | None:
    """Bytes of the trained weights; None where the architecture or the number of parameters is not known."""
    if architecture is None or trainable is None:
        return None
    return trainable * BYTES[training.adapter_dtype if training.adapters else training.compute_dtype]


def checkpoint_bytes(architecture: Architecture | None, training: Training, trainable: int | None) -> int | None:
    """Trainable weights and their two AdamW moments, in the dtype of the weights (8-bit: one byte each)."""
    saved = saved_bytes(architecture, training, trainable)
    if saved is None or trainable is None:
        return None
    return saved + 2 * (trainable if "8bit" in training.optim else saved)
