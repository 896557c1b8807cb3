"""Time, host memory and disk of a model whose layers are not known, between those of models of a known family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hbspec.diagnostics import Missing, NotKnownError
from hbspec.plan import Between
from hbspec.units import Interval

COMPUTED = ("steps", "evaluation")
"""Phases in which layers compute."""

SPEED = Interval(0.5, 1, 3)
"""Time of a step over that of a model of a known family with as many parameters: other layers launch more kernels and
write more for the same products. An assumption."""


def require_speed(between: Between) -> None:
    """Nothing, unless layers carry a state from token to token.

    Raises:
        NotKnownError: they do: with kernels of their own they are fast, without them many times slower.
    """
    if between.recurrent:
        what = f"the speed of {between.model_type}, whose layers carry a state from token to token"
        raise NotKnownError(Missing(what, ("model",)))


def widened(phases: Mapping[str, Interval]) -> Mapping[str, Interval]:
    """Seconds by phase, with room for layers of other kinds in those that compute."""
    return {name: took * SPEED if name in COMPUTED else took for name, took in phases.items()}


def spanned(found: Sequence[Mapping[str, Interval]], expected: Mapping[str, Interval]) -> dict[str, Interval]:
    """Quantities by name over all bounding models; one that a model lacks is 0 there.

    Args:
        found: the quantities of each model.
        expected: those of the expected one, whose order is kept.
    """
    names = dict.fromkeys((*expected, *(name for one in found for name in one)))
    return {name: span([one.get(name, Interval.exact(0)) for one in found], expected.get(name)) for name in names}


def span(sizes: Sequence[Interval], expected: Interval | None) -> Interval:
    """One quantity over all bounding models."""
    low, high = min(size.low for size in sizes), max(size.high for size in sizes)
    return Interval(low, low if expected is None else min(max(low, expected.expected), high), high)
