"""The suites of an evaluation: what is asked of a model, and how its answers are scored.

    for item in suite("mathematical-accuracy").items(seed=0, count=200):
        ...

Only the standard library is imported: a job has neither hbspec nor its dependencies.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .items import Item, Scored, Suite, SuiteError
from .mathematical_accuracy import MathematicalAccuracy

__all__ = ["GENERATED", "Item", "Scored", "Suite", "SuiteError", "suite"]

GENERATED: dict[str, Callable[[], Suite]] = {"mathematical-accuracy": MathematicalAccuracy}
"""The suites whose items are generated, by name."""


def suite(name: str, folder: Path | None = None) -> Suite:  # noqa: ARG001 - read by suites of files
    """A suite by its name.

    Args:
        name: as it is written under `evaluation:`.
        folder: where the files of suites are looked for.

    Raises:
        SuiteError: there is none of this name.
    """
    if name in GENERATED:
        return GENERATED[name]()
    raise SuiteError(f"the suite {name!r} does not exist: use one of {', '.join(GENERATED)}")
