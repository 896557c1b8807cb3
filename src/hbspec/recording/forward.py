"""One forward pass of a model, watched part by part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
import transformers.masking_utils
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from hbspec.recording.build import Built, first_line, following
from hbspec.recording.cuda import cuda_lists, dropout, laid_out_like
from hbspec.recording.known_calls import KnownCalls
from hbspec.recording.modules_alike import ModulesAlike
from hbspec.recording.own_functions import followed_functions
from hbspec.recording.program import RecordingError, Watched
from hbspec.recording.watch import Watch


class Regime(NamedTuple):
    """In which dtypes a part runs.

    Attributes:
        stream: bytes of a number of the residual stream.
        autocast: whether products are cast to 16 bits.
        keeps: whether linear modules put out the dtype of what they are given, as quantised ones do.
    """

    stream: int
    autocast: bool
    keeps: bool


class Point(NamedTuple):
    """A batch, and whether a mask is given."""

    batch: int
    length: int
    masked: bool


EMBEDDING, FINAL, LOGITS = "embedding", "final", "logits"
"""Parts outside the layers: up to the first layer, up to the head, and behind it."""

Name = str | tuple[int, int]
"""A part outside the layers, or the number of a kind of layer and the bytes of a number of what it is given."""


def before_name(kind: tuple[int, ...] = ()) -> str:
    """The part that runs before a layer of a kind, and not within it, where another is before that one."""
    return " ".join(["before", *map(str, kind)])


def is_linear(module: nn.Module) -> bool:
    """Whether a module multiplies by its weight and does nothing else."""
    plain = isinstance(module, nn.Linear) and type(module).forward is nn.Linear.forward
    return plain or type(module) is Conv1D


class WatchedPass:
    """A forward pass; `parts` are the parts by name, and `ran` the layers that ran.

    What a layer is given may be wider than what the first one is, since some layers put out another dtype.
    """

    def __init__(self, built: Built, calls: KnownCalls, regime: Regime) -> None:
        self.built, self.fake, self.regime = built, calls.mode, regime
        model = built.model
        self.paths = {id(module): name for name, module in model.named_modules()}
        self.layers = {id(layer): index for index, layer in enumerate(model.get_submodule(built.path))}
        self.last = len(self.layers) - 1
        self.table, self.head = model.get_input_embeddings(), model.get_output_embeddings()
        if self.table is None or self.head is None:
            raise RecordingError("the model does not say which modules are its embedding and its output head")
        self.stack: list[nn.Module] = []
        self.parts: dict[Name, Watched] = {}
        self.watch = Watch({}, self._module, calls)
        self.alike = ModulesAlike(self.watch)
        self.ran: set[int] = set()
        self._again: dict[Name, tuple[tuple[int, ...], Any]] = {}
        self.tokens = 0

    def run(self, point: Point) -> dict[Name, Watched]:
        """The parts of a forward pass.

        Raises:
            RecordingError: the model does something that cannot be recorded.
        """
        self.tokens = point.batch * point.length
        try:
            with self.fake, self._patched():
                ids = torch.zeros(point.batch, point.length, dtype=torch.int64)
                more = {"attention_mask": torch.ones_like(ids)} if point.masked else {}
                with self._autocast(), self.watch, torch.autograd.graph.saved_tensors_hooks(_forget, _never):
                    self.watch.weights = self._weights("")
                    self.watch.open("", None)
                    out = self.built.model(input_ids=ids, use_cache=False, **more)
                    self._finish(out)
        except RecordingError:
            raise
        except Exception as reason:
            raise RecordingError(f"the model does not run on tensors without numbers: {first_line(reason)}") from reason
        return self.parts

    def _weights(self, prefix: str) -> dict[int, str]:
        found: dict[int, str] = {}
        for name, parameter in self.built.model.named_parameters(remove_duplicate=False):
            if name.startswith(prefix):
                found.setdefault(parameter.untyped_storage()._cdata, name.removeprefix(prefix))
        return found

    def _autocast(self) -> Any:
        return torch.autocast("cpu", dtype=torch.bfloat16) if self.regime.autocast else nullcontext()

    @contextmanager
    def _patched(self) -> Iterator[None]:
        autocast = torch.is_autocast_enabled
        changes = [
            (torch.nn.functional, "dropout", dropout),
            (torch.nn.functional, "scaled_dot_product_attention", self._attention),
            (torch, "is_autocast_enabled", lambda *_: autocast("cpu")),
            (transformers.masking_utils, "find_packed_sequence_indices", lambda *_, **__: None),
            (nn.Embedding, "forward", self._embedding(nn.Embedding.forward)),
        ]
        with ExitStack() as changed:
            changed.enter_context(cuda_lists())
            for target, name, replacement in changes:
                changed.enter_context(patch.object(target, name, replacement))
            changed.enter_context(following(self._call))
            changed.enter_context(followed_functions(self.watch))
            yield

    def _call(self, plain: Any, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        index = self.layers.get(id(module))
        if index is not None:
            return self._layer(index, plain, module, args, kwargs)
        if module is self.head:
            return self._head(module, args[0])
        if is_linear(module) and self.watch.part is not None:
            return self._linear(module, args[0])
        layer = self.layers.get(id(self.stack[-1])) if self.stack else None
        self.stack.append(module)
        try:
            if layer is None:
                out = plain(module, *args, **kwargs)
            else:
                out = self.alike.run(plain, module, (self._module(), self.built.types[layer]), args, kwargs)
        finally:
            self.stack.pop()
        if module is self.table and self.watch.part is not None:
            self.watch.part.hooked = self.watch.number(out)
        return out

    def _layer(self, index: int, plain: Any, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        x, where = args[0] if args else kwargs.get("hidden_states"), f"{self.built.path}.{index}"
        if not isinstance(x, Tensor):
            raise RecordingError(f"{where} is not given the residual stream first")
        before = self.watch.close(x)
        self.ran.add(index)
        kind = self.built.kinds[index], x.element_size()
        shared = self.watch.shared
        shared.give(args, kwargs)
        if kind in self.parts:
            shared.again(self.parts[kind])
            short = self._again.get(kind)
            out = plain(module, *args, **kwargs) if short is None else self.watch.make("", "", [], (*short, None))
        else:
            out = self._watched_layer(kind, where, plain, module, args, kwargs)
        shared.over()
        self._keep_before(index, kind, before)
        self.watch.weights = self._weights("")
        self.watch.open("", _first(out, where))
        return out

    def _watched_layer(
        self, kind: tuple[int, int], where: str, plain: Any, module: nn.Module, args: Any, kwargs: Any
    ) -> Any:
        self.watch.weights = self._weights(f"{where}.")
        self.watch.open(where, args[0] if args else kwargs["hidden_states"])
        self.stack.append(module)
        out = plain(module, *args, **kwargs)
        self.stack.pop()
        beside = _beside(out, where)
        returned = None if beside is None else self.watch.number(beside)
        part = self.parts[kind] = self.watch.close(_first(out, where))
        part.returned = returned
        if isinstance(out, Tensor) and out.is_contiguous() and not part.imports:
            # a layer like it is not run: what it puts out is laid out as this one's
            self._again[kind] = tuple(out.shape), out.dtype
        return out

    def _keep_before(self, index: int, kind: tuple[int, int], before: Watched) -> None:
        """Keep what ran before a layer.

        Raises:
            RecordingError: layers of a kind have other operators before them.
        """
        if EMBEDDING not in self.parts:  # the first layer that runs
            self.parts[EMBEDDING] = before
            return
        known = self.parts.setdefault(before_name(kind), before)
        names = [[one.name for one in part.operators if one.differentiated] for part in (known, before)]
        if names[0] != names[1]:
            raise RecordingError(f"other operators run before {self.built.path}.{index} than before layers like it")

    def _head(self, module: nn.Module, x: Tensor) -> Tensor:
        if not is_linear(module):
            raise RecordingError("the output head is not a linear module")
        positions = x.numel() // x.shape[-1]
        if positions != self.tokens:
            raise RecordingError(f"the output head computes {positions} positions for {self.tokens} tokens")
        self.parts[FINAL] = self.watch.close(x)
        out = self._linear(module, x, kept=False)
        self.watch.open("", out)
        return out

    def _finish(self, out: Any) -> None:
        self.watch.shared.check()
        logits = out.logits if hasattr(out, "logits") else out[0]
        if FINAL not in self.parts:
            raise RecordingError("the output head is not called as a module")
        self.parts[LOGITS] = self.watch.close(logits)

    def _linear(self, module: nn.Module, x: Tensor, *, kept: bool = True) -> Tensor:
        rows = module.nf if type(module) is Conv1D else module.out_features
        narrow = self.regime.autocast and not (self.regime.keeps and kept)
        dtype = torch.bfloat16 if narrow else x.dtype
        name = self._inside(self.paths[id(module)])
        return self.watch.make("linear", name, [x], ((*x.shape[:-1], rows), dtype, None))

    def _module(self) -> str:
        """The path of the module that runs, within the open part."""
        return self._inside(self.paths.get(id(self.stack[-1]), "")) if self.stack else ""

    def _inside(self, path: str) -> str:
        """A module's path within the open part."""
        where = self.watch.part.where if self.watch.part is not None else ""
        return path.removeprefix(where).removeprefix(".") if where else path

    def _embedding(self, plain: Any) -> Any:
        def forward(module: nn.Module, ids: Tensor) -> Tensor:
            if module is not self.table or self.watch.part is None:
                found: Tensor = plain(module, ids)
                return found
            shape = (*ids.shape, module.embedding_dim)
            return self.watch.make("embedding", self.paths[id(module)], [], (shape, module.weight.dtype, None))

        return forward

    def _attention(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, *_: Any, **__: Any
    ) -> Tensor:
        if self.regime.autocast:
            query, key, value = (one.to(torch.bfloat16) for one in (query, key, value))
        if query.dim() != 4:
            raise RecordingError("attention is not over four dimensions")
        batch, heads, length = query.shape[:3]
        inputs = [query, key, value, *([] if attn_mask is None else [attn_mask])]
        shape, order = laid_out_like(query, value.shape[-1])
        work = batch * heads * length * key.shape[2] * query.shape[-1]
        where = self._inside(self.paths.get(id(self.stack[-1]), ""))
        out = self.watch.make("attention", where, inputs, (shape, query.dtype, order), work)
        if self.watch.part is not None:
            self.watch.part.operators[-1].heads = heads
        return out


def _first(out: Any, where: str) -> Tensor:
    """The residual stream, of what a layer puts out."""
    first = out if isinstance(out, Tensor) else out[0]
    if not isinstance(first, Tensor):
        raise RecordingError(f"{where} does not put out the residual stream first")
    return first


def _beside(out: Any, where: str) -> Tensor | None:
    """What a layer puts out beside it, as attention's weights are; None where that is nothing."""
    rest = () if isinstance(out, Tensor) else out[1:]
    others = [one for one in rest if isinstance(one, Tensor) and one.requires_grad]
    if len(others) > 1:
        raise RecordingError(f"{where} puts out {1 + len(others)} tensors that need a gradient")
    return others[0] if others else None


def _forget(_: Tensor) -> None:
    """Nothing is saved, so that a storage lives as long as Python's names for it."""


def _never(_: None) -> Tensor:
    raise NotImplementedError
