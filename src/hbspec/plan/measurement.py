"""What a job was measured to take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

CPU = "CPU"
"""What stands for the GPU of a measurement on a CPU, which is of no job on a GPU."""


class MeasuredDevice(NamedTuple):
    """One GPU in a measurement, in bytes.

    Attributes:
        gpu: its number on the host.
        total: its memory, as PyTorch reports it.
        others: what was in use before the job started; None where that is not known.
        allocated: as `torch.cuda.max_memory_allocated`.
        reserved: as `torch.cuda.max_memory_reserved`.
        process: in use on the GPU at most, without `others`: with the CUDA context and communicators.
    """

    gpu: int
    total: int
    others: int | None
    allocated: int
    reserved: int
    process: int


class MeasuredRows(NamedTuple):
    """The rows that a measured job was given.

    Attributes:
        longest: tokens of the longest row.
        tokens: tokens that a process computes in a micro-batch, padding included: the mean over the timed updates.
        unevenness: mean square of the padded row lengths over the square of their mean.
        alike: whether all rows have one length, so that their order does not decide what the allocator reserves.
    """

    longest: int
    tokens: float
    unevenness: float
    alike: bool


class MeasuredUpdate(NamedTuple):
    """A timed update: tokens that a process computed in it, padding included, and seconds."""

    tokens: float
    seconds: float

    @property
    def rate(self) -> float:
        """Tokens computed per second and process."""
        return self.tokens / self.seconds


class Measurement(NamedTuple):
    """A job as it was measured.

    Attributes:
        day: when, as 2026-12-01.
        gpu: what it ran on: the catalog's name of the GPU, what the driver calls it, or `CPU`.
        conditions: what the job's speed and memory depend on, by name.
        software: versions of the libraries that ran, by package.
        rows: what it was given.
        updates: the timed ones.
        devices: the GPUs of the host that it used; empty on a CPU.
        ran_out: where it ran out of GPU memory ("while loading", "in update 3"); None where it did not.
    """

    day: str
    gpu: str
    conditions: Mapping[str, Any]
    software: Mapping[str, str]
    rows: MeasuredRows
    updates: tuple[MeasuredUpdate, ...]
    devices: tuple[MeasuredDevice, ...]
    ran_out: str | None
