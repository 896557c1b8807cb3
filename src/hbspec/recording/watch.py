"""Watches a model's forward pass: every operator below autograd, its inputs, and when Python lets go of its outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from hbspec.recording import written
from hbspec.recording.known_calls import KnownCalls, OperatorCall, called
from hbspec.recording.living import LivingValues
from hbspec.recording.program import (
    LongLoopError,
    Meta,
    Operator,
    RecordingError,
    Value,
    Watched,
    can_need_gradient,
)
from hbspec.recording.shared import SharedTensors

aten = torch.ops.aten
DEVICE = torch.ops.prim.device.default
"""What asks a fake for its device, as indexing does three times: more often than all operators are run."""

SILENT = frozenset({"prim.device", "aten.sym_size", "aten.sym_stride", "aten.sym_numel", "aten.is_same_size"})
"""Operators that make no tensor."""


MOST_OPERATORS = 2_000
"""Operators of one part, far above those of any layer that does not loop over tokens."""


class _Made(torch.autograd.Function):  # type: ignore[misc]
    """An output that needs a gradient and is not a leaf, so that operators may write into it."""

    @staticmethod
    def forward(_: Any, shape: tuple[int, ...], dtype: Any, order: Any, anchor: Tensor) -> Tensor:  # noqa: ARG004
        """Empty; `order` permutes it as a kernel lays it out."""
        made = torch.empty(shape, dtype=dtype, device="cpu")
        return made if order is None else made.permute(order)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Never run."""
        raise NotImplementedError


