"""The share of a GPU that a job certainly leaves free."""

from __future__ import annotations

from hbspec.diagnostics import known
from hbspec.estimators.constants import MEMORY
from hbspec.estimators.step.job import job_of
from hbspec.estimators.training.memory import memory, most_allocated, surroundings
from hbspec.estimators.training.reserved import beside_bytes
from hbspec.plan import Plan


def headroom(plan: Plan) -> float:
    """The share of the fullest GPU's usable memory that remains beside the high end of tensors and of the process.

    What the allocator reserves beyond its tensors counts as free, since it gives free segments back before it fails;
    whether it has to is part of the verdict. Negative where the tensors may not fit. Left out: the fragments that
    `hbspec.estimators.training.memory.memory_verdict` replays.

    Raises:
        NotKnownError: as `memory`, or the usable memory is not known.
    """
    hardware = plan.require("hardware")
    usable = known(hardware.gpu.usable_bytes, "the usable memory of the GPU")
    if plan.between is not None:
        return 1 - max(device.process.high for device in memory(plan).devices) / usable
    beside = beside_bytes(surroundings(job_of(plan), hardware), MEMORY)
    return 1 - (most_allocated(plan) + beside.high) / usable
