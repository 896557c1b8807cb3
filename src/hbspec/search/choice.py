"""One plan of a search, as the value that it has on each axis."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """Where instances are rented, and how."""

    region: str | None
    spot: bool


class Fleet(NamedTuple):
    """The instances of a job.

    Attributes:
        type: the instance type; None for hardware described by hand.
        number: how many there are.
        gpu: the name of their GPUs.
        gpus: the number of GPUs of each.
        places: where it can be rented.
    """

    type: str | None
    number: int
    gpu: str
    gpus: int
    places: tuple[Place, ...]


class Placement(NamedTuple):
    """How the GPUs share the job: `parallelism`, `sharding` (None except under FSDP) and `offload`, as planned."""

    parallelism: str
    sharding: str | None
    offload: str


class Batch(NamedTuple):
    """Rows of a micro-batch, and micro-batches per update."""

    rows: int
    accumulation: int


class Arrangement(NamedTuple):
    """Plans that differ only in the batch and the place.

    Attributes:
        variant: the index of what is trained otherwise, in the space's `variants`.
        machine: the instances.
        way: how they share the job.
        checkpointing: whether activations are computed again.
        attention: the attention kernel.
        batches: each division of the effective batch.
    """

    variant: int
    machine: Fleet
    way: Placement
    checkpointing: bool
    attention: str
    batches: tuple[Batch, ...]

    @property
    def plans(self) -> int:
        """The number of plans."""
        return len(self.batches) * len(self.machine.places)


class Choice(NamedTuple):
    """One plan: a value on each axis."""

    group: Arrangement
    batch: Batch
    place: Place
