"""What a log has said so far, in constant memory: counts, means and extremes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from hbspec.watching.bounds import WatchedBounds
from hbspec.watching.events import (
    LONGEST_ROW,
    MEMORY,
    TOKENS,
    UNEVENNESS,
    Broken,
    Event,
    LoggedEnd,
    LoggedEvaluation,
    LoggedFailure,
    LoggedResume,
    LoggedRun,
    LoggedUpdate,
    Raw,
    events_of,
    update_of,
)
from hbspec.watching.lines import LogLine
from hbspec.watching.pace import Clock, Pace, TimedUpdate

KEPT_UPDATES = 500
"""Timed updates, the last ones, that a calibration record can hold."""
WARM_UP = 3
"""Metric lines after each start that are not a pace: kernels are loaded and memory is reserved."""
STOPPED_AFTER = 3
"""Metric lines in a row that end at the same earlier field, by which they are not cut off: a metric has stopped."""
PAUSE_SECONDS, PAUSE_UPDATES = 600.0, 100.0
"""A pause is longer than so many seconds, in which a checkpoint may be saved, and than so many slowest updates."""
MOST_SECONDS = 10**7
"""Seconds of an update above which a line is taken to be damaged."""


class LogTally:
    """What was read of a log.

    Args:
        bounds: the bounds that are watched.

    Attributes:
        metric_lines: lines of training that were used, whether their updates come for the first time or again.
        broken: metric lines that were cut off or written into, and were not used.
        garbled: lines that are not UTF-8.
        shortened: lines that are longer than what is read of one, or the last one without a line break.
        top: the last update, of all starts.
        after: the update after which the log begins; 0 from the first one on, and where the log does not say.
        again: metric lines of updates that were seen before; `unannounced` of them without a restart before.
        spent: seconds of all updates that were computed, also of those that were repeated after a restart.
        evaluations: each update's once; `first_evaluated` and `evaluated` are the first and the last update of them.
        timed: the last single updates.
        alike: whether all rows have one length, as far as the lines say it.
        grouped: whether lines are means of several updates.
    """

    def __init__(self, bounds: WatchedBounds) -> None:
        self.bounds, self.clock, self.pace = bounds, Clock(), Pace()
        self.lines = self.metric_lines = self.broken = self.garbled = self.shortened = 0
        self.step: int | None = None
        self.top = self.after = self.again = self.unannounced = self.starts = 0
        self.first_loss: float | None = None
        self.last_loss: float | None = None
        self.largest_gradient: float | None = None
        self.memory = self.allocated = self.reserved = 0
        self.spent = self.evaluation_seconds = 0.0
        self.evaluations = self.evaluated = self.first_evaluated = 0
        self.evaluation_loss: float | None = None
        self.run: LoggedRun | None = None
        self.end: LoggedEnd | None = None
        self.failure: LoggedFailure | None = None
        self.timed: deque[TimedUpdate] = deque(maxlen=KEPT_UPDATES)
        self.alike, self.grouped = True, False
        self.raw: Raw = ()
        self._rows: Raw = ()
        self._memory_now = self._fields = self._since_start = 0
        self._shorter = (0, 0)
        self._announced = False

    def take(self, line: LogLine) -> None:
        """Count a line."""
        self.lines += 1
        if line.time is not None:
            self.clock.take(line.time)
        update = update_of(line)
        if update is not None:
            self.update(update)
            return
        if not line.whole:
            self.shortened += 1
        if not line.text.isascii():
            self._count_garbled(line.text)
        for event in events_of(line):
            self.event(event)

    def _count_garbled(self, text: bytes) -> None:
        try:
            text.decode()
        except UnicodeDecodeError:
            self.garbled += 1

    def event(self, event: Event) -> None:
        """Count what a line says."""
        match event:
            case LoggedUpdate():
                self.update(event)
            case LoggedEvaluation():
                self._evaluation(event)
            case LoggedRun():
                self._begin(event)
            case LoggedResume():
                self._announced = True
            case LoggedEnd():
                self.end = event
            case LoggedFailure():
                self.failure = self.failure or event
            case Broken():
                self.broken += 1

    def _begin(self, run: LoggedRun) -> None:
        """A start of the run begins to train."""
        self.starts += 1
        if self.starts == 1 and not self.metric_lines:
            self.after = run.after
        self.run, self.end, self.failure = run, None, None
        self._announced, self._since_start = True, 0
        self.step = run.after
        self.clock.begin()

    def _evaluation(self, event: LoggedEvaluation) -> None:
        """An evaluation; one of an update that was evaluated before counts once."""
        self.clock.metric = self.clock.elapsed
        self.evaluation_seconds += event.seconds or 0.0
        self.first_evaluated = self.first_evaluated or event.step
        if event.step > self.evaluated:
            self.evaluations, self.evaluated = self.evaluations + 1, event.step
        self.evaluation_loss = event.loss

    def update(self, event: LoggedUpdate) -> None:
        """Count a metric line of training."""
        step, _, gradient, seconds, raw, fields = event
        if self._is_cut_off(fields) or (seconds is not None and not 0 <= seconds < MOST_SECONDS):
            self.broken += 1
            return
        self._fields = fields
        self.metric_lines += 1
        if self.clock.known:
            self._look_for_pause(step, seconds or 0.0)
        self.clock.metric = self.clock.elapsed
        if raw[MEMORY:TOKENS] != self.raw[MEMORY:TOKENS]:
            self.hold(raw)
        self.raw = raw
        if gradient is not None and (self.largest_gradient is None or not gradient <= self.largest_gradient):
            self.largest_gradient = gradient
        weight = 1 if self.step is None else max(1, step - self.step)
        again = step <= self.top
        self.bounds.take(event, self._memory_now, weight, again=again)
        if again:
            self._repeat(event, weight)
        else:
            self._once(event, weight)

    def _is_cut_off(self, fields: int) -> bool:
        """Whether a line ends before those that came before it, and no metric has stopped."""
        if fields >= self._fields:
            self._shorter = (0, 0)
            return False
        before, lines = self._shorter
        self._shorter = (fields, lines + 1 if before == fields else 1)
        return self._shorter[1] < STOPPED_AFTER

    def _look_for_pause(self, step: int, seconds: float) -> None:
        """Note if far more time passed since the last metric line than this one tells of; a restart takes its time."""
        if self.step is None or self._announced or self.metric_lines == 1:
            return
        passed = self.clock.elapsed - self.clock.metric - seconds * max(1, step - self.step)
        if passed > max(PAUSE_SECONDS, PAUSE_UPDATES * self.pace.slowest):
            self.clock.pause(passed)

    @property
    def in_order(self) -> bool:
        """Whether the next line of an update is expected to be the next update, of a start that has warmed up."""
        return self.step is not None and self.step == self.top and not self._announced and self._since_start >= WARM_UP

    def take_row(self, losses: Sequence[float], gradient: float, timed: Sequence[TimedUpdate]) -> None:
        """Count single updates in a row, one after the other, of which none breaks a bound.

        Args:
            losses: of each, all finite.
            gradient: the largest norm.
            timed: their seconds and fields, of which at least the last `KEPT_UPDATES`.
        """
        count, first = len(losses), self.top + 1
        self.lines += count
        self.metric_lines += count
        self._since_start += count
        self.step = self.top = self.top + count
        self.clock.metric = self.clock.elapsed
        self.last_loss = losses[-1]
        self.largest_gradient = max(gradient, self.largest_gradient or 0.0)
        self.bounds.take_losses(first, losses)
        self.timed.extend(timed)
        self.raw = timed[-1].raw
        self._fields = 2 + len(self.raw)
        self.hold(self.raw)

    def hold(self, raw: Raw) -> None:
        """The memory that a line tells, which most lines do not change."""
        memory, allocated, reserved = (int(size or 0) for size in raw[MEMORY:TOKENS])
        self._memory_now = memory
        self.memory = max(self.memory, memory)
        self.allocated = max(self.allocated, allocated)
        self.reserved = max(self.reserved, reserved)

    def _repeat(self, event: LoggedUpdate, weight: int) -> None:
        """A line whose update was seen before: after a restart its time was spent again."""
        self.again += 1
        if not self._announced:
            self.unannounced += 1
            return
        self.step = event.step
        self.spent += (event.seconds or 0.0) * weight

    def _once(self, event: LoggedUpdate, weight: int) -> None:
        """A line whose update comes for the first time."""
        seconds = event.seconds
        self._announced = False
        self._since_start += 1
        self.step = self.top = event.step
        if self.first_loss is None:
            self.first_loss = event.loss
        self.last_loss = event.loss
        if seconds is None:
            return
        self.spent += seconds * weight
        settled = self._since_start > WARM_UP
        self.pace.take(seconds, weight, settled=settled)
        if weight > 1:
            self.grouped = True
        elif settled and seconds and event.raw[UNEVENNESS] is not None:
            self._time(seconds, event.raw)

    def _time(self, seconds: float, raw: Raw) -> None:
        """A single update, with its rows."""
        rows = raw[LONGEST_ROW:]
        if rows != self._rows:
            self.see_rows(rows)
        self.timed.append(TimedUpdate(seconds, raw))

    def see_rows(self, rows: Raw) -> None:
        """The longest row and the unevenness of an update, which are the same of all updates where rows are alike."""
        if rows != self._rows:
            self.alike = self.alike and not self._rows and rows[-1] == b"1"
            self._rows = rows
