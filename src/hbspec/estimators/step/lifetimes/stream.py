"""What a micro-batch allocates and frees, in order, told for all layers from the run of a few.

Layers of a kind between neighbours of the same kinds allocate and free alike. So as few layers are run as have every
such neighbourhood, and each layer of the model gets the events of the one that stands for it. A storage is named by the
phase that makes it and by its number there: whoever frees it may be a phase of the next layer, or of the way back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.estimators.step.lifetimes.kinds import kinds
from hbspec.estimators.step.lifetimes.ledger import Form, Ledger
from hbspec.estimators.step.lifetimes.model import BEFORE, END, LOSS, LOSS_BACKWARD, run
from hbspec.estimators.step.lifetimes.program import Program
from hbspec.estimators.step.lifetimes.whole import model_of

FORWARD, BACKWARD = "forward of a layer", "backward of a layer"
"""Phases of a layer; the others are those of `hbspec.estimators.step.lifetimes.model`."""

OUTSIDE = BEFORE, LOSS, LOSS_BACKWARD, END

NOWHERE = -1
"""The layer of a phase outside the layers."""


class Event(NamedTuple):
    """A storage comes or goes.

    Attributes:
        comes: whether it comes.
        phase: the phase that makes it.
        layer: whose phase that is. For a phase of a layer: how many layers further on. For one outside the layers:
            which of the layers that were run. `NOWHERE` is that of a phase outside the layers in one outside them.
        number: its number among the storages that this phase makes.
    """

    comes: bool
    phase: str
    layer: int
    number: int


class Phase(NamedTuple):
    """What one phase does.

    Attributes:
        sizes: of the storages that it makes.
        stays: of these, the gradients of what is trained, which nobody frees.
        events: what comes and goes.
        lasting: of the events, those of storages that live longer than the phase, or came before it.
    """

    sizes: tuple[Form, ...]
    stays: frozenset[int]
    events: tuple[Event, ...]
    lasting: tuple[Event, ...]


class Stream(NamedTuple):
    """A micro-batch of a whole model.

    Attributes:
        outside: by name, the phases outside the layers.
        forward, backward: the phases of the layers that were run.
        run: by layer of the model, which of them stands for it.
    """

    outside: Mapping[str, Phase]
    forward: tuple[Phase, ...]
    backward: tuple[Phase, ...]
    run: tuple[int, ...]

    def layers(self, run: int) -> list[int]:
        """The layers of the model that a layer which was run stands for."""
        return [layer for layer, stands in enumerate(self.run) if stands == run]

    def phase(self, name: str, layer: int) -> Phase:
        """A phase of a layer of the model, or one outside the layers."""
        if name in self.outside:
            return self.outside[name]
        return (self.forward if name == FORWARD else self.backward)[self.run[layer]]


@lru_cache(maxsize=64)
def stream(architecture: Architecture, program: Program) -> Stream:
    """The stream of a model's micro-batch."""
    found = kinds(architecture, program)
    chosen = neighbourhoods((-1, *found.of[1:]))
    return recorded(architecture, program, 1 + chosen[-1], chosen)


def recorded(architecture: Architecture, program: Program, layers: int, chosen: Sequence[int]) -> Stream:
    """The stream, from a run of the model's first layers.

    Args:
        architecture: the model.
        program: what runs.
        layers: how many layers are run.
        chosen: by layer of the model, which of them stands for it.
    """
    ledger = run(model_of(architecture, program, range(layers)), [], [])
    phases = _phases(ledger, layers)
    return Stream(
        outside={name: phases[name, NOWHERE] for name in OUTSIDE},
        forward=tuple(phases[FORWARD, index] for index in range(layers)),
        backward=tuple(phases[BACKWARD, index] for index in range(layers)),
        run=tuple(chosen),
    )


def neighbourhoods(alike: Sequence[int]) -> tuple[int, ...]:
    """By layer, the first layer that is of its kind, between neighbours of the same kinds.

    The layers that are needed are the first ones of the model, so that they can be run one behind the other: as many
    as it takes until each neighbourhood is among them, and until the last two are those of the model.

    >>> neighbourhoods([0, 1, 1, 1, 1, 1])
    (0, 1, 2, 2, 2, 3)
    >>> neighbourhoods([0, 1, 2, 1, 2, 1, 2])
    (0, 1, 2, 3, 2, 3, 4)
    """
    last = len(alike) - 1
    around = [tuple(alike[at - 1 : at + 2]) for at in range(1, last)]
    end = next(
        (at for at in range(1, last) if {*around} == {*around[: at - 1]} and alike[at - 1 : at + 1] == alike[-2:]), last
    )
    return (0, *(1 + around.index(neighbours) for neighbours in around), *([end] if last else []))


def _phases(ledger: Ledger, layers: int) -> Mapping[tuple[str, int], Phase]:
    """Every phase by name and layer, with storages named by the phases that made them."""
    ran = {(name, NOWHERE): name for name in OUTSIDE}
    ran |= {(FORWARD, index): f"forward {index}" for index in range(layers)}
    ran |= {(BACKWARD, index): f"backward {index}" for index in range(layers)}
    streams, storages = ledger.streams, ledger.storages
    gone = {~index for name in ran.values() for index in streams.get(name, ()) if index < 0}
    made: dict[int, tuple[str, int, int]] = {}
    phases = {}
    for phase, layer in ran:
        for number, index in enumerate(index for index in streams.get(ran[phase, layer], ()) if index >= 0):
            made[index] = phase, layer, number
    for phase, layer in ran:
        events = streams.get(ran[phase, layer], ())
        own = [index for index in events if index >= 0]
        passing = {*own} & {~index for index in events if index < 0}
        phases[phase, layer] = Phase(
            sizes=tuple(storages[index][0] for index in own),
            stays=frozenset(number for number, index in enumerate(own) if index not in gone),
            events=tuple(_event(index, made, layer) for index in events),
            lasting=tuple(_event(index, made, layer) for index in events if max(index, ~index) not in passing),
        )
    return phases


def _event(index: int, made: Mapping[int, tuple[str, int, int]], layer: int) -> Event:
    phase, of, number = made[index if index >= 0 else ~index]
    if of != NOWHERE and layer != NOWHERE:
        of -= layer
    return Event(index >= 0, phase, of, number)
