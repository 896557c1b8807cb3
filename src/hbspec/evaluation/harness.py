"""The harness of an evaluation's job, run in this process: its modules lie in `templates/` and import one another."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hbspec.plan.suites import PlannedSuite
from hbspec.shipped import templates
from hbspec.source.paths import PathError, contained

if TYPE_CHECKING:
    from collections.abc import Callable

    from scores import Wanted

    from hbspec.analysis import Analysis


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


def data_place(analysis: Analysis, index: int) -> Path | None:
    """The file or folder of the data of the spec's suite at an index; None where it names none.

    Raises:
        ValueError: it is not on this machine, or leads out of the project.
    """
    data, document, route = analysis.spec.evaluation[index].data, analysis.document, ("evaluation", index, "data")
    if data is None:
        return None
    if "://" in data:
        raise ValueError(f"{data} is not on this machine: copy it, and set evaluation[{index}].data to its path")
    base = document.origin(route)
    is_folder = (base / data).is_dir()
    try:
        return contained(data, base, document.root, document.allow_outside, folder=is_folder)
    except PathError as reason:
        raise ValueError(str(reason)) from None
