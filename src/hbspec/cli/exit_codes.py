"""What a command tells the shell."""

from __future__ import annotations

OK = 0
"""No errors; warnings and notes are allowed."""

ERRORS = 1
"""Errors were found."""

UNUSABLE = 2
"""A file could not be read or written, whatever was found in others, or the command was misused."""

FAULT = 70
"""A fault of hbspec's own (EX_SOFTWARE in sysexits.h)."""

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""

BROKEN_PIPE = 141
"""128 + SIGPIPE, likewise."""
