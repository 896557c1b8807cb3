"""Operators on fake tensors, each run once: what a call makes of tensors laid out alike is known from then on.

Layers that loop over tokens run the same calls thousands of times, and most of the time of a recording would be what
the mode of fake tensors does around each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils.flop_counter import flop_registry

from hbspec.recording.placing import placed, placing
from hbspec.recording.program import Meta

CPU = torch.device("cpu")

NOT_BY_LAYOUT = frozenset(
    {torch.Tag.dynamic_output_shape, torch.Tag.data_dependent_output, torch.Tag.inplace_view},
)
"""Operators whose outputs depend on more than how their inputs are laid out, or that lay an input out anew."""

PLAIN = frozenset({int, float, bool, str, type(None), torch.dtype, torch.device, torch.layout, torch.memory_format})
"""Arguments that are told from others by type and value."""


class Made(NamedTuple):
    """An output of a call.

    Attributes:
        given: the place of the tensor that it is, or of which it is a view; None for one with a storage of its own.
        same: whether it is that tensor.
        offset: where it begins in its storage.
        meta: how it is laid out.
    """

    given: int | None
    same: bool
    offset: int
    meta: Meta


class OperatorCall(NamedTuple):
    """An operator with its arguments, and how the tensors among them are laid out.

    Attributes:
        name: `mul.Tensor`.
        arguments, keywords: with a `Ref` in place of each tensor.
        metas: of these tensors, each once.
        work: multiply-adds.
    """

    name: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    metas: tuple[Meta, ...]
    work: int


def called(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> tuple[OperatorCall, list[Tensor]]:
    """The call of an operator that was run, and the tensors that it was given, each once."""
    tensors, place = placing()
    arguments, keywords = placed(args, place), placed(kwargs, place)
    formula = flop_registry.get(func._overloadpacket)
    work = formula(*args, **kwargs, out_val=out) // 2 if formula else 0
    name = str(func).removeprefix("aten.").removesuffix(".default")
    return OperatorCall(name, arguments, keywords, tuple(map(Meta.of, tensors)), work), tensors


class _Known(NamedTuple):
    """A call, what it puts out, and the type of a sequence of outputs; None for one alone."""

    call: OperatorCall
    made: tuple[Made, ...]
    sequence: Any


class KnownCalls:
    """A mode of fake tensors, and the calls whose outputs are known.

    Attributes:
        mode: the mode.
    """

    def __init__(self, mode: FakeTensorMode) -> None:
        self.mode = mode
        mode.cache_enabled = False  # what it would keep is kept here
        self._pattern = vars(FakeTensor(mode, torch.empty(0, device="meta"), CPU))
        self._known: dict[Any, _Known | None] = {}

    def run(
        self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, list[Tensor], OperatorCall | None]:
        """What an operator puts out, the tensors that it is given, each once, and the call where it is known."""
        tensors: list[Any] = []
        key: Any = func, _key(args, tensors), _key(kwargs, tensors) if kwargs else None
        if None in key[1:2] or (kwargs and key[2] is None):
            return func(*args, **kwargs), [], None
        known = self._known.get(key)
        if known is None:
            out = func(*args, **kwargs)
            if key not in self._known:
                self._known[key] = _known(func, args, kwargs, tensors, out)
            return out, tensors, None
        found = [self._again(made, tensors) for made in known.made]
        return found[0] if known.sequence is None else known.sequence(found), tensors, known.call

    def _again(self, made: Made, tensors: Sequence[Any]) -> Any:
        """An output as it was made before."""
        given = None if made.given is None else tensors[made.given]
        if made.same:
            return given
        shape, stride, dtype = made.meta
        with torch._C._DisableTorchDispatch():
            if given is None:
                plain = torch.empty_strided(shape, stride, dtype=dtype, device="meta")
            else:
                plain = torch.empty(0, dtype=dtype, device="meta")
                plain.set_(given.untyped_storage(), made.offset, shape, stride)
        # as `FakeTensor` makes itself, which takes longer than all else here
        fake = Tensor._make_subclass(FakeTensor, plain, False, dispatch_device=True, device_for_backend_keys=CPU)
        vars(fake).update(self._pattern)
        return fake


def _key(given: Any, tensors: list[Any]) -> Any:
    """What tells an argument from others, with its tensors among those before; None where nothing does."""
    kind = type(given)
    if kind is FakeTensor:
        return _laid_out(given, tensors)
    if kind in PLAIN:
        return kind, given
    if kind in (tuple, list):
        found = [_key(one, tensors) for one in given]
        return None if None in found else (kind, *found)
    if kind is dict:
        found = [_key(one, tensors) for one in given.values()]
        return None if None in found else (*given, *found)
    return None


def _laid_out(given: FakeTensor, tensors: list[Any]) -> Any:
    """The place of a tensor that was there before; how it is laid out, of one that was not."""
    for place, known in enumerate(tensors):
        if known is given:
            return place
    if given.constant is not None or given.fake_device != CPU or given.dtype.is_complex:
        return None
    tensors.append(given)
    return given.shape, given.stride(), given.storage_offset(), given.dtype


def _known(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], tensors: Sequence[Any], out: Any) -> _Known | None:
    """The call, where what it puts out follows from how its tensors are laid out."""
    outputs = out if type(out) in (list, tuple) else [out]
    if not tensors or not outputs or not NOT_BY_LAYOUT.isdisjoint(func.tags):
        return None
    made = [_made(one, tensors) for one in outputs]
    kept = tuple(one for one in made if one is not None)
    if len(kept) < len(made) or len({one.untyped_storage()._cdata for one in outputs}) < _own(kept):
        return None
    return _Known(called(func, args, kwargs, out)[0], kept, None if outputs is not out else type(out))


def _own(made: Sequence[Made]) -> int:
    """How many outputs have storages of their own."""
    return sum(one.given is None for one in made)


def _made(out: Any, tensors: Sequence[Any]) -> Made | None:
    """How an output is made; None where that is not told."""
    if type(out) is not FakeTensor or out.constant is not None or out.fake_device != CPU or out.requires_grad:
        return None
    meta, offset, storage = Meta.of(out), out.storage_offset(), out.untyped_storage()
    if meta.dtype.is_complex:
        return None
    for place, one in enumerate(tensors):
        if one is out:
            return Made(place, same=True, offset=offset, meta=meta)
    if any(one.untyped_storage()._cdata == storage._cdata for one in tensors):
        return Made(0, same=False, offset=offset, meta=meta) if len(tensors) == 1 else None
    whole = torch.empty_strided(meta.shape, meta.stride, dtype=meta.dtype, device="meta").untyped_storage()
    return Made(None, same=False, offset=0, meta=meta) if not offset and whole.nbytes() == storage.nbytes() else None
