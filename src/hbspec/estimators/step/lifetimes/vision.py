"""A tower for images over shapes: forward beside the embedded text, and back where a gradient goes through it.

Sizes are forms in the patches of a micro-batch, and in pairs of patches. All layers are run one after another, as a
tower has few, and two of them may differ in what they attend to.

Sources: transformers 5.23.0, `models/*/modeling_*.py` of the wrappers and their towers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

from hbspec.catalog.vision import Vision
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Tensor
from hbspec.estimators.step.lifetimes.embedding import Leaf
from hbspec.estimators.step.lifetimes.ledger import NOTHING, Form, Ledger, Peak, Products, Work
from hbspec.estimators.step.lifetimes.modules import COPIES, UNPACKED, Machine
from hbspec.estimators.step.lifetimes.program import Program
from hbspec.estimators.step.lifetimes.tape import Tape
from hbspec.estimators.step.lifetimes.vision_layer import TERM, vision_layer
from hbspec.estimators.step.lifetimes.vision_parts import OUTPUTS, TowerParts, embedded_patches, merged, projected

FORWARD, BACKWARD, BEHIND = "images", "images backward", "behind images"


class VisionRun(NamedTuple):
    """What a tower's run tells.

    Attributes:
        forward: moments of its forward pass.
        held: what is there while the language model runs forward.
        kept: of that, what stays until the tower's way back; nothing where no gradient goes there.
        backward: moments of its way back, with what is kept; none where no gradient goes there.
        forward_work, backward_work: what both passes write, by term.
        products: multiply-adds.
    """

    forward: Sequence[Peak]
    held: Mapping[str, Form]
    kept: Mapping[str, Form]
    backward: Sequence[Peak]
    forward_work: Mapping[str, Work]
    backward_work: Mapping[str, Work]
    products: Products


class Shown(NamedTuple):
    """How a tower is run, beside the program of the language model.

    Attributes:
        hooked: whether its patches are made to need a gradient (`enable_input_require_grads`).
        checkpointing: whether its layers are computed again.
    """

    hooked: bool = False
    checkpointing: bool = False


@lru_cache(maxsize=64)
def vision_run(vision: Vision, program: Program, shown: Shown) -> VisionRun:
    """The run of a tower.

    Args:
        vision: its sizes.
        program: what runs, of which dtypes, quantisation and kernels count.
        shown: how the tower is run.
    """
    ledger = Ledger()
    tape = Tape(ledger, on_gpu=program.on_gpu)
    compute = program.compute if program.autocast else None
    machine = Machine(tape, compute, program.stream, program.float16 and program.on_gpu, False)
    ledger.begin(FORWARD)
    held = _forward(machine, TowerParts(vision, program), shown, reentrant=program.reentrant)
    tape.copies.clear()
    ledger.begin(BEHIND)
    there = ledger.alive()
    outputs = [held.pop("embeddings")]
    outputs += [held.pop(name) for name in [*held] if name.startswith("tap")]
    held.clear()
    outputs = [one for one in outputs if one.node is not None]
    for one in outputs:
        one.storage = None  # what took its place in the rows has a way back, and holds nothing of it
    kept = ledger.alive() if outputs else {}
    ledger.begin(BACKWARD)
    while outputs:
        tape.backward(outputs)
    ledger.begin("over")
    return VisionRun(
        forward=[_named(peak) for peak in ledger.peaks(FORWARD)],
        held=_joined(there),
        kept=_joined(kept),
        backward=[_named(peak) for peak in ledger.peaks(BACKWARD)] if kept else [],
        forward_work=ledger.work(FORWARD),
        backward_work=ledger.work(BACKWARD),
        products=ledger.products(FORWARD, BACKWARD),
    )


def _forward(machine: Machine, parts: TowerParts, shown: Shown, *, reentrant: bool) -> dict[str, Tensor]:
    """What the wrapper holds of its tower, with the embeddings of the images."""
    tape, vision = machine.tape, parts.vision
    x, pixels = embedded_patches(machine, parts, lambda made: _hooked(made, shown))
    around = parts.around(machine, x)
    read, taps = x, dict[str, Tensor]()
    checkpoint = tape.checkpoint_reentrant if reentrant else tape.checkpoint
    for index in range(vision.layers):
        call = partial(vision_layer, machine, parts.layer(index), around)
        x = checkpoint(call, x) if shown.checkpointing else call(x)
        del call
        if index + 1 == vision.read:
            read = x
        if index in vision.taps:
            taps[f"deep {index}"] = merged(machine, parts, x, normed=False)
    del around
    found = projected(machine, parts, read, x)
    del pixels
    tape.term = OUTPUTS
    return {**found, **taps, **{f"tap {name}": op.clone(tape, one) for name, one in taps.items()}}


def _hooked(made: Tensor, shown: Shown) -> Tensor:
    """The patches as they come out of their embedding, which may be made to need a gradient."""
    if shown.hooked and made.node is None:
        made.node = Leaf(made.storage)
    return made


def _named(peak: Peak) -> Peak:
    return Peak(peak.phase, peak.total, _joined(peak.terms))


def _joined(terms: Mapping[str, Form]) -> Mapping[str, Form]:
    """Terms as they are shown: those of a language model's layers are one of the tower's."""
    found: dict[str, Form] = {}
    for name, size in terms.items():
        known = name if name in (OUTPUTS, COPIES, UNPACKED) else TERM
        found[known] = found.get(known, NOTHING).plus(size)
    return found
