"""The record of a measurement: what was seen, beside what was predicted, in the form that a spec can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hbspec import __version__
from hbspec.api import Estimates
from hbspec.measure.gpus import MachineAtHand
from hbspec.measure.job import Ran
from hbspec.measure.rows import Schedule
from hbspec.plan import Plan
from hbspec.plan.calibration import conditions_of, longest_row
from hbspec.plan.measurement import CPU
from hbspec.plan.measurement_file import DIGEST, FORMAT, VERSION, digest_of
from hbspec.units import Interval

SHIPPED = True
"""Only the shipped script is measured."""


def record_of(ran: Ran, given: Schedule, estimates: Estimates, machine: MachineAtHand, day: str) -> dict[str, Any]:
    """The record of a run.

    Args:
        ran: what the ranks wrote down.
        given: the rows that they were given.
        estimates: of the job as it ran here.
        machine: what it ran on; without GPUs, its CPU.
        day: as 2026-12-01.
    """
    plan, gpu = estimates.plan, machine.gpus[0].called if machine.gpus else CPU
    timed = [] if ran.ran_out else _timed(ran, given)
    record: dict[str, Any] = {
        FORMAT: VERSION,
        "hbspec": __version__,
        "day": day,
        "model": plan.model,
        "place": {
            "gpu": gpu,
            "named": [found.name for found in machine.gpus],
            "driver": machine.driver,
            "cuda": machine.cuda,
        },
        "software": ran.ranks[0]["software"],
        "conditions": conditions_of(plan, shipped=SHIPPED, gpu=gpu),
        "rows": {**_rows(plan, timed), "alike": given.alike},
        "found": {
            "ran_out": ran.ran_out,
            "warm_up_updates": given.warm_up,
            "updates": [
                {key: update[key] for key in ("seconds", "tokens", "real_tokens", "longest")} for update in timed
            ],
            "tokens_per_second_per_gpu": _real_rate(timed, ran),
            "devices": _devices(ran, machine),
            "host_bytes": max(rank["host_bytes"] for rank in ran.ranks),
        },
        "predicted": predicted(estimates) if machine.gpus else None,
    }
    return {**record, DIGEST: digest_of(record)}


def predicted(estimates: Estimates) -> dict[str, Any]:
    """What was predicted for the job as it ran here; null where it is not known."""
    time, memory = estimates.time, estimates.memory
    return {
        "step_seconds": time and time.step_seconds.to_dict(),
        "tokens_per_second_per_gpu": time and time.tokens_per_second_per_gpu.to_dict(),
        "verdict": memory and str(memory.verdict),
        "devices": memory
        and [
            {
                "index": device.index,
                "allocated_bytes": _whole(device.peak_allocated),
                "reserved_bytes": _whole(device.peak_reserved),
                "process_bytes": _whole(device.process),
            }
            for device in memory.devices
        ],
    }


def _whole(size: Interval) -> dict[str, float]:
    return size.map(round).to_dict()


def _timed(ran: Ran, given: Schedule) -> list[dict[str, Any]]:
    """Each timed update over all ranks: the slowest's seconds, and the mean of their tokens."""
    count = len(ran.ranks)
    found = []
    for together in zip(*(rank["updates"][given.warm_up :] for rank in ran.ranks), strict=True):
        sums: dict[str, float] = {
            key: sum(update[key] for update in together) for key in ("tokens", "real_tokens", "rows", "squares")
        }
        found.append(
            {
                **{key: value / count for key, value in sums.items()},
                "seconds": max(update["seconds"] for update in together),
                "longest": max(update["longest"] for update in together),
            }
        )
    return found


def _rows(plan: Plan, timed: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The rows of the timed updates; those that were planned where none was timed."""
    longest = longest_row(plan)
    if not timed:
        tokens = plan.training.micro_batch * plan.padded_row_tokens.expected
        return {"longest": longest, "tokens": tokens, "unevenness": plan.unevenness}
    rows, tokens, squares = (sum(update[key] for update in timed) for key in ("rows", "tokens", "squares"))
    micro_batches = len(timed) * plan.training.gradient_accumulation
    unevenness = 1.0 if plan.training.packing else squares / rows / (tokens / rows) ** 2
    return {"longest": longest, "tokens": tokens / micro_batches, "unevenness": unevenness}


def _real_rate(timed: Sequence[Mapping[str, Any]], ran: Ran) -> float | None:
    """Real tokens per second and process, or per GPU that the only process uses."""
    if not timed:
        return None
    gpus = max(1, len(ran.ranks[0]["devices"])) if len(ran.ranks) == 1 else 1
    return float(sum(update["real_tokens"] for update in timed) / sum(update["seconds"] for update in timed) / gpus)


def _devices(ran: Ran, machine: MachineAtHand) -> list[dict[str, Any]]:
    """Each GPU that the job used, at its most over the ranks; without what others held of it before."""
    found: dict[int, dict[str, Any]] = {}
    for rank in ran.ranks:
        for device in rank["devices"]:
            before = found.get(device["index"], device)
            found[device["index"]] = {key: max(before[key], value) for key, value in device.items()}
    told = []
    for index, device in sorted(found.items()):
        others = machine.gpus[index].used if index < len(machine.gpus) else None
        own = max(device["process_bytes"] - (others or 0), device["reserved_bytes"])
        told.append({**device, "process_bytes": own, "others_bytes": others})
    return told
