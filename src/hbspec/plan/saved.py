"""Bytes of what a training saves: its trained weights, and a checkpoint with the optimizer's states."""

from __future__ import annotations

from hbspec.catalog import Architecture
from hbspec.catalog.dtypes import BYTES
from hbspec.catalog.parameters import language_parameters
from hbspec.plan.training import Training


def saved_bytes(architecture: Architecture | None, training: Training, trainable: int | None) -> int | None:
    """Bytes of the trained weights; None where the architecture or the number of parameters is not known."""
    if architecture is None or trainable is None:
        return None
    if training.adapters:
        return trainable * BYTES[training.adapter_dtype]
    return language_parameters(architecture) * BYTES[training.compute_dtype]  # also of what is frozen


def checkpoint_bytes(architecture: Architecture | None, training: Training, trainable: int | None) -> int | None:
    """The trained weights and their two AdamW moments, in the dtype of the weights (8-bit: one byte each)."""
    saved = saved_bytes(architecture, training, trainable)
    if saved is None or trainable is None:
        return None
    element = BYTES[training.adapter_dtype if training.adapters else training.compute_dtype]
    return saved + 2 * trainable * (1 if "8bit" in training.optim else element)
