"""What keeps a spec from being taken as it is: what is certain, and what may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from hbspec.diagnostics import Report, Severity
from hbspec.estimators.verdict import Verdict
from hbspec.language import phrase
from hbspec.units import seconds_text

if TYPE_CHECKING:
    from hbspec.api import Estimates

SAID = frozenset({"HB109", "HB114", "HB125", "HB126", "HB301", "HB303", "HB501", "HB502"})
"""Rules whose errors are told in words: memory, disk, limits and the endpoint."""


class Standing(NamedTuple):
    """How a spec stands, in words about it such as "does not fit".

    Attributes:
        against: what is certain to keep it from running to its end within its limits, or from being accepted.
        open: what may do so, or is not known.
        of_endpoint: whether all of that is about the endpoint.
    """

    against: tuple[str, ...]
    open: tuple[str, ...]
    of_endpoint: bool = False

    @property
    def ready(self) -> bool:
        """Whether it can be taken as it is."""
        return not self.against and not self.open


def standing(found: Estimates, report: Report) -> Standing:
    """How one spec stands.

    Args:
        found: its estimates.
        report: its findings.
    """
    served = list(_endpoint(found))
    said = [*_memory(found), *_limits(found), *served]
    against = [text for certain, text in said if certain]
    errors = {entry.code for entry in report.diagnostics if entry.severity is Severity.ERROR}
    if others := sorted(errors - SAID if said else errors):
        against.append(phrase("has errors ({codes})", codes=", ".join(others)))
    of_endpoint = len(said) == len(served) and bool(served) and not others
    return Standing(tuple(against), tuple(text for certain, text in said if not certain), of_endpoint)


def _memory(found: Estimates) -> Iterator[tuple[bool, str]]:
    """GPUs, host and disk, each with whether it is certain."""
    verdict = found.memory.verdict if found.memory else Verdict.UNKNOWN
    beside = [one.verdict for one in (found.host, found.storage) if one]
    if Verdict.DOES_NOT_FIT in (verdict, *beside):
        yield True, phrase("does not fit")
    elif verdict is Verdict.UNKNOWN:
        yield False, phrase("is not known to fit")
    elif Verdict.TIGHT in (verdict, *beside):
        expected_to_fail = found.memory is not None and found.memory.fullest.expected_to_fail
        yield expected_to_fail, phrase("is not expected to fit") if expected_to_fail else phrase("may not fit")


def _limits(found: Estimates) -> Iterator[tuple[bool, str]]:
    """`max_runtime` and the budget, as long as time and cost are known."""
    time, cost, budget = found.time, found.cost, found.analysis.spec.budget
    if time is not None and time.limit is not None and time.may_be_stopped:
        limit = seconds_text(time.limit)
        if time.stopped_at("low"):
            yield True, phrase("is stopped at its max_runtime of {limit} before it ends", limit=limit)
        elif time.stopped_at("expected"):
            yield True, phrase("is expected to be stopped at its max_runtime of {limit} before it ends", limit=limit)
        else:
            yield False, phrase("may be stopped at its max_runtime of {limit} before it ends", limit=limit)
    if time is None:
        yield False, phrase("takes a time that is not known")
    if cost is None:
        yield False, phrase("has a cost that is not known")
    elif budget is not None and budget.max_cost.currency == cost.currency and cost.high > budget.max_cost.amount:
        if cost.expected > budget.max_cost.amount:
            certain, said = True, phrase("costs more than its budget of {budget}", budget=budget.max_cost)
        else:
            certain, said = False, phrase("may cost more than its budget of {budget}", budget=budget.max_cost)
        yield certain, said


def _endpoint(found: Estimates) -> Iterator[tuple[bool, str]]:
    served = found.serving
    if served is not None and served.verdict is Verdict.DOES_NOT_FIT:
        yield True, phrase("has an endpoint that does not fit")
    elif served is not None and served.verdict is Verdict.TIGHT:
        yield False, phrase("has an endpoint that may not fit")
    elif served is not None and served.verdict is Verdict.UNKNOWN:
        yield False, phrase("has an endpoint that is not known to fit")
