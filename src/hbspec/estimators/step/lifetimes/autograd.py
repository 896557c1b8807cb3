"""The graph of reverse-mode differentiation over shapes: who holds which storage until when.

It follows torch 2.13's rules of life, and Python's own reference counts do the counting, as they do there. An
operator's node holds what its derivative needs until that derivative was computed (`csrc/autograd/engine.cpp`,
`evaluate_function`, `release_variables`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hbspec.estimators.step.lifetimes.ledger import Form, TensorStorage


class Tensor:
    """A shape with a storage behind it.

    Attributes:
        numel: how many numbers it holds.
        element: bytes of each.
        node: what made it, if it takes part in differentiation.
    """

    __slots__ = ("element", "node", "numel", "storage")

    def __init__(self, storage: TensorStorage | None, numel: Form, element: int, node: Node | None = None) -> None:
        self.storage, self.numel, self.element, self.node = storage, numel, element, node


class ParameterTensor:
    """A weight; what it occupies is counted elsewhere.

    Attributes:
        numel: how many numbers it holds.
        element: bytes of each.
        trained: whether it gets a gradient.
        sink: where its gradient arrives.
        again: whether a layer behind this one has the same weight: the gradient is there already, and is that layer's.
    """

    __slots__ = ("again", "element", "numel", "sink", "trained")

    def __init__(self, numel: Form, element: int, trained: bool, sink: Sink | None = None) -> None:
        self.numel, self.element, self.trained, self.sink = numel, element, trained, sink
        self.again = False

    def share(self) -> None:
        """A layer behind this one has the same weight, and has sent it a gradient before."""
        self.again = True
        if self.sink is not None:
            self.sink.accumulates = True


Derivative = Callable[[Tensor], Sequence["Tensor | None"]]
"""From the gradient of the output to the gradients of the inputs."""


class Node:
    """An operator that ran, with its way back.

    Attributes:
        inputs: what its gradients go to; None needs none.
        derivative: computes them.
        saved: what it holds until then.
        join: makes one of two gradients that arrive, where that is not their sum.
        fits: makes the gradients as large and as wide as the inputs, when nothing is held any more.
    """

    __slots__ = ("__weakref__", "derivative", "fits", "inputs", "join", "saved", "sequence")

    def __init__(
        self, sequence: int, inputs: Sequence[Node | None], derivative: Derivative, saved: Sequence[Saved]
    ) -> None:
        self.sequence, self.inputs, self.derivative, self.saved = sequence, inputs, derivative, saved
        self.join: Callable[[Tensor, Tensor], Tensor] | None = None
        self.fits: Callable[[int, Tensor], Tensor] | None = None

    def run(self, gradient: Tensor) -> Sequence[Tensor | None]:
        """The gradients of the inputs; afterwards nothing is held any more."""
        held = [saved.held() for saved in self.saved]
        out = list(self.derivative(gradient))
        del held
        for saved in self.saved:
            saved.used()
        if self.fits is not None:
            for index, made in enumerate(out):
                if made is not None:
                    out[index] = None  # as the one that is made fit is let go of
                    out[index] = self.fits(index, made)
                made = None
        for saved in self.saved:
            saved.release()
        self.saved = ()
        return out


AT_ONCE = 2**63
"""Gradients are gathered as soon as they are there (`AccumulateGrad` has the highest sequence number)."""


class Sink(Node):
    """The end of a way back: a parameter or an input that gathers its gradient.

    Attributes:
        gradient: what has arrived, in this step or, with gradient accumulation, in one before (then counted elsewhere).
    """

    __slots__ = ("accumulates", "gradient")

    def __init__(self, *, accumulates: bool = False) -> None:
        super().__init__(AT_ONCE, (), _nothing, ())
        self.accumulates = accumulates
        self.gradient: Tensor | None = None

    def run(self, gradient: Tensor) -> Sequence[Tensor | None]:
        """Keep it, or add it to what is counted elsewhere."""
        if self.gradient is None and not self.accumulates:
            self.gradient = gradient
        return ()


def _nothing(_: Tensor) -> Sequence[Tensor | None]:
    return ()


class Saved:
    """A storage that a node holds."""

    __slots__ = ("storage",)

    def __init__(self, storage: TensorStorage | None) -> None:
        self.storage = storage

    def held(self) -> TensorStorage | None:
        """It."""
        return self.storage

    def used(self) -> None:
        """The derivative has taken what it needs."""

    def release(self) -> None:
        """Let go of it."""
        self.storage = None
