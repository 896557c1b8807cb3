"""What is asked of a search for the best plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hbspec.estimators.job.least import End
from hbspec.units import Money

OBJECTIVES = ("cost", "time", "headroom")
"""What plans are compared by; the first decides, and the others where plans are equal by it."""

ALLOWED = ("precision", "optimizer", "quantization", "length", "tight")
"""What may differ from the same training, certain to fit."""

AXES: Mapping[str, str] = {
    "instance.type": "type",
    "instance.count": "count",
    "instance.region": "region",
    "instance.parallelism": "parallelism",
    "instance.sharding": "sharding",
    "instance.offload": "offload",
    "instance.spot": "spot",
    "hyperparameters.per_device_batch_size": "rows",
    "hyperparameters.gradient_accumulation_steps": "accumulation",
    "hyperparameters.gradient_checkpointing": "checkpointing",
    "hyperparameters.attn_implementation": "attention",
}
"""The axes of the search, by the key that each sets."""

ENDPOINT_AXES: Mapping[str, str] = {
    "deployment.instance.type": "type",
    "deployment.instance.count": "count",
    "deployment.region": "region",
    "deployment.tensor_parallel": "parts",
}
"""The axes of the search for the best endpoint, likewise."""

ALLOWED_AT_ENDPOINTS = ("precision", "quantization", "tight")
"""Those of `ALLOWED` that an endpoint can differ in."""

MOST_INSTANCES = 8
"""The largest number of instances tried, unless the request or the spec has more."""

ENDS: Mapping[str, End] = {"expected": "expected", "certain": "high"}
"""The end of the intervals of time and cost that plans are compared by, by confidence."""


class Request(NamedTuple):
    """What is asked of a search.

    Attributes:
        objective: one of `OBJECTIVES`.
        confidence: one of `ENDS`.
        regions: where instances may be rented; the spec's region if empty.
        keep: keys of `AXES` that keep their value, or of `ENDPOINT_AXES` in a search for the best endpoint.
        allow: those of `ALLOWED` that may differ.
        max_cost: the most that the high end of the cost may be.
        max_seconds: the most that the high end of the time may be.
        most_instances: the largest number of instances tried.
    """

    objective: str = "cost"
    confidence: str = "expected"
    regions: tuple[str, ...] = ()
    keep: frozenset[str] = frozenset()
    allow: frozenset[str] = frozenset()
    max_cost: Money | None = None
    max_seconds: float | None = None
    most_instances: int = MOST_INSTANCES

    def kept(self, axis: str) -> bool:
        """Whether an axis keeps its value."""
        return any({**AXES, **ENDPOINT_AXES}[key] == axis for key in self.keep)
