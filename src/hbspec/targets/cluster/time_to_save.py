"""How long a scheduler waits for a training that it stops."""

from __future__ import annotations

from math import ceil

from hbspec.analysis import Analysis
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.stop import GRACE_SECONDS


def seconds_to_save(analysis: Analysis) -> int:
    """Seconds that the training has to save: as long as the launcher waits, or longer where it may need longer."""
    try:
        needed = analysis.stop.total.high
    except NotKnownError:
        needed = 0.0
    return max(round(GRACE_SECONDS), ceil(needed))
