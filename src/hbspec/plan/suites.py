"""The suites of a spec's evaluation, with what the author left open."""

from __future__ import annotations

from typing import Any, NamedTuple

from hbspec.spec import Spec

ITEMS, SEED = 200, 0
"""Of a suite that says neither. With 200 independent items of which nine tenths are right, the interval is 9 points
wide."""


class PlannedSuite(NamedTuple):
    """One suite.

    Attributes:
        name: its name.
        least: the score that it must reach, 0 to 1.
        items: that are asked.
        seed: from which they are drawn.
        data: path or URI of its cases; None where the suite makes its own.
    """

    name: str
    least: float
    items: int
    seed: int
    data: str | None

    def entry(self, folder: str | None) -> dict[str, Any]:
        """The suite as the plan of an evaluation's job has it, with the place of its data there."""
        found = {"name": self.name, "min_score": self.least, "seed": self.seed, "items": self.items}
        return {**found, "folder": folder}


def planned_suites(spec: Spec) -> tuple[PlannedSuite, ...]:
    """The suites in the spec's order."""
    return tuple(
        PlannedSuite(
            name=suite.suite,
            least=suite.min_score,
            items=suite.items if suite.items is not None else ITEMS,
            seed=suite.seed if suite.seed is not None else SEED,
            data=suite.data,
        )
        for suite in spec.evaluation
    )
