"""Accepts a changed spec if it is expected to pass no limit that the original spec is not expected to pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache

from hbspec.analysis import Analysis
from hbspec.diagnostics import NotKnownError


def within_limits(analysis: Analysis) -> Callable[[Analysis], bool]:
    """A predicate: whether a changed job is expected to end before `max_runtime` and within the budget.

    What `analysis` itself is expected to pass does not count. That a limit is passed is an error only where it is
    certain; advice that leads past one is not worth giving even where it is only expected.
    """
    passed = cache(lambda: frozenset(_passed(analysis)))
    return lambda changed: frozenset(_passed(changed)) <= passed()


def _passed(analysis: Analysis) -> Iterator[str]:
    """The limits that a job is expected to pass, as far as its time and its cost are known."""
    with suppress(NotKnownError):
        if analysis.time.stopped_at("expected"):
            yield "max_runtime"
    with suppress(NotKnownError):
        if analysis.spec.budget and analysis.cost.expected > analysis.spec.budget.max_cost.amount:
            yield "max_cost"
