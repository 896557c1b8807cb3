"""When a job will end, what is billed of it until then, and what it costs: measured so far, and predicted from there.

What is left of a job:
remaining = updates to come x pace so far + evaluations and saves to come, each as predicted + what follows the steps.

The pace lies between the fastest and the slowest ten metric lines so far (`hbspec.watching.pace`). What a log does not
hold stays as predicted: where lines have times, the pull of the image and the installation before the first line; else
everything before the first update, and evaluations and saves. Left out: further interruptions and restarts.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from hbspec.api import Estimates
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.cost import Cost, cost
from hbspec.estimators.job.interruptions import LOST, RESTARTS
from hbspec.estimators.job.phases import AFTER_STEPS
from hbspec.estimators.job.time import NOT_BILLED, UPLOAD, Time
from hbspec.units import Interval
from hbspec.watching.matching import updates_of
from hbspec.watching.tally import LogTally

NONE = Interval.exact(0)
SO_FAR, TO_COME = "so_far", "to_come"
INSTALLED = ("image_pull",)
"""Phases before the first line of a log."""


class Forecast(NamedTuple):
    """What a job has taken, and what it will take to its end; None where that is not known.

    Attributes:
        updates: of the whole run.
        remaining: seconds until training and what follows it end; without the upload.
        billed: billed seconds so far, of each instance.
        billed_at_end: the same at the end.
        limit: seconds after which the service stops the job; None without a limit.
        cost, cost_at_end: the bill so far, and at the end.
    """

    updates: int | None
    remaining: Interval | None
    billed: Interval | None
    billed_at_end: Interval | None
    limit: float | None
    cost: Cost | None
    cost_at_end: Cost | None


def forecast(estimates: Estimates, tally: LogTally) -> Forecast:
    """The forecast of a job, from its estimates and its log."""
    total = updates_in(estimates, tally)
    time = estimates.time
    if time is None:
        return Forecast(total, _updates_to_come(tally, total, None), None, None, None, None, None)
    remaining = _remaining(estimates, tally, time, total)
    so_far = _so_far(estimates, tally, time)
    upload = time.phases.get(UPLOAD, NONE)
    now = time._replace(phases={SO_FAR: so_far}, limit=None)
    end = remaining and time._replace(phases={SO_FAR: so_far, TO_COME: remaining, UPLOAD: upload})
    return Forecast(
        updates=total,
        remaining=remaining,
        billed=so_far,
        billed_at_end=end and end.billed_seconds,
        limit=time.limit,
        cost=_cost(estimates, now),
        cost_at_end=_cost(estimates, end) if end else None,
    )


def updates_in(estimates: Estimates, tally: LogTally) -> int | None:
    """The updates of the whole run: as the log says, else as planned."""
    logged = tally.run.updates if tally.run is not None else None
    return logged or updates_of(estimates.plan)


def is_finished(tally: LogTally, total: int | None) -> bool:
    """Whether the last update was computed, or the log says that the run ended by itself."""
    if tally.end is not None and tally.end.stopped_by is None:
        return True
    return total is not None and tally.top >= total


def _updates_to_come(tally: LogTally, total: int | None, predicted: Interval | None) -> Interval | None:
    pace = tally.pace.coming or predicted
    if is_finished(tally, total):
        return NONE
    return None if pace is None or total is None else pace * (total - tally.top)


def _remaining(estimates: Estimates, tally: LogTally, time: Time, total: int | None) -> Interval | None:
    updates = _updates_to_come(tally, total, time.step_seconds)
    if updates is None:
        return None
    if tally.end is not None and tally.end.stopped_by is None:
        return NONE
    after = sum((took for name, took in time.phases.items() if name in AFTER_STEPS and name not in OF_SAVES), NONE)
    evaluations = max(0, (estimates.plan.evaluations or 0) - tally.evaluations)
    each, save = _each_evaluation(estimates, tally, time), _each_save(estimates, time)
    return updates + each * evaluations + save * _saves(estimates, total or 0, after=tally.top) + after


OF_SAVES = ("checkpoints", UPLOAD)
"""Phases after the steps that are counted apart: by saves, and by the bill."""


def _each_evaluation(estimates: Estimates, tally: LogTally, time: Time) -> Interval:
    """Seconds of an evaluation: as measured where the log says it, else as predicted."""
    if tally.evaluations and tally.evaluation_seconds:
        return Interval.exact(tally.evaluation_seconds / tally.evaluations)
    planned = estimates.plan.evaluations
    return time.phases.get("evaluation", NONE) * (1 / planned) if planned else NONE


def _each_save(estimates: Estimates, time: Time) -> Interval:
    """Seconds of a save, with its share of the copy that the job waits for at the end."""
    planned = updates_of(estimates.plan)
    saves = _saves(estimates, planned or 0, after=0)
    return time.phases.get("checkpoints", NONE) * (1 / saves) if saves else NONE


def _saves(estimates: Estimates, total: int, *, after: int) -> int:
    """Saves after an update: one every `save_steps`, and one at the end."""
    every = estimates.plan.saves_every
    return max(0, ceil(total / every) - int(after // every)) if every and after < total else 0


def _so_far(estimates: Estimates, tally: LogTally, time: Time) -> Interval:
    """Billed seconds until the last line."""
    if tally.clock.known:
        before = sum((time.phases.get(name, NONE) for name in INSTALLED), NONE)
        shown = Interval(0, before.expected, before.high) + tally.clock.elapsed
        return Interval(shown.low - tally.clock.paused, shown.expected, shown.high)  # the clock may have gone forward
    apart = (*NOT_BILLED, *AFTER_STEPS, "steps", "evaluation", LOST, RESTARTS)
    before = sum((took for name, took in time.phases.items() if name not in apart), NONE)
    before += Interval(0, before.expected, before.high) * max(0, tally.starts - 1)  # of each restart, at most as much
    saved = _saves(estimates, tally.top, after=0) if is_finished(tally, updates_in(estimates, tally)) else 0
    every = estimates.plan.saves_every
    saved = max(saved, int(tally.top // every) if every else 0)
    took = tally.spent if tally.pace.updates else 0.0
    steps = Interval.exact(took) if took else time.step_seconds * tally.top
    each = _each_evaluation(estimates, tally, time)
    return before + steps + each * tally.evaluations + _each_save(estimates, time) * saved


def _cost(estimates: Estimates, time: Time) -> Cost | None:
    try:
        return cost(estimates.plan, time)
    except NotKnownError:
        return None
