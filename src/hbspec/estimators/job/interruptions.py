"""The time that interruptions add to a managed-spot job: repeated work, restarts, and waiting."""

from __future__ import annotations

from collections.abc import Mapping
from math import expm1

from hbspec.estimators.constants import INTERRUPTIONS_PER_HOUR, SPOT_WAIT_SECONDS
from hbspec.plan import Plan
from hbspec.units import HOUR, Interval

LOST, RESTARTS, WAITS = "lost_work", "restarts", "spot_waits"
RESTARTED = ("image_pull", "weights_download", "data_download", "data_stream", "load")
WORK = ("steps", "evaluation")

NEVER = 50.0
"""The largest number of interruptions counted per segment; with more, the job practically never ends."""


def interruptions(plan: Plan, phases: Mapping[str, Interval]) -> Mapping[str, Interval]:
    """Seconds by phase that interruptions are expected to add; empty on demand.

    Work is divided into k segments of s = work / k seconds, each ending with a checkpoint that survives; without
    checkpoints the whole job is one segment. Instances are interrupted at random, at the rate a (for all instances of a
    job together, since one missing instance stops all), and the segment starts again. Then, with r seconds per restart,

        stretch = (e^(a s) - 1) / (a s)    lost work = work (stretch - 1)    restarts = r x a x work x stretch

    (J. T. Daly, A higher order estimate of the optimum checkpoint interval for restart dumps, FGCS 22, 2006, without
    failures of the restart itself). For small a s, that is half a segment for each of a x work interruptions. Left out:
    interruptions of starts, checkpoints, merge and upload, the 120 s in which a script may still save, and the
    clustering of interruptions.

    Args:
        plan: the plan; without `spot` nothing is added.
        phases: seconds by phase without interruptions.

    Raises:
        NotKnownError: the hardware or the counts are not known.
    """
    if not plan.spot:
        return {}
    instances = plan.require("hardware").instances
    updates = plan.updates
    every = plan.saves_every if plan.checkpoints_survive else None
    segments = max(1.0, updates / every) if every else 1.0
    work = sum((phases[name] for name in WORK if name in phases), Interval.exact(0))
    start = sum((phases[name] for name in RESTARTED if name in phases), Interval.exact(0))
    undisturbed = work * INTERRUPTIONS_PER_HOUR * (instances / HOUR)
    stretched = undisturbed.map(lambda times: _stretched(times / segments))
    times = undisturbed * stretched
    waits = {WAITS: SPOT_WAIT_SECONDS * (times + 1)} if "startup" in phases else {}
    return {LOST: work * stretched.map(lambda factor: factor - 1), RESTARTS: start * times, **waits}


def _stretched(times: float) -> float:
    """The factor on the time of a segment with `times` expected interruptions: (e^x - 1) / x."""
    times = min(times, NEVER)
    return max(1.0, expm1(times) / times) if times else 1.0
