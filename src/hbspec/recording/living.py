"""Values of the part that is watched, by the tensors that they are, until nothing refers to their storages any more."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Sequence
from typing import Any

from torch import Tensor

from hbspec.recording.program import Watched
from hbspec.recording.shared import key_of


class LivingValues:
    """Numbers of a part's values.

    Attributes:
        known: by what tells a tensor from other views of its storage.
        storages: weak references, by the identities of storages.
    """

    def __init__(self, part: Watched) -> None:
        self.known: dict[tuple[Any, ...], list[int]] = {}
        self.storages: dict[int, Any] = {}
        self._part: Watched | None = part
        self._ending: dict[int, list[int]] = {}
        self._keys: dict[int, dict[tuple[Any, ...], None]] = {}

    def over(self) -> None:
        """What ends from now on is not written down."""
        self._part = None

    def of(self, tensor: Tensor) -> Sequence[int]:
        """The numbers of the values that a tensor is, the newest last."""
        return self.known.get(key_of(tensor), ())

    def ending_with(self, tensor: Tensor) -> Sequence[int]:
        """The numbers of all values that share a tensor's storage."""
        return self._ending.get(tensor.untyped_storage()._cdata, ())

    def within(self, storages: Collection[int]) -> set[int]:
        """The numbers of values in some storages, as views of weights are."""
        return {number for storage, found in self._ending.items() if storage in storages for number in found}

    def add(self, tensor: Tensor, number: int, ending: Sequence[int]) -> None:
        """A tensor is a value, and these numbers end with its storage."""
        key = key_of(tensor)
        self.known.setdefault(key, []).append(number)
        self._keys.setdefault(key[0], {})[key] = None
        self.end_with(tensor, ending)

    def end_with(self, tensor: Tensor, numbers: Sequence[int]) -> None:
        """Values end with the storage of a tensor."""
        if not numbers:
            return
        storage = tensor.untyped_storage()
        name = storage._cdata
        self._ending.setdefault(name, []).extend(numbers)
        if name not in self.storages:
            self.storages[name] = weakref.ref(storage, lambda _: self._end(name))

    def forget(self, tensor: Tensor) -> None:
        """What a tensor is, is not known any more."""
        self.known.pop(key_of(tensor), None)

    def _end(self, storage: int) -> None:
        """Nothing refers to a storage any more."""
        if self._part is None:
            return
        gone = self._ending.pop(storage, [])
        self.storages.pop(storage, None)
        for key in self._keys.pop(storage, ()):
            self.known.pop(key, None)
        if self._part.operators:
            self._part.operators[-1].freed += gone
