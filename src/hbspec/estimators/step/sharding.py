"""Which way of sharding a job has, as torch's allocator sees it."""

from __future__ import annotations

from hbspec.estimators.step import fsdp1, fsdp2
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.sharded import Sharding, Unit, units_of
from hbspec.estimators.step.slots import Slots


def gathers(job: Job) -> bool:
    """Whether weights are gathered unit by unit, in a way that is replayed."""
    return job.fsdp is not None and job.sharded


def sharding_of(job: Job, stage: Stage, slots: Slots, followed: frozenset[int] | None) -> Sharding:
    """What happens around the phases of a micro-batch.

    Args:
        job: the job.
        stage: what the GPU computes on.
        slots: where it is added.
        followed: the layers that are followed request by request; None for all of them.
    """
    if not gathers(job):
        return Sharding(slots)
    units = units_of(job, stage)
    if job.fsdp is not None and job.fsdp.version == 1:
        return fsdp1.FlatUnits(slots, job, units, followed)
    return fsdp2.ParameterUnits(slots, job, units, followed)


def loading(job: Job, stage: Stage, *, together: bool, warm: bool) -> Slots:
    """What loading does before training begins.

    Args:
        job: the job.
        stage: what the GPU computes on.
        together: whether the whole model is on the GPU before it is sharded; else each tensor is only quantised there.
        warm: whether it is then put into one segment that was opened for all of it.
    """
    slots, units = Slots(), units_of(job, stage)
    if together:
        if warm:
            slots.let_go(slots.taken([sum(sum(unit.loaded) + sum(unit.whole) for unit in units)]))
        tensors = [_read(slots, unit) for unit in units]
    else:
        tensors = None
        for unit in {unit.read: unit for unit in units if any(unit.read)}.values():  # one of those that are alike
            slots.let_go(_read(slots, unit._replace(whole=())))
    load = fsdp1.load if job.fsdp is not None and job.fsdp.version == 1 else fsdp2.load
    load(slots, job, units, tensors)
    return slots


def _read(slots: Slots, unit: Unit) -> list[int]:
    """The slots of a unit's tensors, of which those that are quantised were read in 16 bits."""
    found = []
    for at, size in enumerate(unit.loaded):
        read = slots.taken(unit.read[at : at + 1])
        found += slots.taken([size])
        slots.let_go(read)
    slots.taken(unit.whole)
    return found
