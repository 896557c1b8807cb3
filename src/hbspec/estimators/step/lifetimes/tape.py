"""Differentiation over shapes: operators run forward, and their nodes back.

As in torch 2.13:

- the node that ran last in the forward pass runs first in the backward pass (`sequence_nr`);
- the second gradient of a tensor is added into the first if nothing else refers to that one, else into a new tensor
  (`csrc/autograd/input_buffer.cpp`);
- non-reentrant checkpointing keeps a layer's input only, computes the layer again when the first saved tensor is asked
  for, and stops after the last one (`torch/utils/checkpoint.py`, `early_stop`);
- reentrant checkpointing runs a layer without differentiation, where no context holds anything, and on the way back
  whole and with a backward pass of its own (`CheckpointFunction`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import count
from sys import getrefcount
from weakref import ReferenceType, ref

from hbspec.estimators.step.lifetimes.autograd import Derivative, Node, Saved, Sink, Tensor
from hbspec.estimators.step.lifetimes.ledger import Form, Ledger, TensorStorage
from hbspec.estimators.step.lifetimes.offloading import Offloading


class Stopped(Exception):  # noqa: N818  (it is a signal, as in torch)
    """Everything that the backward pass needs has been computed again."""


class Frame:
    """One checkpointed call: its input is held, and what its nodes need is computed again when first asked for."""

    __slots__ = ("call", "holders", "recomputed", "started", "tape")

    def __init__(self, tape: Tape, call: Callable[[], Tensor]) -> None:
        self.tape, self.call = tape, call
        self.holders: list[ReferenceType[Checkpointed]] = []
        self.started = False
        self.recomputed: list[TensorStorage | None] = []

    def get(self, index: int) -> TensorStorage | None:
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

    def held(self) -> TensorStorage | None:
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
        returned: what the last layer returned beside its output, which the model's loop holds until the next is done.
        shared: by label, what a part of a recorded model made for others, until another takes its place.
        held: what the caller holds during the backward pass.
        offloading: what takes saved tensors to the host; None where they stay.
    """

    def __init__(self, ledger: Ledger, *, on_gpu: bool = True, offloading: Offloading | None = None) -> None:
        self.ledger, self.on_gpu, self.offloading = ledger, on_gpu, offloading
        self.term = "activations"
        self.copies: dict[int, Tensor] = {}
        self.returned: Tensor | None = None
        self.shared: dict[str, Tensor] = {}
        self.routers: list[Tensor] = []  # what the loss that balances experts is made of
        self.held: Tensor | None = None
        self.frame: Frame | None = None
        self.recomputing = False
        self.differentiating = True
        self._sequence = 0

    def new(self, numel: Form, element: int, term: str | None = None) -> Tensor:
        """A fresh tensor without a way back."""
        return Tensor(TensorStorage(self.ledger, numel.times(element), term or self.term), numel, element)

    def multiply(self, work: Form) -> None:
        """A matrix product of so many multiply-adds."""
        self.ledger.multiply(work, again=self.recomputing)

    def save(self, tensor: Tensor) -> Saved:
        """Hold a tensor's storage for the backward pass.

        Raises:
            Stopped: while computing again, when nothing more is needed.
        """
        if self.frame is None:
            return Saved(tensor.storage) if self.offloading is None else self.offloading.pack(tensor.storage)
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
        if self.differentiating and any(node is not None for node in inputs):
            self._sequence += 1
            out.node = Node(self._sequence, inputs, derivative, saved)
        return out

    def checkpoint(self, layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Run a layer so that only its input is held."""
        frame = Frame(self, partial(layer, x) if self.offloading is None else self._brought_back(layer, x))
        outer, self.frame = self.frame, frame
        try:
            return layer(x)
        finally:
            self.frame = outer

    def _brought_back(self, layer: Callable[[Tensor], Tensor], x: Tensor) -> Callable[[], Tensor]:
        """A layer whose input is in host memory until it runs again."""
        held, numel, element, node = self.save(x), x.numel, x.element, x.node

        def again() -> Tensor:
            given = Tensor(held.held(), numel, element, node)
            held.release()
            return layer(given)

        return again

    def checkpoint_reentrant(self, layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Run a layer without differentiation, and wholly again on the way back."""
        numel, element, held = x.numel, x.element, self.save(x)
        outer, self.differentiating = self.differentiating, False
        try:
            out = layer(Tensor(x.storage, numel, element))
        finally:
            self.differentiating = outer

        def derivative(gradient: Tensor) -> list[Tensor | None]:
            leaf = Sink()
            given = Tensor(held.held(), numel, element, leaf)
            self.recomputing = True
            try:
                again = layer(given)
            finally:
                self.recomputing = False
                self.copies.clear()
            if again.node is not None:
                self._propagate({again.node: gradient}, again.node)
            return [leaf.gradient]

        return self.record(out, [x.node], derivative, [held])

    def backward(self, outputs: list[Tensor]) -> None:
        """Run every node that leads to the last of `outputs`, the youngest first.

        The output is taken off the list: whoever asks must not hold it either.
        """
        output = outputs.pop()
        root = output.node
        if root is None:
            return
        arrived = {root: self.new(output.numel, output.element, "backward")}
        del output
        self._propagate(arrived, root)

    def _propagate(self, arrived: dict[Node, Tensor], root: Node) -> None:
        """Run the nodes that lead to one whose gradient has arrived."""
        waiting = _dependencies(root)
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
