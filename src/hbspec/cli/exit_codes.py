"""The exit codes of commands."""

from __future__ import annotations

OK = 0
"""No errors; there may be warnings and notes."""

ERRORS = 1
"""Errors were found."""

UNUSABLE = 2
"""A file could not be read or written, even if others have errors, or the command was misused."""

FAULT = 70
"""An internal error of hbspec (EX_SOFTWARE in sysexits.h)."""

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""

TERMINATED = 143
"""128 + SIGTERM, as shells report it."""

BROKEN_PIPE = 141
"""128 + SIGPIPE, as shells report it."""
