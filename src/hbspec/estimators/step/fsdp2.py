"""FSDP2 (`fully_shard`), as torch's allocator sees it: every parameter by itself, and two flat buffers a unit.

Source: torch 2.13, `torch/distributed/fsdp/_fully_shard/_fsdp_param_group.py` and `_fsdp_collectives.py`.

- Gathering (`foreach_all_gather`): a flat buffer for the whole unit is asked for on the copy-in stream, and before it
  one for the shard where shards are wider than what is computed with, which is free again right after.
- Copying out (`wait_for_unshard`): every parameter is asked for on the computing stream. In the forward pass the flat
  buffer of a unit is let go of only when the next unit is copied out; on the way back, at once.
- Freeing (`reshard`): the parameters go, on the stream that they were asked for on, so that nothing waits.
- On the way back, the unit before is gathered ahead (`_backward_prefetch`), but not copied out. A layer that is
  computed again is gathered once, reentrant or not (`post_forward` keeps it in a backward pass).
- Gradients (`foreach_reduce`): they are copied into a flat buffer on the computing stream, which stays until the next
  unit's gradients come, and reduced on the reduce-scatter stream into a shard, which then becomes as wide as the
  shards.

The embedding, the last norm and the head are one root unit, which stays gathered until the backward pass is over.
accelerate 1.15.0 makes two units of them and frees both earlier (`fsdp_utils.py`, `fsdp2_prepare_model`). Left out:
parameters that are cut along another dimension than their first.
"""

from __future__ import annotations

from collections.abc import Sequence

from hbspec.catalog.dtypes import BYTES
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.stream import NOWHERE
from hbspec.estimators.step.sharded import GATHERING, REDUCING, Sharding, Unit
from hbspec.estimators.step.slots import Slots


class ParameterUnits(Sharding):
    """FSDP2 around a micro-batch.

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
        self._units = {unit.layer: unit for unit in units}
        self._first = units[0].layer
        self._arriving: dict[int, list[int]] = {}
        self._there: dict[int, list[int]] = {}
        self._copied: list[int] = []
        self._sent: list[int] = []
        self._reduced: list[int] = []

    def begin(self) -> None:
        """The root unit is gathered."""
        self._enter(NOWHERE)

    def forward(self, layer: int) -> None:
        """A layer is gathered."""
        self._enter(layer)

    def forwarded(self, layer: int) -> None:
        """A layer is freed."""
        if self._job.fsdp is None or self._job.fsdp.reshards:
            self._free(layer)

    def backward(self, layer: int) -> None:
        """A layer is there again, and the one before it arrives."""
        self.slots.let_go(self._copied)
        self._copied = []
        self._gather(layer)
        self.slots.let_go(self._copy_out(layer))
        if layer > self._first:
            self._gather(layer - 1)

    def backwarded(self, layer: int, gradients: Sequence[int]) -> None:
        """A layer is freed and its gradients are reduced."""
        self._free(layer)
        self._reduce(gradients)

    def end(self) -> list[int]:
        """What was sent is let go of."""
        self.slots.let_go(self._sent)
        return self._reduced

    def _enter(self, layer: int) -> None:
        """The flat buffer of the unit before is let go of between gathering and copying out."""
        self._gather(layer)
        self.slots.let_go(self._copied)
        self._copied = self._copy_out(layer)

    def _gather(self, layer: int) -> None:
        if layer in self._there or layer in self._arriving or self._passes(layer):
            return
        job, unit = self._job, self._units[layer]
        flat = sum(unit.gathered)
        cast = job.offload == "all" or unit.gathered != unit.loaded
        shard = self.slots.taken([-(-flat // self._ranks)] if cast else [], GATHERING)
        self._arriving[layer] = self.slots.taken([flat], GATHERING)
        self.slots.let_go(shard)

    def _copy_out(self, layer: int) -> list[int]:
        """The slots of the flat buffer, when its parameters are there."""
        if layer not in self._there and not self._passes(layer):
            self._there[layer] = self.slots.taken(self._units[layer].gathered)
        return self._arriving.pop(layer, [])

    def _passes(self, layer: int) -> bool:
        return self._followed is not None and layer != NOWHERE and layer not in self._followed

    def _free(self, layer: int) -> None:
        self.slots.let_go(self._there.pop(layer, []))

    def _reduce(self, gradients: Sequence[int]) -> None:
        self.slots.let_go(self._sent)
        self._sent = []
        size = sum(self.slots.alive[slot] for slot in gradients)
        if not size:
            return
        self._sent = self.slots.taken([size])
        self.slots.let_go(gradients)
        job, shard = self._job, -(-size // self._ranks)
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
    """Shard a model parameter by parameter.

    accelerate 1.15.0 sends every parameter by itself (`fsdp_utils.py`, `fsdp2_load_full_state_dict`), but holds a
    quantised model until all of it is sharded (`fsdp2_prepare_model`).

    Args:
        slots: where it is added.
        job: the job.
        units: what is sharded together.
        tensors: by unit, the slots of its tensors that are on the GPU already; None where each is moved there now.
    """
    for unit in units:
        if tensors is None:
            slots.taken(unit.whole)
        for size in unit.loaded:
            read = slots.taken([size] if tensors is None else [])
            shard = slots.taken([-(-size // job.shards.weights)])
            slots.let_go([*read, *(shard if job.offload == "all" else [])])
    for pieces in tensors or []:
        slots.let_go(pieces)
