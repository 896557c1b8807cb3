"""A job that is verified: what became of its claims, limits and bounds, by its log and by its bill where it is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from hbspec.api import Estimates
from hbspec.watching import billed
from hbspec.watching.billed import FAILED, JobBill
from hbspec.watching.spent import SeenBill, beside_estimates
from hbspec.watching.verifying import BROKEN, Judged, judged
from hbspec.watching.watched import WatchedLog

OF_A_BILL = ("training.duration", "training.cost", "budget.max_cost", "instance.max_runtime", "instance.max_wait")
"""The keys that a bill decides."""


class VerifiedJob(NamedTuple):
    """What became of a job.

    Attributes:
        judged: every claim, limit and bound.
        watched: its log beside the estimates.
        bill: what the service billed, beside the estimates; None where only a log is known.
    """

    judged: tuple[Judged, ...]
    watched: WatchedLog
    bill: SeenBill | None

    @property
    def ok(self) -> bool:
        """Whether nothing broke, the job did not fail, and its log is whole and not of another job."""
        watched = self.watched
        failed = watched.failed or (self.bill is not None and self.bill.bill.last.status == FAILED)
        broken = any(one.verdict == BROKEN for one in self.judged)
        return watched.whole and not (failed or watched.differences or broken)

    def to_dict(self) -> dict[str, Any]:
        """The document that `hbspec verify --format json` prints."""
        watched = self.watched
        return {
            "format_version": 1,
            "log": watched.source,
            "state": watched.state,
            "another_job": list(watched.differences),
            "notes": list(watched.notes),
            "whole": watched.whole,
            "bill": self.bill and self.bill.to_dict(),
            "judged": [one.to_dict() for one in self.judged],
        }


def verified(estimates: Estimates, watched: WatchedLog, bill: JobBill | None, untold: str = "") -> VerifiedJob:
    """What became of a job.

    Args:
        estimates: of the spec.
        watched: the log beside them.
        bill: what the service has billed; None where only a log is known.
        untold: why the service did not tell it, though it was asked.
    """
    if bill is None:
        found = judged(estimates, watched)
        notes = (*watched.notes, *_without_bill(found, untold))
        return VerifiedJob(found, watched._replace(notes=notes, whole=watched.whole and not untold), None)
    watched = watched._replace(
        differences=(*watched.differences, *billed.differences(estimates, bill)),
        notes=(*watched.notes, *billed.notes(bill)),
    )
    return VerifiedJob(judged(estimates, watched, bill), watched, beside_estimates(estimates, bill))


def _without_bill(found: tuple[Judged, ...], untold: str) -> Iterator[str]:
    """That a log holds no bill, and which verdicts lack it."""
    lacking = [one.key for one in found if one.key in OF_A_BILL]
    if untold:
        yield f"what was billed is not known: {untold}"
    elif lacking:
        yield (
            f"a log holds no bill: {', '.join(lacking)} are judged by its times and by predicted phases; give the name "
            "of the training job instead of its log to judge them by what was billed"
        )
