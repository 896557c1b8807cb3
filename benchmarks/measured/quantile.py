"""Weighted quantiles."""

from __future__ import annotations

from collections.abc import Sequence


def quantile(values: Sequence[float], weights: Sequence[float], share: float) -> float | None:
    """The smallest value below or at which at least this share of the weight lies; None of no values."""
    if not values:
        return None
    wanted, below = share * sum(weights), 0.0
    ordered = sorted(zip(values, weights, strict=True))
    for value, weight in ordered:
        below += weight
        if below >= wanted * (1 - 1e-12):
            return value
    return ordered[-1][0]
