"""A micro-batch of an evaluation over shapes: forward without differentiation.

No layer leaves anything but autocast's copies of its trained weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.estimators.step.lifetimes.kinds import kinds
from hbspec.estimators.step.lifetimes.ledger import Form, Peak
from hbspec.estimators.step.lifetimes.model import BEFORE, LOSS, Terms, forward_moments, run_forward
from hbspec.estimators.step.lifetimes.modules import COPIES
from hbspec.estimators.step.lifetimes.program import Program
from hbspec.estimators.step.lifetimes.whole import model_of


class Evaluation(NamedTuple):
    """What a model's evaluation does, from a layer of each kind.

    Attributes:
        left: by layer that was run, the copies of its weights that it leaves.
        forward: by layer that was run, the moments that can be the largest, beside what the layers before it left.
        loss: the same of norm, head and loss.
        sizes: of every storage.
        events: by phase, which storages come (their number) and go (its complement), in order.
    """

    left: Sequence[Terms]
    forward: Sequence[Sequence[Peak]]
    loss: Sequence[Peak]
    sizes: Sequence[Form]
    events: Mapping[str, Sequence[int]]


def evaluating(program: Program) -> Program:
    """What runs in an evaluation: nothing is dropped, computed again, accumulated or moved to the host."""
    return program._replace(dropout=False, checkpointing=False, accumulates=False, offloads=False)


@lru_cache(maxsize=256)
def evaluation_run(architecture: Architecture, program: Program) -> Evaluation:
    """The evaluation of a model.

    Args:
        architecture: the model.
        program: what runs, of `evaluating`.
    """
    found = kinds(architecture, program)
    layers = [found.of.index(kind) for kind in found.run]
    ledger, behind = run_forward(model_of(architecture, program, layers))
    left = [{COPIES: terms[COPIES]} if COPIES in terms else {} for terms in behind]
    phases = (BEFORE, *(f"forward {number}" for number in range(len(layers))), LOSS)
    *forward, loss = forward_moments(ledger, left)
    return Evaluation(
        left=left,
        forward=forward,
        loss=loss,
        sizes=[size for size, _ in ledger.storages],
        events={phase: ledger.streams.get(phase, ()) for phase in phases},
    )
