"""The command line: one thin file a command; `command.py` says what a command is."""

from __future__ import annotations

from hbspec.cli.entry import main

__all__ = ["main"]
