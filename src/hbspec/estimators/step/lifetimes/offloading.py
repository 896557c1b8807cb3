"""Activations in host memory: what is saved for the backward pass leaves the GPU, and comes back when it is asked for.

Source: TRL 1.16.0, `models/activation_offloading.py`, `OffloadActivations` with its defaults (streams, pinned memory).
"""

from __future__ import annotations

from collections import deque

from hbspec.estimators.step.lifetimes.autograd import Saved
from hbspec.estimators.step.lifetimes.ledger import Form, Ledger, TensorStorage

SMALLEST = 1024
"""Bytes of the smallest tensor that leaves (`min_offload_size`)."""

STASH = 5
"""Tensors, of those that were saved last, that stay on the GPU while they are copied (`max_fwd_stash_size`)."""


class Offloaded(Saved):
    """A storage that is in host memory, and on the GPU only while a node needs it."""

    __slots__ = ("ledger", "size", "term")

    def __init__(self, storage: TensorStorage) -> None:
        super().__init__(None)
        self.ledger, self.size, self.term = storage.ledger, storage.size, storage.term

    def held(self) -> TensorStorage | None:
        """It, brought back."""
        if self.storage is None:
            self.storage = TensorStorage(self.ledger, self.size, self.term)
        return self.storage


class Offloading:
    """Decides what leaves, in the order in which tensors are saved.

    A storage that is saved again while its first copy is still under way stays on the GPU.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._saved = 0
        self._stash: deque[tuple[int, int, Form]] = deque()
        self._known: dict[int, int] = {}

    def pack(self, storage: TensorStorage | None) -> Saved:
        """What a node holds instead of a tensor."""
        self._saved += 1
        if storage is None:
            return Saved(None)
        if storage.index in self._known:
            self._known[storage.index] = self._saved
            return Saved(storage)
        if not (storage.size.per_token or storage.size.per_pair or storage.size.fixed >= SMALLEST):
            return Saved(storage)
        while self._stash and self._stash[0][0] <= self._saved - STASH:
            number, index, _ = self._stash.popleft()
            if self._known.get(index) == number:
                del self._known[index]
        self._stash.append((self._saved, storage.index, storage.size))
        self._known[storage.index] = self._saved
        self._ledger.move(storage.size, tuple(size for _, _, size in self._stash))
        return Offloaded(storage)
