"""Loading of weights that a GPU holds whole, as requests to torch's allocator in their order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hbspec.estimators.step.allocator import COMPUTING, Action
from hbspec.estimators.step.pool import SMALL, block_bytes, place
from hbspec.estimators.step.resident import Loaded

DDP_BUCKET = 25 << 20
"""Bytes of a gradient bucket (torch, `DistributedDataParallel`, `bucket_cap_mb`)."""


class WholeLoad:
    """What is asked for until a process may train; what loading takes for a while is free again.

    Attributes:
        actions: what is done with large blocks, as `Allocator.follow` takes it.
        sizes: bytes of blocks, rounded; the first stands for none.
        small: bytes of all other blocks, which are counted as if they stayed.

    Args:
        tensors: the weights.
        warm: whether one segment is opened for all of them first (transformers 5.23.0, `caching_allocator_warmup`).
        trained: bytes of each adapter.
        buckets: bytes of gradient buckets.
    """

    def __init__(self, tensors: Sequence[Loaded], trained: Iterable[int], buckets: int, *, warm: bool) -> None:
        self.actions: list[Action] = []
        self.sizes = [0]
        self.small = 0
        if warm:
            self._let_go(self._ask([sum(size for tensor in tensors for size in tensor.kept)]))
        wide: list[tuple[range, Loaded]] = []
        for tensor in tensors:
            if not tensor.widened and tensor.read == sum(tensor.kept):
                self._ask(tensor.kept)
                continue
            read = self._ask([tensor.read])
            if tensor.widened:
                wide.append((read, tensor))
            else:
                self._ask(tensor.kept)
                self._let_go(read)
        for read, tensor in wide:
            self._ask(tensor.kept)
            self._let_go(read)
        self._ask(trained)
        self._ask([DDP_BUCKET] * (buckets // DDP_BUCKET) + [buckets % DDP_BUCKET])

    def _ask(self, requests: Iterable[int]) -> range:
        """Slots of the large ones of some requests; an empty tensor asks for nothing."""
        begun = len(self.sizes)
        for request in requests:
            size = block_bytes(request) if request else 0
            if size > SMALL:
                slot = len(self.sizes)
                self.sizes.append(size)
                self.actions.append((slot, slot, place(size, COMPUTING)))
            else:
                self.small += size
        return range(begun, len(self.sizes))

    def _let_go(self, slots: Iterable[int]) -> None:
        self.actions.extend((slot, 0, COMPUTING) for slot in slots)
