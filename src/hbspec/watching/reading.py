"""From a source to what it says: the lines of a log are counted as they come, those of a trainer's state at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hbspec.api import Estimates
from hbspec.watching.blocks import take_block
from hbspec.watching.bounds import WatchedBounds
from hbspec.watching.lines import LogBlock, LogLines
from hbspec.watching.state import events_of_state, read_state, runtime_of
from hbspec.watching.tally import LogTally
from hbspec.watching.watched import WatchedLog, watched

ENOUGH = 20_000
"""Lines after which a reader that never pauses is looked at."""


def tally_for(estimates: Estimates) -> LogTally:
    """A tally that watches the bounds of a spec."""
    return LogTally(WatchedBounds(estimates.analysis.spec.monitoring))


def followed(tally: LogTally, lines: LogLines) -> Iterator[bool]:
    """Count all lines; yields whether the source pauses, at each pause and after every `ENOUGH` lines.

    Raises:
        NotALogError: the source is not a text.
        OSError: it cannot be read.
    """
    since = 0
    for line in lines:
        if line is None:
            since = 0
            yield True
            continue
        if isinstance(line, LogBlock):
            take_block(tally, line)
            since += ENOUGH // 20
        else:
            tally.take(line)
            since += 1
        if since >= ENOUGH:
            since = 0
            yield False


def watch_log(estimates: Estimates, lines: LogLines, source: str) -> WatchedLog:
    """A log that has ended, beside the estimates.

    Raises:
        NotALogError: it is not a text.
        OSError: it cannot be read.
    """
    tally = tally_for(estimates)
    for _ in followed(tally, lines):
        pass
    return watched(estimates, tally, source)


def watch_state(estimates: Estimates, path: Path) -> WatchedLog:
    """A `trainer_state.json` beside the estimates.

    Raises:
        NotALogError: it is another file.
        OSError: it cannot be read.
    """
    values, tally = read_state(path), tally_for(estimates)
    for event in events_of_state(values):
        tally.event(event)
    return watched(estimates, tally, str(path), runtime=runtime_of(values))
