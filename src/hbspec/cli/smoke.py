"""`hbspec smoke`: run the compiled job for a few updates on a CPU, and compare what it counts with the plan."""

from __future__ import annotations

from hbspec.cli.command import Command

COMMAND = Command("smoke", "x", lambda: 0, ())
