"""Takes a hyperparameter from whoever says it: the author, the framework that trains, or the shipped script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog import Architecture
from hbspec.catalog.frameworks import Default, framework_defaults
from hbspec.plan.assumptions import Choices
from hbspec.plan.defaults import Working
from hbspec.plan.shipped_script import DEFAULTS, TEMPLATE
from hbspec.plan.tasks import TASKS
from hbspec.spec import Spec

RUN_BY = {
    "axolotl": "transformers",
    "llamafactory": "transformers",
    "torchtune": "loop",
    "unsloth": "trl",
    "other": "transformers",
}
"""Whose trainer runs the steps of a framework. torchtune has a loop of its own (`recipes/`), unsloth patches TRL's
(`unsloth/trainer.py`), axolotl and LLaMA-Factory derive from transformers' (`core/trainers/base.py`,
`train/sft/trainer.py`)."""

DERIVED_FROM_TRL = ("axolotl", "unsloth")
"""Frameworks whose trainers of other tasks than the next token compute as TRL's, from which they derive (axolotl's
`core/trainers/trl.py`). LLaMA-Factory's derive from them, too, but hold all logits in float32
(`train/dpo/trainer.py`)."""


class Resolution:
    """One spec, and what was assumed for it so far."""

    def __init__(self, spec: Spec, architecture: Architecture | None) -> None:
        self.spec, self.given, self.architecture = spec, spec.hyperparameters, architecture
        self.choices, self.task = Choices(), TASKS[spec.task]
        named = spec.software.trainer
        self.framework = named if named in RUN_BY else None
        self.theirs = self.defaults_of(None)

    def defaults_of(self, method: str | None) -> Mapping[str, Default]:
        """The framework's own defaults, by the key of a spec; empty without one."""
        if self.framework is None:
            return {}
        return framework_defaults(self.framework, method, self.spec.instance.parallelism)

    def take(self, name: str, works: Working | None = None, default: Any = None, source: str = TEMPLATE) -> Any:
        """The author's hyperparameter, or the framework's own default, or else `default`.

        `default` is the shipped script's own unless it is given.
        """
        usual = DEFAULTS[name] if default is None else default
        theirs = self.theirs.get(f"hyperparameters.{name}")
        if theirs is not None:
            usual, source = tuple(theirs.value) if isinstance(theirs.value, list) else theirs.value, theirs.source
        elif self.framework is not None and source == TEMPLATE:
            source = f"not known of {self.framework}; as in {TEMPLATE}"
        return self.choices.take(getattr(self.given, name), ("hyperparameters", name), usual, source, works)
