"""Tensors beside the residual stream that one part of a model makes and another reads, as keys that layers share.

A tensor is passed by a label: the place among a layer's arguments at which it is given, or else its number among those
that the embedding passes on. Whoever reads a label gets what the last part put under it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from torch import Tensor

from hbspec.recording.program import RecordingError, Watched


class Origin(NamedTuple):
    """Where a tensor was made.

    Attributes:
        storage: a weak reference, since the address of one that is gone is used again.
        turn: which part that was, in the order in which they ran.
        part: the part.
        number: of the value.
    """

    storage: Any
    turn: int
    part: Watched
    number: int


class SharedTensors:
    """Labels of the tensors that parts of one forward pass exchange."""

    def __init__(self) -> None:
        self._origins: dict[Any, Origin] = {}
        self._given: dict[Any, str] = {}
        self._ran: list[Watched] = []
        self._reads: list[tuple[int, int, str]] = []

    def made(self, part: Watched, values: Mapping[Any, list[int]], storages: Mapping[int, Any]) -> None:
        """A part is over; its values that are still there may be read by others."""
        turn = len(self._ran)
        self._ran.append(part)
        for key, numbers in values.items():
            known = [number for number in numbers if part.values[number].differentiable]
            if known and known[-1] not in part.imports.values():
                self._origins[key] = Origin(storages[key[0]], turn, part, known[-1])

    def give(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """A layer is called with these arguments."""
        places = [*enumerate(args), *kwargs.items()]
        self._given = {key_of(tensor): label for place, one in places for label, tensor in _tensors(str(place), one)}

    def again(self, part: Watched) -> None:
        """A layer like a part is run, and not watched: it reads the same labels, and puts out the same."""
        for key, label in self._given.items():
            if label in part.imports and key in self._origins:
                self._pass(self._origins[key], label)
        self._given = {}
        self._ran.append(part)

    def over(self) -> None:
        """A layer is done."""
        self._given = {}

    def read(self, tensor: Tensor) -> str | None:
        """The label under which the open part gets a tensor; None for one that no other part made."""
        key = key_of(tensor)
        origin = self._origins.get(key)
        if origin is None or origin.storage() is None:
            return None
        label = self._given.get(key)
        if label is None:
            if origin.turn:  # of which layer it is, layers of other depths would not tell
                return None
            known = origin.part.exports
            passed = (one for one, number in known.items() if number == origin.number and not one[:1].isalnum())
            label = next(passed, f".{len(known)}")
        self._pass(origin, label)
        return label

    def _pass(self, origin: Origin, label: str) -> None:
        if origin.part.exports.setdefault(label, origin.number) != origin.number:
            raise RecordingError(f"{origin.part.where or 'the model'} passes two tensors on as {label}")
        self._reads.append((origin.turn, len(self._ran), label))

    def check(self) -> None:
        """Nothing, where whoever read a label got what was put under it last.

        Raises:
            RecordingError: a layer reads what was made before the last that made it.
        """
        for made, read, label in self._reads:
            if any(label in part.exports for part in self._ran[made + 1 : read]):
                raise RecordingError(f"{self._ran[read].where or 'the model'} reads an older {label} than the last")


def key_of(tensor: Tensor) -> tuple[Any, ...]:
    """What tells a tensor from other views of its storage."""
    return (
        tensor.untyped_storage()._cdata,
        tensor.storage_offset(),
        tuple(tensor.shape),
        tuple(tensor.stride()),
        tensor.dtype,
    )


def _tensors(label: str, given: Any) -> Iterator[tuple[str, Tensor]]:
    """Tensors of an argument that need a gradient, with their places in it."""
    if isinstance(given, Tensor):
        if given.requires_grad:
            yield label, given
    elif isinstance(given, list | tuple):
        for place, one in enumerate(given):
            yield from _tensors(f"{label}.{place}", one)
    elif isinstance(given, Mapping):
        for place, one in given.items():
            yield from _tensors(f"{label}.{place}", one)
