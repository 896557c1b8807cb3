"""Checkpoints that are kept: whether they are why a disk is too small, and how many are of use."""

from __future__ import annotations

from hbspec.analysis import Analysis
from hbspec.diagnostics import Route
from hbspec.estimators.job.storage import storage
from hbspec.estimators.verdict import Verdict
from hbspec.plan.shipped_script import DEFAULTS

SAVE_TOTAL_LIMIT: Route = ("hyperparameters", "save_total_limit")
USUAL = int(DEFAULTS["save_total_limit"])
"""Checkpoints that the shipped script keeps: the newest to go on from, the best, and one before them."""


def kept(analysis: Analysis) -> int | None:
    """The checkpoints that the job keeps; None where it keeps all of them."""
    given = analysis.spec.hyperparameters.save_total_limit
    return USUAL if given is None and analysis.spec.shipped else given


def fill_the_disk(analysis: Analysis) -> bool:
    """Whether a disk that is too small would be large enough with no more checkpoints than are of use."""
    limit = kept(analysis)
    if limit is not None and limit <= USUAL:
        return False
    few = storage(analysis.plan, volume=analysis.spec.instance.volume, kept=USUAL)
    return few.verdict is Verdict.FITS
