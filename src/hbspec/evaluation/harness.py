"""The harness of an evaluation's job, run in this process: its modules lie in `templates/` and import one another."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hbspec.plan.suites import PlannedSuite
from hbspec.shipped import templates

if TYPE_CHECKING:
    from collections.abc import Callable

    from scores import Wanted


def harness(module: str = "evaluate") -> ModuleType:
    """A module of the job. The job's folder is then the first in which modules are looked for, as in the job."""
    folder = str(templates())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return import_module(module)


def suite_maker() -> Callable[[str, Path | None], Any]:
    """The function that makes a suite of its name and its folder."""
    made: Callable[[str, Path | None], Any] = harness("suites").suite
    return made


def wanted_suite(planned: PlannedSuite, place: Path | None) -> Wanted:
    """A suite with its items.

    Args:
        planned: as the spec wants it.
        place: the file or folder of its data; None where it makes its own.

    Raises:
        ValueError: no suite has this name, it is broken, or it lets nonsense pass; the message says which.
    """
    evaluate = harness()
    try:
        found: list[Wanted] = evaluate.wanted_suites(
            [planned.entry(None if place is None else str(place))], suite_maker()
        )
    except evaluate.EvaluationError as reason:
        raise ValueError(str(reason)) from None
    return found[0]
