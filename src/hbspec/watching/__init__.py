"""The log of a job beside its estimates: predicted and measured, bounds that broke, and when it will end."""

from __future__ import annotations

from hbspec.watching.lines import LogLine, LogLines, NotALogError, file_chunks, lines_of, pipe_chunks
from hbspec.watching.reading import followed, tally_for, watch_log, watch_state
from hbspec.watching.state import is_state
from hbspec.watching.watched import WatchedLog, is_silent, watched

__all__ = [
    "LogLine",
    "LogLines",
    "NotALogError",
    "WatchedLog",
    "file_chunks",
    "followed",
    "is_silent",
    "is_state",
    "lines_of",
    "pipe_chunks",
    "tally_for",
    "watch_log",
    "watch_state",
    "watched",
]
