"""A measurement from its spec to its record: the job is compiled, given random weights, run, and compared."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hbspec.api import Estimates, SpecLike, compilation, estimate
from hbspec.catalog.parameters import total_parameters
from hbspec.measure import at_hand
from hbspec.measure.base import BaseModelError, write_base
from hbspec.measure.gpus import MachineAtHand, NoMachineError, machine, visible
from hbspec.measure.job import JobFailedError, Ran, command, kind_of, run, write_job
from hbspec.measure.record import record_of
from hbspec.measure.rows import Schedule, schedule
from hbspec.plan import Plan
from hbspec.source import load, load_mapping
from hbspec.units import bytes_text

UPDATES = 5
"""Timed updates."""

DISK_SPARE = 1.1
"""Room on the disk, as a multiple of the weights, a checkpoint and the result."""


class MeasureError(RuntimeError):
    """A job that could not be measured; the message says why.

    Attributes:
        misuse: whether the machine or the command line is to blame, and not the job.
    """

    def __init__(self, message: str, *, misuse: bool = False) -> None:
        super().__init__(message)
        self.misuse = misuse


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured job.

    Attributes:
        record: as `hbspec.plan.measurement_file` reads it.
        estimates: of the job as it ran.
        machine: what it ran on; without GPUs, its CPU.
    """

    record: Mapping[str, Any]
    estimates: Estimates
    machine: MachineAtHand


def measure(
    spec: SpecLike,
    folder: Path,
    *,
    config: Mapping[str, Any],
    updates: int = UPDATES,
    on_cpu: bool = False,
    on: MachineAtHand | None = None,
    overrides: Sequence[str] = (),
    limit: float | None = None,
    snapshot: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Measured:
    """Run the compiled job of a spec on the GPUs at hand, with random weights, and record what it took.

    A spec with errors is measured too, as far as it compiles: whether a job fits is what a measurement shows.

    Args:
        spec: a path, or a mapping; it is read several times.
        folder: an empty folder for weights, data and the job.
        config: the model's `config.json`.
        updates: timed updates, at least 3; some more warm up before.
        on_cpu: run on the CPU, whatever GPUs there are.
        on: the machine, if it was asked before.
        overrides: strings `key.path=value`, as after `--set`.
        limit: seconds after which the job is stopped; None for any time.
        snapshot: a file for the history of the first rank's allocator, if it is wanted.
        say: is told what is done next.

    Raises:
        InvalidSpecError: the spec cannot be read or compiled.
        MeasureError: PyTorch sees no GPU, the disk has too little room, or the job failed for another reason than GPU
            memory.
    """
    values = _values(spec, overrides)
    found = on or at_hand_or_refused(on_cpu=on_cpu)
    planned = estimate(spec, overrides=overrides).plan
    found = found._replace(gpus=at_hand.used(found, planned))
    if len({gpu.name for gpu in found.gpus}) > 1:
        said = ", ".join(gpu.name for gpu in found.gpus)
        raise MeasureError(f"the GPUs are not alike ({said}): name some with CUDA_VISIBLE_DEVICES", misuse=True)
    changed = (*overrides, *(at_hand.on_gpus(values, found.gpus) if found.gpus else at_hand.on_cpu(values)))
    estimates = estimate(spec, overrides=changed)
    plan = estimates.plan
    if not estimates.analysis.spec.shipped:
        raise MeasureError("only the shipped script can be measured, but this spec names its own", misuse=True)
    if plan.training.rollouts is not None:
        said = "grpo cannot be measured: random weights end no completion, and your reward functions would score noise"
        raise MeasureError(f"{said}; measure task: sft with rows as long, or the job itself", misuse=True)
    artifacts = compilation(spec, "launch", overrides=changed, force=True).artifacts
    ranks = len(found.gpus) if plan.way.distributed and found.gpus else 1
    given = schedule(plan, ranks, updates)
    _refuse_full_disk(plan, folder)
    say("writes random weights")
    write_job(artifacts, given, folder, kind_of(estimates.analysis))
    try:
        write_base(config, folder / "base")
        say(f"runs {given.updates} updates, of which {given.timed} are timed")
        words = command(estimates.analysis, given, folder, ranks)
        environment = {"CUDA_VISIBLE_DEVICES": visible(len(found.gpus)), **_exported(estimates)}
        ran = run(words, folder, ranks, given.updates, environment, limit=limit, snapshot=snapshot)
    except (BaseModelError, JobFailedError) as reason:
        raise MeasureError(str(reason)) from reason
    _refuse_other_rows(ran, given, plan)
    if found.gpus and not ran.ran_out and not any(rank["devices"] for rank in ran.ranks):
        raise MeasureError(f"the job did not use the {found.gpus[0].name}: its figures would be those of a CPU")
    record = record_of(ran, given, estimates, found, date.today().isoformat())  # noqa: DTZ011 - where the user is
    return Measured(record, estimates, found)


def _values(spec: SpecLike, overrides: Sequence[str]) -> Mapping[str, Any]:
    """The spec's plain values.

    Raises:
        InvalidSpecError: it cannot be read.
    """
    estimate(spec, overrides=overrides)  # which says everything that is wrong with it
    document = load_mapping(spec, overrides=overrides) if isinstance(spec, Mapping) else load(spec, overrides=overrides)
    return document.values


def at_hand_or_refused(*, on_cpu: bool) -> MachineAtHand:
    """What a job runs on: all GPUs that PyTorch sees, or the CPU.

    Raises:
        MeasureError: PyTorch sees no GPU, and nobody asked for the CPU.
    """
    try:
        found = machine()
    except NoMachineError as reason:
        raise MeasureError(str(reason), misuse=True) from reason
    if on_cpu:
        return found._replace(gpus=(), driver=None)
    if not found.gpus:
        said = f"PyTorch {found.torch} sees no GPU: run this where there is one, or give --on-cpu"
        raise MeasureError(f"{said} to measure this CPU, which says nothing about a GPU", misuse=True)
    return found


def _refuse_full_disk(plan: Plan, folder: Path) -> None:
    """Raise `MeasureError` where the folder's disk has no room for what the job writes."""
    if plan.architecture is None:
        return
    needed = 2 * total_parameters(plan.architecture) + (plan.checkpoint_bytes or 0) + (plan.adapter_bytes or 0)
    free = shutil.disk_usage(folder).free
    if free < needed * DISK_SPARE:
        said = f"weights, checkpoint and result need {bytes_text(round(needed * DISK_SPARE))} of disk"
        raise MeasureError(f"{said}, but {folder} has {bytes_text(free)}: name another with --work", misuse=True)


def _refuse_other_rows(ran: Ran, given: Schedule, plan: Plan) -> None:
    """Raise `MeasureError` where the job did not see the rows that it was given: its figures are of other lengths."""
    seen = max((update["longest"] for rank in ran.ranks for update in rank["updates"]), default=0)
    if not (plan.training.packing or ran.ran_out) and seen != max(given.lengths):
        raise MeasureError(f"the longest row has {seen:,} tokens, but was to have {max(given.lengths):,}")


def _exported(estimates: Estimates) -> Mapping[str, str]:
    """The variables that the compiled job exports."""
    from hbspec.targets.job.invocation import invocation

    return invocation(estimates.analysis).environment
