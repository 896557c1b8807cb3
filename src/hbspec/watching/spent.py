"""What a job took and cost: as the service billed it, else as its log and the predicted phases have it.

A job that still runs has taken at least what it has taken so far; so has one that failed or was stopped, since its next
attempt is billed too.
"""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

from hbspec.api import Estimates
from hbspec.estimators.job.cost import Cost
from hbspec.estimators.job.time import UPLOAD
from hbspec.units import Interval, counted
from hbspec.watching.billed import COMPLETED, JobBill, billed_cost
from hbspec.watching.forecast import is_finished
from hbspec.watching.watched import SeenBeside, WatchedLog

NOT_LOGGED = "the log does not say it"
STILL_RUNS = "the job has not ended in this log"
NO_BILL = "the price, or the time, is not known"
PREDICTED = "with predicted phases"
NOTHING = Interval.exact(0)


class Happened(NamedTuple):
    """The values that a quantity can have had, as far as is known; `currency` of an amount."""

    low: float
    high: float
    currency: str | None = None
    partly: str = ""


class SeenBill(NamedTuple):
    """A bill, and its rows beside what was predicted."""

    bill: JobBill
    rows: tuple[SeenBeside, ...]

    def to_dict(self) -> dict[str, Any]:
        """The `bill` of `hbspec verify --format json`."""
        return {**self.bill.to_dict(), "compared": [row.to_dict(compared=True) for row in self.rows]}


def has_ended(watched: WatchedLog) -> bool:
    """Whether the log reaches the end of the run."""
    return is_finished(watched.tally, watched.forecast.updates)


def earlier(watched: WatchedLog) -> str:
    """That a log does not hold the updates of the starts before it, in words."""
    return f"updates 1 to {watched.tally.after:,} are not in this log"


def cost(estimates: Estimates, watched: WatchedLog, bill: JobBill | None) -> Happened | str:
    """The cost of the job."""
    if bill is not None:
        told = billed_cost(estimates, bill)
        if told is None:
            return NO_BILL if bill.told_seconds is not None else _untold(bill)
        ends = Happened(float(told.low), float(told.high), told.currency, _billed(bill))
        return ends if bill.is_final else ends._replace(high=inf, partly=f"{_billed(bill)}; {_unfinished(bill)}")
    end, so_far = watched.forecast.cost_at_end, watched.forecast.cost
    if end is None or so_far is None:
        return NO_BILL
    if watched.tally.after:
        return Happened(float(so_far.low), inf, so_far.currency, earlier(watched))
    if has_ended(watched):
        return Happened(float(end.low), float(end.high), end.currency, f"billed time {PREDICTED} x price")
    return Happened(float(so_far.low), inf, so_far.currency, STILL_RUNS)


def duration(estimates: Estimates, watched: WatchedLog, bill: JobBill | None) -> Happened | str:
    """Seconds from the request to the end, of all attempts together; without the pauses between them."""
    if bill is not None:
        took = [one.total_seconds or one.training_seconds for one in bill.attempts]
        told = [seconds for seconds in took if seconds is not None]
        if not told:
            return _untold(bill)
        final = bill.is_final and all(one.total_seconds is not None for one in bill.attempts)
        return Happened(sum(told), sum(told)) if final else Happened(sum(told), inf, partly=_unfinished(bill))
    found = _logged_time(estimates, watched)
    if isinstance(found, str) or estimates.time is None or found.high == inf:
        return found
    startup = estimates.time.phases.get("startup", NOTHING)
    return found._replace(low=found.low + startup.low, high=found.high + startup.high)


def running_time(estimates: Estimates, watched: WatchedLog, bill: JobBill | None) -> Happened | str:
    """Seconds that count towards the runtime limit, of the attempt whose log is read.

    The service copies the model after the job has ended in time; how much of the attempt's time that is, is predicted.
    """
    if bill is None:
        return _logged_time(estimates, watched)
    ran = bill.last.training_seconds
    if ran is None:
        return _untold(bill)
    if not bill.last.ended:
        return Happened(ran, inf, partly=_unfinished(bill))
    upload = estimates.time.phases.get(UPLOAD, NOTHING).high if estimates.time else ran
    return Happened(max(0.0, ran - upload), ran, partly="" if upload == 0 else "at most, with the upload")


def beside_estimates(estimates: Estimates, bill: JobBill) -> SeenBill:
    """Billed seconds of each instance, and the cost, beside what was predicted; not compared before the job is over."""
    predicted, planned = estimates.time and estimates.time.billed_seconds, estimates.cost
    seconds, told = bill.billable_seconds, billed_cost(estimates, bill)
    billed = Interval.exact(seconds) if seconds is not None and bill.is_final else None
    rows = [SeenBeside("billed", "seconds", predicted, billed, "of each instance")]
    if planned is not None:
        paid = _amounts(told) if told is not None and bill.is_final else None
        rows.append(SeenBeside(f"cost in {planned.currency}", "number", _amounts(planned), paid))
    return SeenBill(bill, tuple(rows))


def _amounts(cost: Cost) -> Interval:
    return Interval(float(cost.low), float(cost.expected), float(cost.high))


def _logged_time(estimates: Estimates, watched: WatchedLog) -> Happened | str:
    """Seconds that are billed of each instance, as the log has them."""
    billed, so_far = watched.forecast.billed_at_end, watched.forecast.billed
    if estimates.time is None or so_far is None:
        return NOT_LOGGED
    if watched.tally.after:
        return Happened(so_far.low, inf, partly=earlier(watched))
    if has_ended(watched) and billed is not None:
        return Happened(billed.low, billed.high, partly=PREDICTED)
    return Happened(so_far.low, inf, partly=STILL_RUNS)


def _billed(bill: JobBill) -> str:
    """What the amount is of, in words."""
    attempts = f" of {counted(len(bill.attempts), 'attempt')}" if len(bill.attempts) > 1 else ""
    saved = "" if bill.saved is None else f", {bill.saved:.0%} saved by spot"
    return f"billed seconds{attempts} x price{saved}"


def _unfinished(bill: JobBill) -> str:
    last = bill.last
    if not last.ended:
        return f"the job is {last.status}"
    if last.status == COMPLETED:
        return "the service has not said all of it yet"
    return f"the job is {last.status}: another attempt adds to it"


def _untold(bill: JobBill) -> str:
    return f"the service has not said what is billed (the job is {bill.last.status})"
