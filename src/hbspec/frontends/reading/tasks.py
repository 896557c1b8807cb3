"""Trainings beyond the next token, as the spec's `task` with the data that it takes."""

from __future__ import annotations

from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import ForeignKey

TYPES = {"dpo": "preference", "kto": "unpaired_preference", "reward": "preference", "pretrain": "language_modeling"}
"""The dataset type that a task is made for, by TRL's names."""


def put_task(building: Building, given: ForeignKey, task: str) -> None:
    """The task that a key asks for, and the type of its data."""
    building.put(("task",), given, task)
    building.put(("data", "type"), given, TYPES[task])
