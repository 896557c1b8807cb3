"""The rehearsal of a compiled job on a CPU: a few updates are trained, counted and compared with the plan."""

from __future__ import annotations

from hbspec.smoke.compare import Comparison
from hbspec.smoke.rehearse import Rehearsal, RehearsalError, rehearse

__all__ = ["Comparison", "Rehearsal", "RehearsalError", "rehearse"]
