"""A job's log beside its estimates: what was predicted, what was measured, what broke, and when it will end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from hbspec.api import Estimates
from hbspec.estimators.training.devices import Memory
from hbspec.units import Interval, counted, seconds_text
from hbspec.watching.bounds import FASTEST, GPU_MEMORY, GRADIENT, LOSS_DECREASES, SLOWEST, Breach, plain
from hbspec.watching.events import SAYS, STOPPED_KIND
from hbspec.watching.forecast import Forecast, forecast, is_finished
from hbspec.watching.matching import differences, notes_on_digest
from hbspec.watching.tally import LogTally

Unit = Literal["seconds", "bytes", "number"]
AS_PREDICTED, ABOVE, BELOW, PARTLY, NOT_COMPARED = "as predicted", "above", "below", "partly", "not compared"

ANOTHER_JOB = "the log is of another job"
SILENT_SECONDS, SILENT_UPDATES = 120.0, 10.0
"""A metric has stopped where no line of it came for so many seconds, and for so many times the slowest update."""


class SeenBeside(NamedTuple):
    """A quantity, predicted and measured.

    Attributes:
        unit: of both, in base units.
        predicted: None where nothing is predicted.
        measured: None where the log does not say it (yet).
        remark: what the measured value is, where its name does not say it.
    """

    name: str
    unit: Unit
    predicted: Interval | None
    measured: Interval | None
    remark: str = ""

    @property
    def verdict(self) -> str:
        """Where the measured value lies: inside the predicted interval, above it, below it, or partly in it."""
        predicted, measured = self.predicted, self.measured
        if predicted is None or measured is None:
            return NOT_COMPARED
        if predicted.low <= measured.low and measured.high <= predicted.high:
            return AS_PREDICTED
        if measured.low > predicted.high:
            return ABOVE
        return BELOW if measured.high < predicted.low else PARTLY

    def to_dict(self, *, compared: bool) -> dict[str, Any]:
        """One entry of `compared` in JSON."""
        return {
            "name": self.name,
            "unit": self.unit,
            "predicted": self.predicted and self.predicted.to_dict(),
            "measured": self.measured and {name: plain(end) for name, end in self.measured.to_dict().items()},
            "verdict": self.verdict if compared else NOT_COMPARED,
            "remark": self.remark,
        }


class WatchedLog(NamedTuple):
    """A log beside the estimates.

    Attributes:
        source: the name of the log.
        state: how far the job is, in words.
        differences: why the log is of another job; nothing is compared then.
        notes: what is odd about the log.
        rows: each quantity, predicted and measured.
        broken: bounds that broke.
        unseen: bounds that the log does not say anything about, with the reason.
        whole: whether the log was read to its end, as far as it was written.
    """

    source: str
    state: str
    tally: LogTally
    forecast: Forecast
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    rows: tuple[SeenBeside, ...]
    broken: tuple[Breach, ...]
    unseen: Mapping[str, str]
    whole: bool = True

    @property
    def ok(self) -> bool:
        """Whether no bound broke, the job did not fail, and nothing says that the log is cut off or of another job."""
        return self.whole and not (self.broken or self.differences or self.failed)

    @property
    def failed(self) -> bool:
        """Whether the log says that the job failed, rather than that it was stopped."""
        failure = self.tally.failure
        return failure is not None and failure.kind != STOPPED_KIND

    def breaking_off(self, reasons: Sequence[str]) -> WatchedLog:
        """The same of a log whose source failed before its end, for these reasons; unchanged without one."""
        lines = counted(self.tally.lines, "line")
        said = (f"the log was not read to its end, but only {lines}: {reason}" for reason in reasons)
        return self._replace(notes=(*self.notes, *said), whole=self.whole and not reasons)

    def to_dict(self) -> dict[str, Any]:
        """The document that `hbspec watch --format json` prints."""
        tally, seen = self.tally, self.forecast
        return {
            "format_version": 1,
            "log": self.source,
            "state": self.state,
            "update": tally.top,
            "updates": seen.updates,
            "loss": {
                "first": None if tally.first_loss is None else plain(tally.first_loss),
                "last": None if tally.last_loss is None else plain(tally.last_loss),
                "evaluation": None if tally.evaluation_loss is None else plain(tally.evaluation_loss),
            },
            "another_job": list(self.differences),
            "notes": list(self.notes),
            "whole": self.whole,
            "compared": [row.to_dict(compared=not self.differences) for row in self.rows],
            "broken": [breach.to_dict() for breach in self.broken],
            "not_seen": dict(self.unseen),
            "remaining_seconds": seen.remaining and seen.remaining.to_dict(),
            "billed_seconds": seen.billed and seen.billed.to_dict(),
            "billed_seconds_at_end": seen.billed_at_end and seen.billed_at_end.to_dict(),
            "limit_seconds": seen.limit,
            "cost": seen.cost and seen.cost.amounts(),
            "cost_at_end": seen.cost_at_end and seen.cost_at_end.amounts(),
        }


def watched(estimates: Estimates, tally: LogTally, source: str, *, runtime: float | None = None) -> WatchedLog:
    """What a log says so far, beside the estimates.

    Args:
        estimates: of the spec.
        tally: of the log.
        source: the name of the log.
        runtime: seconds of training with evaluations and saves, where they are known as a whole.
    """
    seen, unlike = forecast(estimates, tally), differences(estimates.analysis, tally)
    if unlike:  # what is predicted is of another job, and so would be what is left of it
        seen = Forecast(seen.updates, None, None, None, None, None, None)
    return WatchedLog(
        source=source,
        state=state_of(tally, seen.updates),
        tally=tally,
        forecast=seen,
        differences=unlike,
        notes=(*notes_on_log(tally), *notes_on_digest(estimates.analysis, tally.run)),
        rows=tuple(_rows(estimates, tally, seen, runtime)),
        broken=tuple(tally.bounds.broken.values()),
        unseen=dict.fromkeys(tally.bounds.limits, ANOTHER_JOB) if unlike else dict(_unseen(tally)),
    )


def state_of(tally: LogTally, updates: int | None) -> str:
    """How far a job is, in words."""
    if tally.failure is not None and tally.failure.kind != STOPPED_KIND:
        return f"failed ({tally.failure.kind}): {tally.failure.text}"
    if tally.end is not None and tally.end.stopped_by is not None:
        return f"stopped by {tally.end.stopped_by} after update {tally.end.last_step:,}"
    if tally.end is not None:
        return f"done after update {tally.end.last_step:,}"
    if is_finished(tally, updates):
        return f"all {counted(updates or 0, 'update')} are computed; the log does not say that the job ended"
    if not tally.metric_lines:
        return "no update yet"
    return f"update {tally.top:,} of {updates:,}" if updates else f"update {tally.top:,}"


def notes_on_log(tally: LogTally) -> Iterator[str]:
    """What is odd about a log."""
    if not tally.metric_lines:
        yield f"the log holds no metric of training; a line of the shipped script reads `{SAYS}`"
    if tally.starts > 1 or (tally.again and tally.again > tally.unannounced):
        repeated = tally.again - tally.unannounced
        again = f": {counted(repeated, 'metric line')} of updates that were computed again count once"
        yield counted(max(tally.starts, 2), "start") + (again if repeated else ", each after the last update before")
    if tally.unannounced:
        lines = counted(tally.unannounced, "metric line")
        yield f"{lines} of updates that came before, without a restart: printed by several ranks? They count once"
    if tally.broken:
        yield f"{counted(tally.broken, 'metric line')} cut off, or written into each other: not used"
    if tally.shortened:
        yield f"{counted(tally.shortened, 'line')} too long, or without a line break at the end: not read as metrics"
    if tally.garbled:
        yield f"{counted(tally.garbled, 'line')} not UTF-8"
    clock = tally.clock
    if clock.back:
        times = "once" if clock.back == 1 else f"{clock.back:,} times"
        yield f"the clock goes back {times}, by up to {seconds_text(clock.farthest)}: that counts as no time"
    if clock.pauses:
        often = "once" if clock.pauses == 1 else f"{clock.pauses:,} times"
        far = f"{often}, for up to {seconds_text(clock.longest)}"
        yield f"no metric {far}, and then the next update: the job stood still, or the clock went forward"
    for bound, lacking in tally.bounds.unsaid.items():
        if 0 < lacking < tally.metric_lines:
            yield f"{bound} is not watched in {lacking:,} of {counted(tally.metric_lines, 'metric line')}: they lack it"
    quiet = clock.elapsed - clock.metric
    if tally.metric_lines and tally.end is None and is_silent(tally, quiet):
        yield f"no metric for {seconds_text(quiet)} up to the last line, while an update takes {_slowest(tally)}"


def is_silent(tally: LogTally, seconds: float) -> bool:
    """Whether a metric line is overdue after so many seconds without one."""
    return seconds > max(SILENT_SECONDS, SILENT_UPDATES * tally.pace.slowest)


def _slowest(tally: LogTally) -> str:
    return f"at most {seconds_text(tally.pace.slowest)}" if tally.pace.updates else "a time that the log does not say"


def _rows(estimates: Estimates, tally: LogTally, seen: Forecast, runtime: float | None) -> Iterator[SeenBeside]:
    time, memory = estimates.time, estimates.memory
    pace = tally.pace
    process, allocated, reserved = _of_fullest(memory)
    mean = None if pace.mean is None else Interval.exact(pace.mean)
    ends = f"{seconds_text(pace.fastest)} to {seconds_text(pace.slowest)}" if pace.updates else ""
    yield SeenBeside("update", "seconds", time and time.step_seconds, mean, ends and f"mean; single lines {ends}")
    sizes = (
        ("GPU memory", process, tally.memory, "in use on the fullest GPU, at most"),
        ("allocated", allocated, tally.allocated, "peak of the fullest GPU"),
        ("reserved", reserved, tally.reserved, "peak of the fullest GPU"),
    )
    for name, predicted, size, remark in sizes:
        yield SeenBeside(name, "bytes", predicted, Interval.exact(size) if size else None, remark)
    yield from _phases(estimates, tally, seen, runtime)
    if time is not None:
        measured = seen.billed_at_end if tally.metric_lines else None  # else it is the prediction itself
        yield SeenBeside("billed at the end", "seconds", time.billed_seconds, measured, "of each instance")


def _of_fullest(memory: Memory | None) -> tuple[Interval | None, Interval | None, Interval | None]:
    """Bytes of the process, allocated and reserved on the fullest GPU; None where they are not known."""
    if memory is None:
        return None, None, None
    fullest = memory.fullest
    return fullest.process, fullest.peak_allocated, fullest.peak_reserved


def _phases(estimates: Estimates, tally: LogTally, seen: Forecast, runtime: float | None) -> Iterator[SeenBeside]:
    """The phases that the log tells apart, each as far as it is complete."""
    phases = dict(estimates.time.phases) if estimates.time else {}
    clock, done = tally.clock, is_finished(tally, seen.updates)

    def predicted(*names: str) -> Interval | None:
        found = [phases[name] for name in names if name in phases]
        return sum(found, Interval.exact(0)) if found else None

    if clock.begun is not None and clock.known:
        load = predicted("weights_download", "data_stream", "load")
        yield SeenBeside("until training", "seconds", load, Interval.exact(clock.begun), "from the first line")
    if done and tally.pace.updates:
        yield SeenBeside("all updates", "seconds", predicted("steps"), Interval.exact(tally.spent))
    around = predicted("evaluation", "checkpoints")
    if done and clock.begun is not None and clock.known and tally.starts == 1:
        rest = max(0.0, clock.metric - clock.begun - tally.spent)
        took = Interval(max(0.0, rest - clock.paused), rest, rest)
        yield SeenBeside("evaluations, saves", "seconds", around, took, "between updates")
    if runtime is not None:
        whole = predicted("steps", "evaluation", "checkpoints")
        yield SeenBeside("training", "seconds", whole, Interval.exact(runtime), "with evaluations and saves")


def _unseen(tally: LogTally) -> Iterator[tuple[str, str]]:
    """The bounds of which the log says nothing."""
    lacking = {
        GPU_MEMORY: (tally.memory > 0, "the log holds no memory of a GPU"),
        FASTEST: (tally.pace.updates > 0, "the log holds no time of an update"),
        SLOWEST: (tally.pace.updates > 0, "the log holds no time of an update"),
        GRADIENT: (tally.largest_gradient is not None, "the log holds no norm of gradients"),
        LOSS_DECREASES: (tally.bounds.compared, "the log does not reach the end of a window"),
    }
    for bound in tally.bounds.limits:
        was_seen, reason = lacking[bound]
        if not was_seen:
            yield bound, reason
