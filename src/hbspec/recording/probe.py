"""One operator alone: what torch saves of it for the backward pass, and what its derivative allocates."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.flop_counter import flop_registry

from hbspec.recording.build import first_line
from hbspec.recording.program import Meta, Operator, RecordingError, Ref


class ReturnedGradient(NamedTuple):
    """A gradient that a derivative returns.

    Attributes:
        slot: the number of the storage that it made; negative for that of an output's gradient: -1 is the first's.
        meta: its shape.
    """

    slot: int
    meta: Meta


class WatchedWay(NamedTuple):
    """What an operator keeps, and its way back, when some of its inputs need a gradient.

    Attributes:
        saved: in order: an input ("i", number), an output ("o", number), or something of its own ("n", bytes).
        made: bytes of each storage that the derivative makes.
        events: which of them comes (its number), and goes (its complement), in order.
        gradients: by input; None where it gets none.
        work: multiply-adds of the derivative.
    """

    saved: tuple[tuple[str, int], ...]
    made: tuple[int, ...]
    events: tuple[int, ...]
    gradients: tuple[ReturnedGradient | None, ...]
    work: int


class _Start(torch.autograd.Function):  # type: ignore[misc]
    """An input that needs a gradient and is not a leaf."""

    @staticmethod
    def forward(_: Any, x: Tensor, shape: Any, stride: Any) -> Tensor:
        """Empty, laid out as asked."""
        return torch.empty_strided(shape, stride, dtype=x.dtype, device=PLACE)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Never run."""
        raise NotImplementedError


