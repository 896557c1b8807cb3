"""Measurements of a compiled job on the GPUs at hand: a few updates with random weights, timed and recorded."""

from __future__ import annotations

from hbspec.measure.measurement import Measured, MeasureError, measure

__all__ = ["MeasureError", "Measured", "measure"]
