"""FSDP1 (`FullyShardedDataParallel`), as torch's allocator sees it: one flat parameter a unit, on streams of its own.

Source: torch 2.13, `torch/distributed/fsdp/_runtime_utils.py`, `_flat_param.py`, `_init_utils.py`.

- Loading: a unit's tensors are moved to the GPU and put together in one flat tensor, of which a shard is cloned; then
  both are freed (`_init_param_handle_from_module`, `FlatParamHandle.shard`). Layers first, the root unit last.
- Gathering (`_unshard`): the flat parameter is asked for on the unshard stream. Where shards are wider than what is
  computed with, or on the host, the shard is asked for before that on the pre-unshard stream.
- Freeing (`_reshard`): other streams still use the block (`record_stream`). The host runs ahead of the GPU, so that the
  block is free only when the host waits: before a gathering, for the one before the last freeing
  (`limit_all_gathers`, `_FreeEventQueue`). The root unit stays gathered until the backward pass is over.
- On the way back, the unit before is gathered ahead (`BackwardPrefetch.BACKWARD_PRE`). Not so where a reentrant
  checkpoint is around the unit: it runs the unit's hooks twice, for the layer that is computed again and for its
  gradients, and its first forward pass does not announce the backward pass (`_register_pre_backward_hooks`).
- Gradients of a unit that is trained are put together in one flat tensor by the views' backward function, and reduced
  into a shard on the post-backward stream (`_reduce_grad`), which then becomes as wide as the shards. Adapters are
  units of their own (peft, `fsdp_auto_wrap_policy`).

Left out: the gathered parameters of adapters, and `forward_prefetch`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from hbspec.catalog.dtypes import BYTES
from hbspec.estimators.step.hooks import held_by_hooks
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.stream import NOWHERE
from hbspec.estimators.step.pool import block_bytes
from hbspec.estimators.step.sharded import APART, CASTING, GATHERING, REDUCING, Sharding, Unit
from hbspec.estimators.step.slots import Slots
from hbspec.plan.epochs import CHECKPOINTED_INSIDE

IN_FLIGHT = 2
"""Freeings that the host does not wait for (`_FreeEventQueue`, `_max_num_inflight_all_gathers`)."""


def gathers_twice(job: Job) -> bool:
    """Whether the backward pass gathers a layer twice: reentrant checkpointing is around the unit."""
    training = job.training
    return training.gradient_checkpointing and training.use_reentrant and not training.has(CHECKPOINTED_INSIDE)


class FlatUnits(Sharding):
    """FSDP1 around a micro-batch.

    Args:
        slots: where its actions are added.
        job: the job.
        units: what is gathered together.
        followed: the layers that are followed; None for all of them. Of the others nothing is told that passes.
    """

    def __init__(self, slots: Slots, job: Job, units: Sequence[Unit], followed: frozenset[int] | None = None) -> None:
        super().__init__(slots)
        self._followed = followed if job.fsdp is None or job.fsdp.reshards else None
        self._job, self._ranks = job, job.shards.weights
        self._sizes = {unit.layer: sum(unit.gathered) for unit in units}
        layers = [unit.layer for unit in units if unit.layer not in (NOWHERE, APART)]
        self._first, self._last = layers[0], layers[-1]
        self._held = held_by_hooks(job)
        self._there: dict[int, int] = {}
        self._freed: deque[int] = deque()
        self._sent: list[int] = []
        self._hooked: list[int] = []
        self._reduced: list[int] = []

    def begin(self) -> None:
        """The root unit is gathered."""
        self._gather(NOWHERE)

    def forward(self, layer: int) -> None:
        """A layer is gathered."""
        self._gather(layer)

    def forwarded(self, layer: int) -> None:
        """A layer is freed."""
        if self._reshards:
            self._free(layer)

    def backward(self, layer: int) -> None:
        """A layer is there again, twice where it is computed again reentrantly."""
        self._gather(layer)
        if gathers_twice(self._job):
            if self._reshards:
                self._free(layer)
                self._gather(layer)
        elif layer > self._first:
            self._gather(layer - 1)

    def backwarded(self, layer: int, gradients: Sequence[int]) -> None:
        """A layer is freed and its gradients are reduced."""
        if layer != NOWHERE:
            self._free(layer)
            if any(self._held):
                self._hooked += self.slots.taken([self._held] * (2 if self._first < layer < self._last else 1))
        self._reduce(gradients)

    def end(self) -> list[int]:
        """The root unit is freed, and what was waited for is over."""
        self._free(NOWHERE)
        self.slots.let_go([*self._freed, *self._sent, *self._hooked])
        return self._reduced

    @property
    def _reshards(self) -> bool:
        return self._job.fsdp is None or self._job.fsdp.reshards

    def _gather(self, layer: int) -> None:
        passes = self._followed is not None and layer != NOWHERE and layer not in self._followed
        if layer in self._there or passes:
            return
        size, job = self._sizes[layer], self._job
        cast = job.offload == "all" or BYTES[job.training.weights_dtype] > job.precision.stream
        shard = self.slots.taken([-(-size // self._ranks)] if cast else [], CASTING)
        if len(self._freed) >= IN_FLIGHT:
            self.slots.gone(self._freed.popleft())
        for slot in self.slots.taken([size], GATHERING):
            self._there[layer] = slot
        self.slots.let_go(shard)

    def _free(self, layer: int) -> None:
        slot = self._there.pop(layer, None)
        if slot is not None:
            self._freed.append(slot)

    def _reduce(self, gradients: Sequence[int]) -> None:
        """Reduce a unit's gradients; those of adapters, one by one."""
        job, alive = self._job, self.slots.alive
        groups: Iterable[Sequence[int]] = [[slot] for slot in gradients] if job.training.adapters else [gradients]
        self.slots.let_go(self._sent)
        self._sent = []
        for group in groups:
            flat = sum(alive[slot] for slot in group)
            if not flat:
                continue
            if len(group) > 1:
                [whole] = self.slots.taken([flat])
                self.slots.let_go(group)
                self._sent.append(whole)
            else:
                self._sent += group
            shard = -(-flat // self._ranks)
            narrow = self.slots.taken([shard], REDUCING)
            stored = BYTES[job.training.adapter_dtype if job.training.adapters else job.training.weights_dtype]
            if job.offload == "all":
                self.slots.let_go(narrow)
            elif stored > job.precision.trained:
                self._reduced += self.slots.taken([shard * stored // job.precision.trained], REDUCING)
                self.slots.let_go(narrow)
            else:
                self._reduced += narrow


def load(slots: Slots, job: Job, units: Sequence[Unit], tensors: Sequence[Sequence[int]] | None) -> None:
    """Shard a model unit by unit.

    Args:
        slots: where it is added.
        job: the job.
        units: what is sharded together.
        tensors: by unit, the slots of its tensors that are on the GPU already; None where each is moved there now.
    """
    for at, unit in enumerate(units):
        pieces = slots.taken(unit.loaded) if tensors is None else tensors[at]
        if tensors is None:
            slots.taken(unit.whole)
        flat = slots.taken([sum(unit.loaded)])
        shard = slots.taken([block_bytes(-(-sum(unit.loaded) // job.shards.weights))])
        slots.let_go([*flat, *pieces])
        if job.offload == "all":
            slots.let_go(shard)