class _Derivative(TorchDispatchMode):  # type: ignore[misc]
    """Storages that come and go while a derivative runs."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[int, int] = {}
        self.made: list[int] = []
        self.events: list[int] = []
        self.work = 0
        self._alive: dict[int, Any] = {}

    def know(self, tensor: Tensor, number: int) -> None:
        """A storage that was there before."""
        self.known[tensor.untyped_storage()._cdata] = number

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.work += formula(*args, **(kwargs or {}), out_val=out) // 2
        for leaf in tree_leaves(out):
            if isinstance(leaf, Tensor):
                self._add(leaf)
        return out

    def _add(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self.known or not size:
            return
        number = self.known[key] = len(self.made)
        self.made.append(size)
        self.events.append(number)

        def end(_: Any) -> None:
            self.events.append(~number)
            self.known.pop(key, None)

        self._alive[number] = weakref.ref(storage, end)


PLACE = "meta"
"""Where operators are probed: tensors without numbers, and without what a fake adds to each call."""

OTHER = -(10**6)
"""The number of a storage that is neither made by the derivative nor a gradient that it is given."""


class Probe:
    """Probes operators; what is alike is probed once."""

    def __init__(self) -> None:
        self._found: dict[Any, WatchedWay | None] = {}
        self._sums: dict[Any, Meta] = {}

    def way(self, operator: Operator, needed: Sequence[bool], gradients: Sequence[Meta | None]) -> WatchedWay | None:
        """What an operator keeps and does when the inputs that are `needed` need a gradient; None without a way back.

        Args:
            operator: the operator.
            needed: by input.
            gradients: by output, how its gradient is laid out; None where none comes.

        Raises:
            RecordingError: its derivative cannot be run alone.
        """
        call = repr((operator.function, operator.arguments, operator.keywords))
        key = call, tuple(operator.metas), tuple(needed), tuple(gradients)
        if key not in self._found:
            try:
                self._found[key] = self._run(operator, needed, gradients)
            except RecordingError:
                raise
            except Exception as reason:
                where = f"{operator.name} of {operator.module or 'the layer'}"
                raise RecordingError(f"the derivative of {where} cannot be run alone: {first_line(reason)}") from reason
        return self._found[key]

    def sum(self, first: Meta, second: Meta) -> Meta:
        """The sum of two gradients."""
        if first == second:
            return first
        key = first, second
        if key not in self._sums:
            self._sums[key] = Meta.of(_empty(first) + _empty(second))
        return self._sums[key]

    def _run(self, operator: Operator, needed: Sequence[bool], gradients: Sequence[Meta | None]) -> WatchedWay | None:
        saved: list[Tensor] = []

        def pack(tensor: Tensor) -> Tensor:
            saved.append(tensor)
            return tensor

        with torch.enable_grad():
            inputs = [_input(meta, wanted) for meta, wanted in zip(operator.metas, needed, strict=True)]
            starts = {id(one.grad_fn): index for index, one in enumerate(inputs) if one.grad_fn is not None}
            storages = {one.untyped_storage()._cdata: ("i", index) for index, one in enumerate(inputs)}
            args, kwargs = tree_map_only(Ref, lambda ref: inputs[ref.index], (operator.arguments, operator.keywords))
            kwargs |= {"device": PLACE} if kwargs.get("device") is not None else {}
            with torch.autograd.graph.saved_tensors_hooks(pack, _same):
                out = operator.function(*args, **kwargs)
            made = [leaf for leaf in tree_leaves(out) if isinstance(leaf, Tensor)]
            node = next((one.grad_fn for one in made if one.grad_fn is not None), None)
            if node is None or id(node) in starts:
                return None
            for index, one in enumerate(made):
                storages.setdefault(one.untyped_storage()._cdata, ("o", index))
            kept = tuple(
                storages.get(one.untyped_storage()._cdata, ("n", one.untyped_storage().nbytes())) for one in saved
            )
            return self._back(node, starts, kept, [*inputs, *saved], made, gradients)

    def _back(
        self,
        node: Any,
        starts: Mapping[int, int],
        kept: tuple[tuple[str, int], ...],
        there: Sequence[Tensor],
        made: Sequence[Tensor],
        gradients: Sequence[Meta | None],
    ) -> WatchedWay:
        """Run a node's derivative as the engine would, without what fits gradients to inputs."""
        given: list[Tensor | None] = [None] * len(node._input_metadata)
        watch = _Derivative()
        for one in (*there, *made):
            watch.know(one, OTHER)
        for one, meta in zip(made, gradients, strict=True):
            if one.grad_fn is not None:
                # a gradient that never comes is undefined
                given[one.output_nr] = None if meta is None else _empty(meta)
        for index, gradient in enumerate(given):
            if gradient is not None:
                watch.know(gradient, -1 - index)
        with torch.no_grad(), watch:
            returned = run_back(node, given)
        events, work = tuple(watch.events), watch.work
        found: list[ReturnedGradient | None] = [None] * len(starts_of(starts))
        returned = returned if isinstance(returned, tuple) else (returned,)
        for (following, _), gradient in zip(node.next_functions, returned, strict=True):
            if gradient is not None and id(following) in starts:
                slot = watch.known.get(gradient.untyped_storage()._cdata, OTHER)
                if slot == OTHER and gradient.numel():
                    raise RecordingError(f"{node.name()} returns a gradient that it did not make")
                found[starts[id(following)]] = ReturnedGradient(slot, Meta.of(gradient))
        return WatchedWay(kept, tuple(watch.made), events, tuple(found), work)


def run_back(node: Any, given: Sequence[Tensor | None]) -> Any:
    """What a node's derivative returns; a function of Python's own is called by its method.

    Raises:
        RecordingError: the function keeps tensors where torch does not see them.
    """
    if callable(node):
        return node(*given)
    if any(isinstance(one, Tensor) for one in tree_leaves(vars(node))):
        raise RecordingError(f"{node.name()} keeps tensors on its context, where checkpointing does not see them")
    return node.apply(*given)


def starts_of(starts: Mapping[int, int]) -> range:
    """Numbers of inputs up to the last that needs a gradient."""
    return range(1 + max(starts.values()))


def _input(meta: Meta, needed: bool) -> Tensor:
    if not needed:
        return _empty(meta)
    anchor = torch.empty(1, dtype=meta.dtype, device=PLACE, requires_grad=True)
    made: Tensor = _Start.apply(anchor, meta.shape, meta.stride)
    return made


def _empty(meta: Meta) -> Tensor:
    return torch.empty_strided(meta.shape, meta.stride, dtype=meta.dtype, device=PLACE)


def _same(tensor: Tensor) -> Tensor:
    return tensor
