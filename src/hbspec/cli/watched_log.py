"""The log that a command names, read to its end or followed, and drawn meanwhile on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING

from hbspec.cli.command import MisuseError
from hbspec.cli.job_log import job_log, names_a_job

if TYPE_CHECKING:
    from hbspec.api import Estimates
    from hbspec.render.lines import Line
    from hbspec.watching import LogLines, WatchedLog
    from hbspec.watching.tally import LogTally

ENDED_SECONDS = 2.0
"""A followed file is left when nothing has come for so long after the line with which a job ends."""


def watched_log(estimates: Estimates, log: str | None, *, follow: bool, shown: bool) -> WatchedLog:
    """A log beside the estimates. Ctrl-C ends what is followed, not the command.

    Args:
        estimates: of the spec.
        log: a path, `-`, or the name of a training job; None for the last attempt of the spec's own.
        follow: read on as the file grows.
        shown: whether to draw on a terminal; elsewhere standard error says what happens meanwhile.

    Raises:
        MisuseError: the log is not one, or standard input is closed.
        OSError: it cannot be read.
    """
    from hbspec.watching import NotALogError, is_state, lines_of, tally_for, watch_state, watched

    if log is None or names_a_job(log):
        job, told, broken_off = job_log(estimates, log, follow=follow)
        tally = tally_for(estimates)
        _follow(told, tally, Meanwhile(estimates, tally, job), shown=shown) if follow else _read(told, tally)
        return watched(estimates, tally, job).breaking_off(broken_off)
    path = Path(log)
    if log != "-" and path.is_dir():
        raise MisuseError(f"{log} is a folder: give the log's file")
    try:
        if log != "-" and is_state(path):
            return watch_state(estimates, path)
        tally = tally_for(estimates)
        lines, ends = lines_of(_chunks(log, follow=follow)), not (follow or log == "-" or path.is_fifo())
        _read(lines, tally) if ends else _follow(lines, tally, Meanwhile(estimates, tally, log), shown=shown)
    except NotALogError as reason:
        raise MisuseError(f"{log} {reason}") from None
    return watched(estimates, tally, "standard input" if log == "-" else log)


def _chunks(log: str, *, follow: bool) -> Iterator[bytes | None]:
    from hbspec.watching import file_chunks, pipe_chunks

    path = Path(log)
    if path.is_fifo():
        return pipe_chunks(os.open(path, os.O_RDONLY))
    if log != "-":
        return file_chunks(path, follow=follow)
    try:
        return pipe_chunks(sys.stdin.fileno())
    except (AttributeError, OSError, ValueError):
        raise MisuseError("standard input is closed") from None


def _read(lines: LogLines, tally: LogTally) -> None:
    """Count the lines to their end."""
    from hbspec.watching import followed

    for _ in followed(tally, lines):
        pass


def _follow(lines: LogLines, tally: LogTally, said: Meanwhile, *, shown: bool) -> None:
    """Count the lines to their end, to that of the job, or to Ctrl-C."""
    from hbspec.render.live import live_page
    from hbspec.watching import followed

    drawn = shown and sys.stdout.isatty()
    try:
        with live_page(sys.stdout, drawn=drawn) as draw:
            for paused in followed(tally, lines):
                draw(said.page)
                if not drawn:
                    said.tell()
                if paused and said.is_over():
                    break
    except KeyboardInterrupt:
        sys.stderr.write("\n")


class Meanwhile:
    """What is shown while a log is followed."""

    def __init__(self, estimates: Estimates, tally: LogTally, log: str) -> None:
        self._estimates, self._tally = estimates, tally
        self._log = "standard input" if log == "-" else log
        self._told: set[str] = set()
        self._metrics, self._since = 0, monotonic()

    def page(self) -> Iterator[Line]:
        """The lines of the page, with what a pause means."""
        from hbspec.render.paint import columns
        from hbspec.render.watched import watched_lines
        from hbspec.watching import watched

        found = watched(self._estimates, self._tally, self._log)
        found = found._replace(notes=(*found.notes, *self._silence()))
        return watched_lines(found, columns(), now=time())

    def tell(self) -> None:
        """Say on standard error what broke or stopped, once each."""
        for breach in self._tally.bounds.broken.values():
            self._say(breach.bound, f"broken: {breach.bound}: {breach.text}")
        for text in self._silence():
            self._say(f"silent {self._metrics}", text)

    def _say(self, key: str, text: str) -> None:
        from hbspec.render.paint import write

        if key not in self._told:
            self._told.add(key)
            write(((("", f"hbspec: {text}"),),), sys.stderr)

    def _silence(self) -> Iterator[str]:
        """That metrics have stopped, for whoever waits for them."""
        from hbspec.units import seconds_text
        from hbspec.watching import is_silent

        if self._tally.metric_lines != self._metrics:
            self._metrics, self._since = self._tally.metric_lines, monotonic()
        quiet = monotonic() - self._since
        if self._tally.end is None and is_silent(self._tally, quiet):
            yield f"no metric for {seconds_text(quiet)}"

    def is_over(self) -> bool:
        """Whether the job has said that it ended, and nothing has come since."""
        if self._tally.metric_lines != self._metrics:
            self._metrics, self._since = self._tally.metric_lines, monotonic()
        return self._tally.end is not None and monotonic() - self._since > ENDED_SECONDS
