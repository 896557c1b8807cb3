"""Where the cases of a suite lie on this machine."""

from __future__ import annotations

from pathlib import Path

from hbspec.analysis.analysis import Analysis
from hbspec.plan.suites import PlannedSuite
from hbspec.source.paths import PathError, contained


def data_place(analysis: Analysis, index: int, planned: PlannedSuite) -> Path | None:
    """The file or folder of the data of the spec's suite at an index; None where it has none.

    Raises:
        ValueError: it is not on this machine, or leads out of the project.
    """
    data, document, route = planned.data, analysis.document, planned.route
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
