"""Tensors among the arguments of a call, each put in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from hbspec.recording.program import Ref


def placed(given: Any, place: Callable[[Tensor], Ref]) -> Any:
    """Arguments with tensors put in their places; torch's own `tree_map` takes as long as the operator."""
    if isinstance(given, Tensor):
        return place(given)
    if type(given) in (list, tuple):
        return type(given)(placed(one, place) for one in given)
    if type(given) is dict:
        return {name: placed(one, place) for name, one in given.items()}
    return given


def placing() -> tuple[list[Tensor], Callable[[Tensor], Ref]]:
    """A list of tensors, and what gives each its place in it."""
    tensors: list[Tensor] = []

    def place(tensor: Tensor) -> Ref:
        for index, known in enumerate(tensors):
            if known is tensor:
                return Ref(index)
        tensors.append(tensor)
        return Ref(len(tensors) - 1)

    return tensors, place
