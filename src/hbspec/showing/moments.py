"""The moments of a job in words."""

from __future__ import annotations

PEAKS = {
    "load": "while loading",
    "forward": "in the forward pass",
    "loss": "at the loss",
    "recompute": "while recomputing",
    "backward": "in the backward pass",
    "optimizer": "in the optimizer step",
    "evaluation": "in an evaluation",
    "generation": "while generating completions",
    "scoring": "while scoring completions",
    "save": "while saving",
}
"""When a GPU is at its peak."""

DOING = {
    "load": "loading the model",
    "steps": "training",
    "save": "saving the model",
    "resume": "loading a checkpoint",
    "merge": "merging the adapters",
}
"""What a job does when its host is at its peak."""

OUTSIDE_STEPS = frozenset({"load", "evaluation", "save", "generation", "scoring"})
"""Moments of a GPU that are not part of a step."""
