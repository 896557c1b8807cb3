"""Writes into a part of a tensor: the whole is then made by the write, as autograd has it (`CopySlices`)."""

from __future__ import annotations

from functools import cache
from typing import Any

from torch import Tensor


@cache
def writes(function: Any) -> bool:
    """Whether an operator writes into the first tensor that it is given."""
    arguments = function._schema.arguments
    return bool(arguments and arguments[0].alias_info is not None and arguments[0].alias_info.is_write)


def into_part(function: Any, view: Tensor, whole: Tensor) -> PartWrite:
    """The write as a function of the whole tensor, and of what the write was given behind the part."""
    start = view.storage_offset() - whole.storage_offset()
    return PartWrite(function, tuple(view.shape), tuple(view.stride()), start)


class PartWrite:
    """An operator that writes into a part, called with the whole."""

    def __init__(self, function: Any, shape: tuple[int, ...], stride: tuple[int, ...], start: int) -> None:
        self.function, self.part = function, (shape, stride, start)

    def __call__(self, whole: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """The whole, with its part written."""
        shape, stride, start = self.part
        self.function(whole.as_strided(shape, stride, start + whole.storage_offset()), *args, **kwargs)
        return whole

    def __repr__(self) -> str:
        return f"{self.function} into {self.part}"
