"""The claims of a spec, its limits and its bounds against what a log says happened.

Each is held, broken, or cannot be told from this log. What a log says in part is an interval: a job that still runs has
taken at least what it has taken so far. Claims about the endpoint, about prices and about the model's sizes are not
about what a training log holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any, NamedTuple

from hbspec.api import Estimates
from hbspec.claims.quantities import quantity, text_of
from hbspec.claims.sets import ClaimSet, parse_claim
from hbspec.claims.verify import in_currency
from hbspec.diagnostics import NotKnownError
from hbspec.digits import UnitError
from hbspec.showing.secrets import redact
from hbspec.units import Interval, counted, seconds_text
from hbspec.watching.billed import TOO_LONG, WAITED_TOO_LONG, JobBill
from hbspec.watching.bounds import LOSS_IS_NUMBER, TEXTS
from hbspec.watching.events import EPOCH
from hbspec.watching.spent import NOT_LOGGED, STILL_RUNS, Happened, cost, duration, earlier, has_ended, running_time
from hbspec.watching.watched import WatchedLog

HELD, BROKEN, OPEN = "held", "broken", "cannot be told"
SIX_DIGITS = 5e-6
"""Relative error of a number that a metric line holds."""
ABOUT_THE_ENDPOINT = "a training log says nothing about the endpoint"
ABOUT_PRICES = "a training log says nothing about prices"
STOPPED_THERE = "the service stopped the job there"


class Judged(NamedTuple):
    """One claim, limit or bound, and what became of it.

    Attributes:
        key: as in the spec: `training.cost`, `budget.max_cost`.
        claimed: as the author wrote it.
        verdict: held, broken, or cannot be told.
        happened: what the log says, in words.
    """

    key: str
    claimed: str
    verdict: str
    happened: str

    def to_dict(self) -> dict[str, str]:
        """One entry of `judged` in JSON."""
        return {"key": self.key, "claimed": self.claimed, "verdict": self.verdict, "happened": self.happened}


def judged(estimates: Estimates, watched: WatchedLog, bill: JobBill | None = None) -> tuple[Judged, ...]:
    """Every claim of `expect`, the budget, the limits on the time, and every bound of `monitoring`.

    Of a log of another job nothing can be told.

    Args:
        estimates: of the spec.
        watched: the log beside them.
        bill: what the service has billed; None where only a log is known.
    """
    found = (*_claims(estimates, watched, bill), *_limits(estimates, watched, bill), *_bounds(watched))
    if not watched.differences:
        return found
    reason = f"the log is of another job ({watched.differences[0]})"
    return tuple(one._replace(verdict=OPEN, happened=reason) for one in found)


def _claims(estimates: Estimates, watched: WatchedLog, bill: JobBill | None) -> Iterator[Judged]:
    for key, text in estimates.analysis.spec.expect.items():
        entry = quantity(key)
        if entry is None:
            yield Judged(key, redact(text), OPEN, "this quantity does not exist")
            continue
        try:
            claimed = parse_claim(text, entry.kind)
        except UnitError as reason:
            yield Judged(key, redact(text), OPEN, str(reason))
            continue
        found = _happened(key, estimates, watched, bill)
        if isinstance(found, str):
            yield Judged(key, text, OPEN, found)
        else:
            yield _against(key, text, found, claimed, entry.kind, estimates)


def _against(key: str, text: str, found: Happened, claimed: ClaimSet, kind: str, estimates: Estimates) -> Judged:
    """What became of a claim or a limit, in its own currency."""
    try:
        ends = Interval(found.low, found.low, found.high)
        ends, currency = in_currency(estimates.analysis, ends, found.currency, claimed.currency)
    except NotKnownError as reason:
        return Judged(key, text, OPEN, f"needs {reason}")
    found = found._replace(low=ends.low, high=ends.high, currency=currency)
    return Judged(key, text, verdict_on(found, claimed), _said(found, text_of(kind, currency)))


def verdict_on(found: Happened, claimed: ClaimSet) -> str:
    """Held where all values that it can have had are claimed, broken where none is, else it cannot be told."""
    if claimed.low <= found.low and found.high <= claimed.high:
        return HELD
    return BROKEN if found.high < claimed.low or claimed.high < found.low else OPEN


def _said(found: Happened, show: Any) -> str:
    after = f" ({found.partly})" if found.partly else ""
    if found.high == inf:
        return f"at least {show(found.low)}{after}"
    middle = (found.low + found.high) / 2
    low, high = show(found.low), show(found.high)
    return (show(middle) if low == high else f"{low} to {high}") + after


def _happened(key: str, estimates: Estimates, watched: WatchedLog, bill: JobBill | None) -> Happened | str:
    """What the log, or the bill, says of a claimed quantity, or why it says nothing."""
    if key.startswith("deployment."):
        return ABOUT_THE_ENDPOINT
    if key.startswith("price."):
        return ABOUT_PRICES
    if key.startswith("model."):
        return "a training log says nothing about the size of the model"
    if key in OF_THE_BILL:
        return OF_THE_BILL[key](estimates, watched, bill)
    found = OF_TRAINING.get(key)
    return found(estimates, watched) if found else NOT_LOGGED


def _batch(_: Estimates, watched: WatchedLog) -> Happened | str:
    run = watched.tally.run
    if run is None or run.ranks is None or run.micro_batch is None or run.accumulation is None:
        return NOT_LOGGED
    size = run.ranks * run.micro_batch * run.accumulation
    return Happened(size, size)


def _updates(_: Estimates, watched: WatchedLog) -> Happened | str:
    tally = watched.tally
    if has_ended(watched):
        last = max(tally.top, tally.end.last_step) if tally.end is not None else tally.top
        return Happened(last, last)
    planned = tally.run.updates if tally.run is not None else None
    if planned is not None:
        return Happened(tally.top, planned, partly=STILL_RUNS)
    return Happened(tally.top, inf, partly=STILL_RUNS) if tally.metric_lines else NOT_LOGGED


def _examples(_: Estimates, watched: WatchedLog) -> Happened | str:
    end, starts = watched.tally.end, watched.tally.starts
    if end is None or end.examples is None:
        return STILL_RUNS if watched.tally.metric_lines else NOT_LOGGED
    run = watched.tally.run
    if starts != 1 or run is None or run.after:
        return "the log's last line counts the examples of its last start only"
    return Happened(end.examples, end.examples if has_ended(watched) else inf)


def _epochs(_: Estimates, watched: WatchedLog) -> Happened | str:
    raw = watched.tally.raw[EPOCH] if len(watched.tally.raw) > EPOCH else None
    try:
        epoch = float(raw) if raw is not None else None
    except ValueError:
        epoch = None
    if epoch is None:
        return NOT_LOGGED
    most, open_end = (epoch * (1 + SIX_DIGITS), "") if has_ended(watched) else (inf, STILL_RUNS)
    return Happened(epoch * (1 - SIX_DIGITS), most, partly=open_end)


def _step_time(_: Estimates, watched: WatchedLog) -> Happened | str:
    """The mean; of a job that still runs, what it would be if all updates to come took no time."""
    pace, total = watched.tally.pace, watched.forecast.updates
    if pace.mean is None:
        return NOT_LOGGED
    if not has_ended(watched) or watched.tally.after:
        partly = earlier(watched) if has_ended(watched) else STILL_RUNS
        return Happened(pace.seconds / max(total or 0, pace.updates), inf, partly=partly) if total else partly
    return Happened(pace.mean, pace.mean, partly="mean")


def _memory_per_gpu(estimates: Estimates, watched: WatchedLog) -> Happened | str:
    """What metric lines say, after an update each; an evaluation that no line follows may have taken more."""
    tally = watched.tally
    if not tally.memory:
        return NOT_LOGGED
    if not has_ended(watched) or tally.after:
        return Happened(tally.memory, inf, partly=earlier(watched) if has_ended(watched) else STILL_RUNS)
    evaluates = estimates.plan.evaluations != 0 or tally.evaluations
    if evaluates and not 0 < tally.first_evaluated < tally.top:
        return Happened(tally.memory, inf, partly="no metric line follows an evaluation")
    return Happened(tally.memory, tally.memory, partly="at metric lines")


def _memory_total(estimates: Estimates, watched: WatchedLog) -> Happened | str:
    found, hardware = _memory_per_gpu(estimates, watched), estimates.plan.hardware
    if isinstance(found, str) or hardware is None:
        return NOT_LOGGED
    most = f"{hardware.gpus} GPUs, of which the log holds the fullest"
    return found._replace(high=found.high * hardware.gpus, partly=most if hardware.gpus > 1 else found.partly)


OF_THE_BILL = {"training.duration": duration, "training.cost": cost}
OF_TRAINING = {
    "training.effective_batch_size": _batch,
    "training.optimizer_steps": _updates,
    "training.examples_processed": _examples,
    "training.epochs": _epochs,
    "training.step_time": _step_time,
    "training.memory_total": _memory_total,
    "training.memory_per_gpu": _memory_per_gpu,
}


def _limits(estimates: Estimates, watched: WatchedLog, bill: JobBill | None) -> Iterator[Judged]:
    """The budget, and the limits on the time."""
    budget = estimates.analysis.spec.budget
    if budget is not None and budget.max_cost is not None:
        most = budget.max_cost
        claimed = ClaimSet(-inf, float(most.amount), most.currency)
        yield _limit("budget.max_cost", str(most), cost(estimates, watched, bill), claimed, estimates)
    limit, wait = estimates.plan.max_runtime, estimates.analysis.spec.instance.max_wait
    if limit is not None:
        if bill is not None and bill.last.secondary == TOO_LONG:
            yield Judged("instance.max_runtime", seconds_text(limit), BROKEN, STOPPED_THERE)
        else:
            found = running_time(estimates, watched, bill)
            yield _limit("instance.max_runtime", seconds_text(limit), found, ClaimSet(-inf, limit), estimates)
    if wait is not None and bill is not None and bill.last.secondary == WAITED_TOO_LONG:
        yield Judged("instance.max_wait", seconds_text(wait), BROKEN, STOPPED_THERE)


def _limit(key: str, text: str, found: Happened | str, most: ClaimSet, estimates: Estimates) -> Judged:
    if isinstance(found, str):
        return Judged(key, text, OPEN, found)
    return _against(key, text, found, most, "money" if most.currency else "seconds", estimates)


def _bounds(watched: WatchedLog) -> Iterator[Judged]:
    """The bounds of `monitoring`, and that the loss is a number."""
    broken, limits = {breach.bound: breach for breach in watched.broken}, watched.tally.bounds.limits
    if LOSS_IS_NUMBER in broken:
        yield Judged("loss", "a number", BROKEN, broken[LOSS_IS_NUMBER].text)
    for bound, limit in limits.items():
        claimed = f"{limit:,.0f} updates" if bound.endswith("decreasing_over") else TEXTS[bound](limit or 0)
        if bound in broken:
            yield Judged(bound, claimed, BROKEN, broken[bound].text)
        elif bound in watched.unseen:
            yield Judged(bound, claimed, OPEN, watched.unseen[bound])
        elif reason := _unseen_part(watched, bound):
            yield Judged(bound, claimed, OPEN, f"held so far; {reason}")
        else:
            yield Judged(bound, claimed, HELD, f"in all {watched.tally.metric_lines:,} metric lines")


def _unseen_part(watched: WatchedLog, bound: str) -> str:
    """Why a bound that is not broken may have been broken where this log does not look; empty where it looks at all."""
    tally = watched.tally
    if not has_ended(watched):
        return STILL_RUNS
    if tally.after:
        return earlier(watched)
    if tally.broken:
        return f"{counted(tally.broken, 'metric line')} cut off"
    if unsaid := tally.bounds.unsaid[bound]:
        return f"{counted(unsaid, 'metric line')} of {tally.metric_lines:,} without it"
    return "" if watched.whole else "the log was not read to its end"
