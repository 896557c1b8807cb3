"""The suites of a spec's evaluation, with what the author left open."""

from __future__ import annotations

from typing import Any, NamedTuple

from hbspec.diagnostics import Route
from hbspec.spec import Spec

ITEMS, SEED = 200, 0
"""Of a suite that says neither. With 200 independent items of which nine tenths are right, the interval is 9 points
wide."""
FROM_VALIDATION = ("tool-usage",)
"""Suites that ask the prompts of the validation split."""
LM_EVAL = "lm-eval:"
"""What the names of tasks of lm-evaluation-harness begin with."""


class Longest(NamedTuple):
    """The most that a request of a suite takes of the model's window.

    Attributes:
        characters: of a prompt.
        answer: tokens that are asked for.
    """

    characters: int
    answer: int


GENERATED = {
    "mathematical-accuracy": Longest(1100, 3072),
    "reasoning-quality": Longest(700, 3072),
    "response-consistency": Longest(700, 2048),
}
"""The suites of `templates/suites` that make their own items. Named here, since a check does not load them."""


class PlannedSuite(NamedTuple):
    """One suite.

    Attributes:
        name: its name.
        least: the score that it must reach, 0 to 1.
        items: that are asked.
        seed: from which they are drawn.
        data: path or URI of its cases; None where the suite makes its own.
        route: of the key that names `data`.
    """

    name: str
    least: float
    items: int
    seed: int
    data: str | None
    route: Route

    @property
    def makes_its_own(self) -> bool:
        """Whether its items are generated."""
        return self.data is None and self.name in GENERATED

    @property
    def is_task(self) -> bool:
        """Whether it is a task of lm-evaluation-harness, whose `data` is the folder of its YAML."""
        return self.name.startswith(LM_EVAL) and self.name != LM_EVAL

    @property
    def lacks_cases(self) -> bool:
        """Whether there is nothing to ask."""
        return self.data is None and self.name not in GENERATED and not self.is_task

    def entry(self, folder: str | None) -> dict[str, Any]:
        """The suite as the plan of an evaluation's job has it, with the place of its data there."""
        found = {"name": self.name, "min_score": self.least, "seed": self.seed, "items": self.items}
        return {**found, "folder": folder}


def planned_suites(spec: Spec) -> tuple[PlannedSuite, ...]:
    """The suites in the spec's order. One that asks the validation split reads it where it names no data of its own."""
    split = spec.data.validation
    found = []
    for index, suite in enumerate(spec.evaluation):
        data: str | None = suite.data
        route: Route = ("evaluation", index, "data")
        if data is None and suite.suite in FROM_VALIDATION and split is not None and split.uri is not None:
            data, route = split.uri, ("data", "validation", "uri")
        found.append(
            PlannedSuite(
                name=suite.suite,
                least=suite.min_score,
                items=suite.items if suite.items is not None else ITEMS,
                seed=suite.seed if suite.seed is not None else SEED,
                data=data,
                route=route,
            )
        )
    return tuple(found)
