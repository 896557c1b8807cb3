"""Hyperparameters that say which weights are trained, and what becomes of them, beside those of every adapter.

As in `sections.py`, annotations are real objects.
"""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from hbspec.spec.fields import Section, Text

UNLIMITED = "none"
"""`max_length` of a run that cuts no example."""


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as reason:
        raise PydanticCustomError("pattern", "not a regular expression: {reason}", {"reason": str(reason)}) from None
    return value


def _unlimited(value: Any) -> Any:
    """The word for a cap that is null."""
    return UNLIMITED if value is None else value


Pattern = Annotated[Text, AfterValidator(_pattern)]
Patterns = Annotated[tuple[Pattern, ...], Field(strict=False, min_length=1)]
Layers = Annotated[tuple[Annotated[int, Field(ge=0, le=10_000)], ...], Field(strict=False, min_length=1)]
Beta = Annotated[float, Field(ge=0, lt=1)]
Cap = Annotated[int, Field(gt=0, le=10**8)]
NullIsUnlimited = BeforeValidator(_unlimited)
CAP_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"exclusiveMinimum": 0, "maximum": 10**8, "type": "integer"},
            {"const": UNLIMITED, "type": "string"},
            {"type": "null"},
        ]
    }
)
"""A cap as it is written: null is a word for none."""


class Trained(Section):
    """Which weights are trained, how the optimizer takes them, and whether adapters are merged at the end."""

    layers_to_transform: Layers | None = Field(None, description="Indices of the layers that get adapters.")
    unfrozen_parameters: Patterns | None = Field(
        None,
        description="With `method: full`: regular expressions that begin the paths of the parameters that are "
        "trained; the others are frozen. Memory counts all as trained.",
    )
    optimizer_in_bwd: bool | None = Field(
        None, description="Update each weight in the backward pass, so that its gradient is freed at once."
    )
    merge_weights: bool | None = Field(
        None, description="Merge the adapters into the base model at the end, and save it in 16 bits."
    )
    adam_beta1: Beta | None = Field(None, description="First decay rate of Adam's moments.")
    adam_beta2: Beta | None = Field(None, description="Second decay rate of Adam's moments.")
    adam_epsilon: Annotated[float, Field(gt=0, le=1)] | None = Field(None, description="Adam's epsilon.")
    lr_scheduler_kwargs: dict[str, str | int | float | bool] | None = Field(
        None, description="Further arguments of the schedule, such as `{num_cycles: 2}`."
    )
