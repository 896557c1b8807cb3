"""The ways back of recorded operators: what torch was seen to make of their outputs' gradients."""

from __future__ import annotations

from collections.abc import Sequence

from hbspec.catalog.recorded_program import Way
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes.autograd import Node, ParameterTensor, Saved, Tensor
from hbspec.estimators.step.lifetimes.ledger import NOTHING, Form
from hbspec.estimators.step.lifetimes.tape import Tape


class GradientsByOutput(Tensor):
    """Gradients of several outputs, by output."""

    __slots__ = ("by",)

    def __init__(self, by: dict[int, Tensor]) -> None:
        first = next(iter(by.values()))
        super().__init__(first.storage, first.numel, first.element)
        self.by = by


class RecordedDerivative:
    """Makes what a derivative was seen to make."""

    __slots__ = ("tape", "way", "weights")

    def __init__(self, tape: Tape, way: Way, weights: Sequence[bool]) -> None:
        self.tape, self.way, self.weights = tape, way, weights

    def single(self, gradient: Tensor) -> list[Tensor | None]:
        """From the gradient of the only output."""
        return self.several(GradientsByOutput({0: gradient}))

    def several(self, given: Tensor) -> list[Tensor | None]:
        """From the gradients of outputs."""
        way, tape = self.way, self.tape
        tape.multiply(Form(*way.work))
        outright = {
            one[0]
            for one, weight in zip(way.gradients, self.weights, strict=True)
            if weight and one is not None and one[0] >= 0
        }
        slots: dict[int, Tensor] = {}
        for event in way.events:
            if event < 0:
                slots.pop(~event, None)
                continue
            slots[event] = tape.new(Form(*way.made[event]), 1, op.GRADIENTS if event in outright else op.BACKWARD)
        found: list[Tensor | None] = []
        for one in way.gradients:
            if one is None:
                found.append(None)
                continue
            slot, numel, element = one
            made = slots.get(slot) if slot >= 0 else _given(given, -1 - slot)
            found.append(Tensor(made.storage if made else None, Form(*numel), element))
            del made
        return found


def _given(given: Tensor, place: int) -> Tensor | None:
    by = given.by if isinstance(given, GradientsByOutput) else {0: given}
    return by.get(place) or next(iter(by.values()))


def several(
    tape: Tape,
    outputs: Sequence[Tensor],
    nodes: Sequence[Node | None],
    derivative: RecordedDerivative,
    held: Sequence[Saved],
    able: Sequence[Tensor | ParameterTensor],
) -> None:
    """Outputs that have one way back: their gradients wait for each other."""
    joint = tape.record(Tensor(None, NOTHING, 0), nodes, derivative.several, held)
    op.fitting(tape, joint, able)
    if joint.node is None:
        return
    joint.node.join = _together
    for place, out in enumerate(outputs):

        def back(gradient: Tensor, place: int = place) -> list[Tensor | None]:
            return [GradientsByOutput({place: gradient})]

        tape.record(out, [joint.node], back)


def _together(first: Tensor, second: Tensor) -> Tensor:
    assert isinstance(first, GradientsByOutput)  # noqa: S101
    assert isinstance(second, GradientsByOutput)  # noqa: S101
    return GradientsByOutput({**first.by, **second.by})
