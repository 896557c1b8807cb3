"""Follows every storage from the operation that makes it to the moment nothing refers to it any more.

Works on real CPU tensors and on fake ones. What an operation allocates and frees within itself is not seen, and
neither are allocator rounding, fragmentation and library workspaces.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

aten = torch.ops.aten
CPU = torch.device("cpu")


@dataclass(slots=True)
class Storage:
    """A storage and the operation that made it. `kind` is set for what outlives a step: weights, states, gradients."""

    bytes: int
    op: str
    phase: str
    where: str
    shape: tuple[int, ...]
    dtype: str
    kind: str = ""


class Op(NamedTuple):
    """One dispatched operation; `side` is "forward", "recompute" or "backward"."""

    name: str
    phase: str
    side: str
    where: str


class Event(NamedTuple):
    """A storage that begins (sign 1) or ends (sign -1) to exist. Ends belong to the operation before them."""

    op: int
    sign: int
    storage: Storage


class Trace(TorchDispatchMode):
    """The operations of a program and the life of its storages.

    Attributes:
        phase: name of the moment, set by whoever runs the program.
        peaks: most bytes alive in each phase, with the event that reached it.
        flops: floating-point operations of matrix products and attention, by side.
        replaced: operations that are run as another function, which is traced instead, unless it returns
            NotImplemented.
        on_node: told the sequence number of the backward node of each operation.
        on_leave: told the path of each module that is done.
    """

    def __init__(self, paths: dict[int, str]) -> None:
        super().__init__()
        self.paths = paths
        self.phase = "start"
        self.live = 0
        self.ops: list[Op] = []
        self.events: list[Event] = []
        self.peaks: dict[str, tuple[int, int]] = {}
        self.flops: dict[str, int] = {}
        self.modules: list[str] = []
        self.entered: dict[str, int] = {}
        self.left: dict[str, int] = {}
        self._by_storage: dict[int, Storage] = {}
        self._alive: dict[int, Any] = {}
        self._where_of_node: dict[int, str] = {}
        self.on_node: Callable[[int], None] | None = None
        self.on_leave: Callable[[str], None] | None = None
        self.replaced: dict[Any, Callable[..., Any]] = {}

    def hold(self, tensor: Tensor, kind: str, name: str = "") -> None:
        """Names what a tensor is, and counts its storage if that is new."""
        key = tensor.untyped_storage()._cdata
        if key not in self._by_storage:
            self._add(tensor, "", name)
        if key in self._by_storage:
            self._by_storage[key].kind = kind

    def forget(self, tensor: Tensor) -> None:
        """Takes a storage out of the count: it lies on the host."""
        self._end(tensor.untyped_storage()._cdata)

    def kinds(self) -> dict[str, int]:
        """Bytes alive by kind."""
        total: dict[str, int] = {}
        for storage in self._by_storage.values():
            total[storage.kind] = total.get(storage.kind, 0) + storage.bytes
        return total

    def count(self, flops: int) -> None:
        """Adds floating-point operations to the current phase."""
        side = self._side()
        self.flops[side] = self.flops.get(side, 0) + flops

    @contextmanager
    def following_modules(self) -> Iterator[None]:
        """Records which module runs. Hooks would keep recomputed activations alive; this keeps nothing."""
        plain = nn.Module.__call__

        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            path = self.paths.get(id(module))
            if path is None:
                return plain(module, *args, **kwargs)
            self.entered[path] = torch.autograd._get_sequence_nr()
            self.modules.append(path)
            try:
                return plain(module, *args, **kwargs)
            finally:
                self.modules.pop()
                self.left[path] = torch.autograd._get_sequence_nr()
                if self.on_leave:
                    self.on_leave(path)

        nn.Module.__call__ = call
        try:
            yield
        finally:
            nn.Module.__call__ = plain

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch.ops.prim.device.default:
            return CPU
        replacement = self.replaced.get(func)
        if replacement is not None:
            with self:
                out = replacement(*args, **(kwargs or {}))
            if out is not NotImplemented:
                return out
        out = func(*args, **(kwargs or {}))
        where = self._where()
        self.ops.append(Op(_short(func), self.phase, self._side(), where))
        formula = FLOPS.get(func._overloadpacket)
        if formula is not None:
            self.count(formula(*args, **(kwargs or {}), out_val=out))
        for leaf in (out,) if isinstance(out, Tensor) else tree_leaves(out):
            if isinstance(leaf, Tensor):
                self._add(leaf, _short(func), where)
        return out

    def _side(self) -> str:
        if torch._C._current_graph_task_id() == -1:
            return "forward"
        return "recompute" if self.modules else "backward"

    def _where(self) -> str:
        if self.modules:
            where = self.modules[-1]
            if torch._C._current_graph_task_id() == -1:
                self._where_of_node.setdefault(torch.autograd._get_sequence_nr() - 1, where)
            return where
        node = torch._C._current_autograd_node()
        if node is None:
            return ""
        number = node._sequence_nr()
        if self.on_node:
            self.on_node(number)
        return f"{self._where_of_node.get(number, '')} {node.name()}"

    def _add(self, tensor: Tensor, op: str, where: str) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._by_storage or size == 0:
            return
        made = Storage(size, op, self.phase, where, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        self._by_storage[key] = made
        self._alive[key] = weakref.ref(storage, lambda _: self._end(key))
        self.live += size
        self.events.append(Event(len(self.ops) - 1, 1, made))
        if self.live > self.peaks.get(self.phase, (0, 0))[0]:
            self.peaks[self.phase] = (self.live, len(self.events))

    def _end(self, key: int) -> None:
        ended = self._by_storage.pop(key, None)
        self._alive.pop(key, None)
        if ended is not None:
            self.live -= ended.bytes
            self.events.append(Event(len(self.ops) - 1, -1, ended))


def _short(func: Any) -> str:
    return str(func).removeprefix("aten.").removesuffix(".default")


def _attention(query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    key_shape, value_shape = _all_heads(query, key), _all_heads(query, value)
    return sdpa_flop_count(query.shape, key_shape, value_shape)


def _attention_backward(gradient: Tensor, query: Tensor, key: Tensor, value: Tensor, *_: Any, **__: Any) -> int:
    key_shape, value_shape = _all_heads(query, key), _all_heads(query, value)
    return sdpa_backward_flop_count(gradient.shape, query.shape, key_shape, value_shape)


def _all_heads(query: Tensor, key: Tensor) -> torch.Size:
    return key.shape[:1] + query.shape[1:2] + key.shape[2:]


def _grouped(left: Tensor, right: Tensor, *_: Any, **__: Any) -> int:
    return 2 * left.shape[0] * left.shape[1] * right.shape[-1]


def _linear(rows: Tensor, weight: Tensor, *_: Any, **__: Any) -> int:
    return 2 * rows.numel() * weight.shape[0]


def _triangular(system: Tensor, right: Tensor, *_: Any, **__: Any) -> int:
    return system.numel() * right.shape[-1]


def _convolution_backward(gradient: Tensor, _: Tensor, weight: Tensor, *more: Any, **__: Any) -> int:
    """Of each gradient that is asked for, as much as forward; torch's count leaves groups out."""
    return 2 * gradient.numel() * weight[0].numel() * sum(more[-1][:2])


FLOPS: dict[Any, Callable[..., int]] = {
    **flop_registry,
    aten.linear: _linear,
    aten._grouped_mm: _grouped,
    aten.linalg_solve_triangular: _triangular,
    aten.convolution_backward: _convolution_backward,
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
}
"""torch's own counts, which see attention whole: a causal mask is not halved."""
