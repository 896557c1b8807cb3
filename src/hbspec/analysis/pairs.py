"""Pairs of changes of different kinds, combined in the order in which one changes the meaning of another."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis.change import Change
from hbspec.analysis.changes import leaner
from hbspec.plan import Plan
from hbspec.spec import Spec

ORDER = (
    *("instance", "parallelism", "offload", "instances", "method", "quantisation", "checkpointing", "micro-batch"),
    *("evaluation", "generation", "reduction", "gathering", "loss", "attention", "optimizer", "length"),
)
"""The order in which two kinds of change are combined: a kind that changes the meaning of another comes first."""


def following(first: Change, spec: Spec, plan: Plan) -> Iterator[Change]:
    """A change together with each one of a later kind that saves memory after it.

    Args:
        first: the change that is applied first.
        spec: the spec after it.
        plan: the plan of that spec.
    """
    for second in leaner(spec, plan):
        if ORDER.index(second.kind) > ORDER.index(first.kind):
            yield second.after(first)
