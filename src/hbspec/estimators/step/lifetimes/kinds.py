"""Layers that are alike, of which one is run for all, and the profile of such a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from itertools import accumulate
from operator import or_
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.layers import FULL, WITHOUT_ATTENTION
from hbspec.estimators.step.lifetimes.model import RunProfile, profile
from hbspec.estimators.step.lifetimes.program import Program
from hbspec.estimators.step.lifetimes.whole import builder, model_of

ALONE = -1
"""Stands for the kind of the first layer, which is run for itself."""


class Kinds(NamedTuple):
    """Which layers of a model are alike.

    Attributes:
        of: by layer, the index of its kind; `ALONE` for the first.
        run: by layer that is run, the index of its kind: the first layer, and one of each kind behind it.
    """

    of: tuple[int, ...]
    run: tuple[int, ...]

    def numbers(self, first: int, last: int) -> Mapping[int, int]:
        """By layer that is run, how many of the model's layers from `first` up to `last` it stands for."""
        return _numbers(self.of, first, last)


@lru_cache(maxsize=4096)
def _numbers(of: tuple[int, ...], first: int, last: int) -> Mapping[int, int]:
    behind = {1 + kind: number for kind, number in Counter(of[max(1, first) : last]).items()}
    return {**behind, 0: 1} if first == 0 < last else behind


@lru_cache(maxsize=4096)
def kinds(architecture: Architecture, program: Program) -> Kinds:
    """Layers are alike if both are sparse or dense, attend as far or not, rotate, and their inputs need gradients.

    Those that attend to everything may have other heads. Where layers read more than the residual stream, the last one
    is of a kind of its own: no layer behind it sends gradients to what they read. Where they share weights, so is the
    last that has them: its gradients are the first to come.

    The first layer is run for itself alone.
    """
    sparse, unrotated = frozenset(architecture.moe_layers), frozenset(architecture.unrotated_layers)
    recording = architecture.recorded
    recorded = recording.kinds if recording else ()
    last = len(recorded) - 1 if recording and recording.exchanging else None
    shapes = [
        (
            index in sparse,
            kind in WITHOUT_ATTENTION or (kind != FULL and (program.windowed or architecture.global_heads is not None)),
            index in unrotated,
            recorded[index] if recorded else 0,
            index == last,
            recording is not None and recording.shares_later(index),
        )
        for index, kind in enumerate(architecture.layer_types)
    ]
    build = builder(architecture, program)
    trains = {shape: build.layer(shapes.index(shape)).trained for shape in set(shapes)}
    needed = list(accumulate((trains[shape] for shape in shapes), or_, initial=build.embedding().needed))
    seen = list(zip(shapes, needed[:-1], strict=True))[1:]
    distinct = list(dict.fromkeys(seen))
    return Kinds((ALONE, *(distinct.index(kind) for kind in seen)), (ALONE, *range(len(distinct))))


@lru_cache(maxsize=4096)
def program_profile(architecture: Architecture, program: Program) -> RunProfile:
    """The profile of a model's training step, over as few layers as tell all of them."""
    found = kinds(architecture, program)
    return profile(model_of(architecture, program, [found.of.index(kind) for kind in found.run]))
