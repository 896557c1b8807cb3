"""The rehearsal of a compiled job on a CPU: trained for a few updates, counted, compared with the plan."""

from __future__ import annotations

from hbspec.smoke.compare import Comparison
from hbspec.smoke.rehearse import Rehearsal, RehearsalError, rehearse

__all__ = ["Comparison", "Rehearsal", "RehearsalError", "rehearse"]
