"""The author's watches: what ends a run for good, rather than letting it be billed to its end.

A single line outside a bound may be chance, so several in a row must be. A loss that is not a number ends the run
without a setting; so do weights that are not when they are to be saved (`saving.diverged`). Nothing heavier than the
standard library is imported.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import isfinite
from statistics import fmean

from settings import Settings

PATIENCE = 3
"""Metric lines in a row outside a bound, from which on it is broken for good."""
BROKEN = 3
"""Exit code of a run that a watch ended."""


class Watches:
    """The bounds of a run, and what of it lies outside."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._outside: dict[str, int] = {}
        self._first_losses: list[float] = []
        self._last_losses: deque[tuple[int, float]] = deque()
        self._began: int | None = None
        self._first = True

    def see(self, update: int, values: Mapping[str, float | int]) -> str | None:
        """Why the run ends after this metric line; None if it goes on.

        Args:
            update: the update that the line tells of.
            values: as `metrics.line` has them.
        """
        reasons = [
            self._number(values),
            self._memory(values),
            self._gradient(values),
            None if self._first else self._step(values),
            self._loss(update, values),
        ]
        self._first = False  # the first line's updates include what is set up only once
        return next((reason for reason in reasons if reason), None)

    def _number(self, values: Mapping[str, float | int]) -> str | None:
        """A loss that stays no number is that of weights which are none, and will not be saved."""
        if self._for_good("loss", outside=not isfinite(values["loss"])):
            return f"the loss is not a number in {PATIENCE} metric lines in a row"
        return None

    def _gradient(self, values: Mapping[str, float | int]) -> str | None:
        """A norm that is not a number is that of an update which a gradient scaler leaves out: it decides nothing."""
        limit, norm = self._settings.WATCH_GRAD_NORM, values.get("grad_norm")
        if limit is None or norm is None or not isfinite(norm) or not self._for_good("gradient", outside=norm > limit):
            return None
        return f"the gradient norm is {norm:.4g}, more than WATCH_GRAD_NORM={limit:g}"

    def _memory(self, values: Mapping[str, float | int]) -> str | None:
        limit, used = self._settings.WATCH_GPU_MEMORY, values.get("gpu_memory_bytes")
        if limit is None or used is None or not self._for_good("memory", outside=used > limit):
            return None
        return f"{used:,} bytes of GPU memory are in use, more than WATCH_GPU_MEMORY={limit:,}"

    def _step(self, values: Mapping[str, float | int]) -> str | None:
        low, high, took = self._settings.WATCH_STEP_MIN, self._settings.WATCH_STEP_MAX, values["step_seconds"]
        if self._for_good("slow", outside=high is not None and took > high):
            return f"an update takes {took:.3g} s, more than WATCH_STEP_MAX={high:g}"
        if self._for_good("fast", outside=low is not None and took < low):
            return f"an update takes {took:.3g} s, less than WATCH_STEP_MIN={low:g}"
        return None

    def _for_good(self, name: str, *, outside: bool) -> bool:
        self._outside[name] = self._outside.get(name, 0) + 1 if outside else 0
        return self._outside[name] >= PATIENCE

    def _loss(self, update: int, values: Mapping[str, float | int]) -> str | None:
        """The last half of WATCH_LOSS updates against the first: what has converged stays below its beginning."""
        window = self._settings.WATCH_LOSS
        if window is None:
            return None
        began = self._began = update if self._began is None else self._began
        if update < began + window / 2:
            self._first_losses.append(float(values["loss"]))
        self._last_losses.append((update, float(values["loss"])))
        while self._last_losses[0][0] <= update - window / 2:  # a run may have a million lines
            self._last_losses.popleft()
        if update - began + 1 < window:
            return None
        first, last = self._first_losses, [loss for _, loss in self._last_losses]
        if min(len(first), len(last)) < PATIENCE or fmean(last) < fmean(first):
            return None
        return (
            f"the loss has not decreased over WATCH_LOSS={window} updates: {fmean(last):.4g} in the last half, "
            f"{fmean(first):.4g} in the first"
        )
