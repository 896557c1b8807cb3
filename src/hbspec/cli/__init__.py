"""The command line: one thin file per command; `command.py` defines what a command is."""

from __future__ import annotations

from hbspec.cli.entry import main

__all__ = ["main"]
