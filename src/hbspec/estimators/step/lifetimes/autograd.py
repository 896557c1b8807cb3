"""Reverse-mode differentiation over shapes: who holds which storage until when.

It follows torch 2.13's rules of life, and Python's own reference counts do the counting, as they do there:

- an operator's node holds what its derivative needs until that derivative was computed (`csrc/autograd/engine.cpp`,
  `evaluate_function`, `release_variables`);
- the node that ran last in the forward pass runs first in the backward pass (`sequence_nr`);
- the second gradient of a tensor is added into the first if nothing else refers to that one, else into a new tensor
  (`csrc/autograd/input_buffer.cpp`);
- non-reentrant checkpointing keeps a layer's input only, computes the layer again when the first saved tensor is asked
  for, and stops after the last one (`torch/utils/checkpoint.py`, `early_stop`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from itertools import count
from sys import getrefcount
from weakref import ReferenceType, ref

from hbspec.estimators.step.lifetimes.ledger import Form, Ledger, Storage


class Tensor:
    """A shape with a storage behind it.

    Attributes:
        numel: how many numbers it holds.
        element: bytes of each.
        node: what made it, if it takes part in differentiation.
    """

    __slots__ = ("element", "node", "numel", "storage")

    def __init__(self, storage: Storage | None, numel: Form, element: int, node: Node | None = None) -> None:
        self.storage, self.numel, self.element, self.node = storage, numel, element, node


class Parameter:
    """A weight; what it occupies is counted elsewhere.

    Attributes:
        numel: how many numbers it holds.
        element: bytes of each.
        trained: whether it gets a gradient.
        sink: where its gradient arrives.
    """

    __slots__ = ("element", "numel", "sink", "trained")

    def __init__(self, numel: Form, element: int, trained: bool, sink: Sink | None = None) -> None:
        self.numel, self.element, self.trained, self.sink = numel, element, trained, sink


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

    def __init__(self, storage: Storage | None) -> None:
        self.storage = storage

    def held(self) -> Storage | None:
        """It."""
        return self.storage

    def used(self) -> None:
        """The derivative has taken what it needs."""

    def release(self) -> None:
        """Let go of it."""
        self.storage = None


class Stopped(Exception):  # noqa: N818  (it is a signal, as in torch)
    """Everything that the backward pass needs has been computed again."""


class Frame:
    """One checkpointed call: its input is held, and what its nodes need is computed again when first asked for."""

    __slots__ = ("call", "holders", "recomputed", "started", "tape")

    def __init__(self, tape: Tape, call: Callable[[], Tensor]) -> None:
        self.tape, self.call = tape, call
        self.holders: list[ReferenceType[Checkpointed]] = []
        self.started = False
        self.recomputed: list[Storage | None] = []

    def get(self, index: int) -> Storage | None:
        """One of the saved storages; the first that is asked for makes all of them."""
        if not self.started:
            self.started = True
            outer, self.tape.frame, self.tape.recomputing = self.tape.frame, self, True
            try:
                self.call()
            except Stopped:
                pass
            finally:
                self.tape.frame, self.tape.recomputing = outer, False
                self.tape.copies.clear()
        return self.recomputed[index]


class Checkpointed(Saved):
    """A storage that will be computed again."""

    __slots__ = ("__weakref__", "frame", "index")

    def __init__(self, frame: Frame) -> None:
        super().__init__(None)
        self.frame: Frame | None = frame
        self.index = len(frame.holders)
        frame.holders.append(ref(self))

    def held(self) -> Storage | None:
        """It, computed again if need be."""
        return self.frame.get(self.index) if self.frame is not None else None

    def used(self) -> None:
        """Checkpointing hands a storage out once, and forgets it."""
        if self.frame is not None and self.frame.started:
            self.frame.recomputed[self.index] = None

    def release(self) -> None:
        """Let go of it."""
        self.used()
        self.frame = None


class Tape:
    """Runs operators forward and back, and tells the ledger.

    Attributes:
        ledger: who counts.
        term: the name under which the next storages are counted.
        on_gpu: whether CUDA's kernels run, with temporaries of their own, and nothing looks on. Under a dispatch mode,
            as in a trace on the CPU, torch never adds one gradient into another (`can_accumulate_inplace` refuses
            what `isTensorSubclassLike` accepts).
        copies: autocast's copies of trained weights, by the weight; they live until the pass, or the layer that is
            computed again, is over.
        held: what the caller holds during the backward pass.
    """

    def __init__(self, ledger: Ledger, *, on_gpu: bool = True) -> None:
        self.ledger, self.on_gpu = ledger, on_gpu
        self.term = "activations"
        self.copies: dict[int, Tensor] = {}
        self.held: Tensor | None = None
        self.frame: Frame | None = None
        self.recomputing = False
        self._sequence = 0

    def new(self, numel: Form, element: int, term: str | None = None) -> Tensor:
        """A fresh tensor without a way back."""
        return Tensor(Storage(self.ledger, numel.times(element), term or self.term), numel, element)

    def multiply(self, work: Form) -> None:
        """A matrix product of so many multiply-adds."""
        self.ledger.multiply(work, again=self.recomputing)

    def save(self, tensor: Tensor) -> Saved:
        """Hold a tensor's storage for the backward pass.

        Raises:
            Stopped: while computing again, when nothing more is needed.
        """
        if self.frame is None:
            return Saved(tensor.storage)
        if not self.recomputing:
            return Checkpointed(self.frame)
        again, holders = self.frame.recomputed, self.frame.holders
        wanted = holders[len(again)]() is not None
        again.append(tensor.storage if wanted else None)
        if len(again) == len(holders):
            raise Stopped
        return Saved(tensor.storage)

    def record(
        self, out: Tensor, inputs: Sequence[Node | None], derivative: Derivative, saved: Sequence[Saved] = ()
    ) -> Tensor:
        """Give a tensor its way back, if any of the inputs has one."""
        if any(node is not None for node in inputs):
            self._sequence += 1
            out.node = Node(self._sequence, inputs, derivative, saved)
        return out

    def checkpoint(self, layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Run a layer so that only its input is held."""
        frame = Frame(self, lambda: layer(x))
        outer, self.frame = self.frame, frame
        try:
            return layer(x)
        finally:
            self.frame = outer

    def backward(self, outputs: list[Tensor]) -> None:
        """Run every node that leads to the last of `outputs`, the youngest first.

        The output is taken off the list: whoever asks must not hold it either.
        """
        output = outputs.pop()
        root = output.node
        if root is None:
            return
        waiting = _dependencies(root)
        arrived: dict[Node, Tensor] = {root: self.new(output.numel, output.element, "backward")}
        del output
        order = count(1)
        ready = [(-root.sequence, 0, root)]
        del root
        while ready:
            node = heappop(ready)[2]
            inputs = node.inputs
            out = node.run(arrived.pop(node))
            del node
            for target, given in zip(inputs, out, strict=False):
                if target is None:
                    continue
                if given is not None:
                    first = arrived.get(target)
                    arrived[target] = given if first is None else (target.join or self.sum)(first, given)
                    del first
                waiting[target] -= 1
                if not waiting[target] and target in arrived:
                    heappush(ready, (-target.sequence, next(order), target))
            given = None
            del out

    def sum(self, first: Tensor, second: Tensor) -> Tensor:  # noqa: ARG002  (as a node's `join`)
        """Two gradients of one tensor, of one size and dtype."""
        # one reference of the tensor, one of the argument of getrefcount
        if self.on_gpu and getrefcount(first.storage) <= ALONE:
            self.ledger.write("backward", first.numel.times(first.element))
            return first
        return self.new(first.numel, first.element, "backward")


ALONE = 2
"""What `sys.getrefcount` says of a storage that one tensor holds."""


def _dependencies(root: Node) -> dict[Node, int]:
    waiting: dict[Node, int] = {root: 0}
    stack = [root]
    while stack:
        for node in stack.pop().inputs:
            if node is None:
                continue
            if node in waiting:
                waiting[node] += 1
            else:
                waiting[node] = 1
                stack.append(node)
    return waiting
