"""Hyperparameters that say how often a run saves and evaluates, counted in epochs.

As in `sections.py`, annotations are real objects.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from hbspec.spec.fields import Section

PerEpoch = Annotated[int, Field(ge=1, le=1000)]
Strategy = Literal["steps", "epoch", "no"]


class Cadence(Section):
    """Saves and evaluations by epochs; those by updates are `save_steps` and `eval_steps`."""

    save_strategy: Strategy | None = Field(
        None, description="When checkpoints are written: by `save_steps`, after every epoch, or not at all."
    )
    saves_per_epoch: PerEpoch | None = Field(None, description="Checkpoints of an epoch, instead of `save_steps`.")
    eval_strategy: Strategy | None = Field(
        None, description="When a run is evaluated: by `eval_steps`, after every epoch, or not at all."
    )
    evals_per_epoch: PerEpoch | None = Field(None, description="Evaluations of an epoch, instead of `eval_steps`.")

    @model_validator(mode="after")
    def _one_cadence(self) -> Self:
        for name, often in (("save", self.saves_per_epoch), ("eval", self.evals_per_epoch)):
            for other in (f"{name}_steps", f"{name}_strategy") if often is not None else ():
                value = getattr(self, other, None)
                if value is not None:
                    raise PydanticCustomError(
                        "contradiction",
                        "{name}s_per_epoch {often} and {other} {value} both say when",
                        {"name": name, "often": often, "other": other, "value": f"{value}"},
                    )
        return self

    @property
    def saved_per_epoch(self) -> int | None:
        """Checkpoints of an epoch; None where they are not counted in epochs."""
        return 1 if self.save_strategy == "epoch" else self.saves_per_epoch

    @property
    def evaluated_per_epoch(self) -> int | None:
        """Evaluations of an epoch; None where they are not counted in epochs."""
        return 1 if self.eval_strategy == "epoch" else self.evals_per_epoch