class Watch(TorchDispatchMode):  # type: ignore[misc]
    """The operators of the part that is open.

    Attributes:
        weights: name of each weight of the open part by the identity of its storage.
        part: the open part; None where nothing is written down.
        module: gives the path of the module that runs.
        living: the values of the open part whose storages are still there.
        shared: what parts exchange.
        most: operators of a part, of which more are a loop that cannot be followed.
    """

    def __init__(self, weights: dict[int, str], module: Callable[[], str], calls: KnownCalls | None = None) -> None:
        super().__init__()
        self._calls = calls or KnownCalls(FakeTensorMode())
        self.weights, self.module, self.most = weights, module, MOST_OPERATORS
        self.part: Watched | None = None
        self.shared = SharedTensors()
        self.paused = 0
        self.living = LivingValues(Watched(""))
        self._anchor: Tensor | None = None

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing here is compiled, and what would keep the compiler out takes as long as an operator."""
        return False

    def open(self, where: str, given: Tensor | None) -> None:
        """Begin a part with its input, or with none."""
        self.part = Watched(where, given=given is not None)
        self.living = LivingValues(self.part)
        if given is not None:
            self.add(given, differentiable=True)

    def close(self, output: Tensor) -> Watched:
        """End a part with its output.

        Raises:
            RecordingError: the output is not one of its values.
        """
        part = self.part
        assert part is not None  # noqa: S101 - a part is open
        found = self.find(output)
        if not isinstance(found, int):
            raise RecordingError(f"{part.where or 'the model'} puts out a tensor that none of its operators made")
        part.output, self.part = found, None
        self.living.over()
        self.shared.made(part, self.living.known, self.living.storages)
        return part

    def number(self, tensor: Tensor) -> int | None:
        """The number of a value of the open part; None for other tensors."""
        found = self.find(tensor)
        return found if isinstance(found, int) else None

    def make(self, name: str, module: str, inputs: list[Tensor], meta: tuple[Any, ...], work: int = 0) -> Tensor:
        """The output of something that is not looked into, of a shape, a dtype and an order of its dimensions."""
        out = self._fresh(*meta)
        if self.part is not None:
            found = [self.find(one) for one in inputs]
            number = self.add(out, differentiable=True)
            metas = [Meta.of(one) for one in inputs]
            self.part.operators.append(Operator(name, module, found, metas, [number], [None], work=work))
        return out

    def _fresh(self, shape: tuple[int, ...], dtype: Any, order: Any) -> Tensor:
        with self._pause():
            if self._anchor is None:
                self._anchor = torch.empty(1, requires_grad=True)
            made: Tensor = _Made.apply(shape, dtype, order, self._anchor)
        return made

    def stand_in(self, number: int, numbers: Sequence[int]) -> Tensor:
        """A tensor for a value of the open part that no operator was run for; `numbers` are all that end with it."""
        part = self.part
        assert part is not None  # noqa: S101
        out = self._fresh(part.values[number].meta.shape, part.values[number].meta.dtype, None)
        self.living.add(out, number, numbers)
        return out

    def known(self, tensor: Tensor) -> int | None:
        """The number of a value of the open part, as `number` has it, and nothing is taken from other parts."""
        return self.number(tensor) if self.living.of(tensor) else None

    @contextmanager
    def _pause(self) -> Iterator[None]:
        self.paused += 1
        try:
            yield
        finally:
            self.paused -= 1

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is DEVICE and isinstance(args[0], FakeTensor):
            return args[0].fake_device
        kwargs = kwargs or {}
        out, tensors, call = self._calls.run(func, args, kwargs)
        if self.part is None or self.paused:
            return out
        made = [out] if isinstance(out, Tensor) else [leaf for leaf in tree_leaves(out) if isinstance(leaf, Tensor)]
        if made and str(func._overloadpacket) not in SILENT:
            if call is None:
                call, tensors = called(func, args, kwargs, out)
            self._write_down(func, call, tensors, made)
        return out

    def _write_down(self, func: Any, call: OperatorCall, tensors: list[Tensor], made: list[Tensor]) -> None:
        inputs = [self.find(one) for one in tensors]
        if func is aten.detach.default:  # what is done to a weight's `data` does not ask for the weight
            inputs = [one if isinstance(one, int) else None for one in inputs]
        storages = [one.untyped_storage()._cdata for one in tensors]
        leads = torch.is_grad_enabled() and func is not aten.detach.default and any(map(self.leads, inputs))
        part = self.part
        assert part is not None  # noqa: S101
        aliases = [self._alias(one, storages) for one in made]
        operator = Operator(
            call.name,
            self.module(),
            inputs,
            [*call.metas],
            [],
            aliases,
            func,
            call.arguments,
            call.keywords,
            leads,
            call.work,
        )
        part.operators.append(operator)
        if len(part.operators) > self.most:
            raise LongLoopError(
                f"{part.where or 'the part outside the layers'} runs more than {self.most:,} operators, as code "
                "does that loops over tokens"
            )
        if not (leads and written.writes(func) and self._is_written(operator, tensors[0])):
            operator.outputs += [self.add(one, differentiable=leads and can_need_gradient(one.dtype)) for one in made]

    def _is_written(self, operator: Operator, view: Tensor) -> bool:
        """Whether a part of a tensor was written to: the whole has another way back then, and the part is not known."""
        whole, part = view._base, self.part
        assert part is not None  # noqa: S101
        if whole is None or whole.numel() == view.numel():
            return False
        operator.inputs[0], operator.metas[0] = self.inner(whole), Meta.of(whole)
        operator.function = written.into_part(operator.function, view, whole)
        self.living.forget(view)
        operator.aliases, operator.outputs = [0], [self.add(whole, differentiable=True)]
        return True

    def inner(self, tensor: Tensor) -> int:
        """The newest value that a tensor is, whether or not a gradient is needed.

        Raises:
            RecordingError: it is not one of the open part's.
        """
        assert self.part is not None  # noqa: S101
        found = self.living.of(tensor) or self.living.ending_with(tensor)
        if not found:
            raise RecordingError(f"{self.part.where or 'the model'} writes into a tensor of another part of the model")
        return found[-1]

    def leads(self, found: int | str | None) -> bool:
        """Whether something that was found leads back to the input or to a weight."""
        assert self.part is not None  # noqa: S101
        return isinstance(found, str) or (found is not None and self.part.values[found].differentiable)

    @staticmethod
    def _alias(tensor: Tensor, storages: list[int]) -> int | None:
        own = tensor.untyped_storage()._cdata
        return storages.index(own) if own in storages else None

    def find(self, tensor: Tensor) -> int | str | None:
        """The number of a value, the name of a weight, or None for what comes from outside.

        Raises:
            RecordingError: it needs a gradient and comes from outside.
        """
        assert self.part is not None  # noqa: S101
        numbers = self.living.of(tensor)
        alike = [number for number in numbers if self.part.values[number].differentiable == tensor.requires_grad]
        name = self.weights.get(tensor.untyped_storage()._cdata)
        if numbers and (alike or name is None or not tensor.requires_grad):
            if tensor.requires_grad and not alike:
                raise RecordingError(
                    f"{self.part.where or 'the part outside the layers'} reads a tensor of shape {tuple(tensor.shape)} "
                    "that needs a gradient by a function with a derivative of its own, or since a part of it was "
                    "written to"
                )
            return (alike or numbers)[-1]
        if name is not None:
            return name
        return self._imported(tensor) if tensor.requires_grad else None

    def _imported(self, tensor: Tensor) -> int:
        """The number of a tensor that another part made.

        Raises:
            RecordingError: it is not known which one.
        """
        part = self.part
        assert part is not None  # noqa: S101
        label = self.shared.read(tensor)
        if label is None:
            raise RecordingError(
                f"{part.where or 'the part outside the layers'} reads a tensor of shape {tuple(tensor.shape)} "
                "that another part of the model made, and that needs a gradient"
            )
        number = part.imports[label] = self.add(tensor, differentiable=True)
        return number

    def add(self, tensor: Tensor, *, differentiable: bool) -> int:
        """The number of a new value of the open part."""
        part = self.part
        assert part is not None  # noqa: S101
        number = len(part.values)
        part.values.append(Value(Meta.of(tensor), differentiable))
        self.living.add(tensor, number, [number])
        return number
