"""Functions with a derivative of their own (`torch.autograd.Function`), each watched as one operator more.

What a function runs forward is watched as operators that need no gradient. One more operator stands behind them: it
makes nothing, saves what the function saves, and has the function's way back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map_only

from hbspec.recording.placing import placing
from hbspec.recording.program import Meta, Operator, can_need_gradient
from hbspec.recording.watch import Watch

PLAIN = torch.autograd.Function.__dict__["apply"].__func__


@contextmanager
def followed_functions(watch: Watch) -> Iterator[None]:
    """Every function's outputs lead back to what it was given."""

    def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
        if watch.part is None or watch.paused:
            return PLAIN(cls, *args, **kwargs)
        tensors, place = placing()
        arguments = tree_map_only(Tensor, place, args)
        inputs = [watch.find(one) for one in tensors]
        out = PLAIN(cls, *args, **kwargs)
        _add(watch, cls, tensors, inputs, arguments, out)
        return out

    with patch.object(torch.autograd.Function, "apply", classmethod(apply)):
        yield


def _add(
    watch: Watch, cls: Any, tensors: list[Tensor], inputs: list[Any], arguments: tuple[Any, ...], out: Any
) -> None:
    made = [leaf for leaf in tree_leaves(out) if isinstance(leaf, Tensor)]
    part = watch.part
    assert part is not None  # noqa: S101
    if not torch.is_grad_enabled() or not any(map(watch.leads, inputs)) or not any(one.requires_grad for one in made):
        return
    storages = [one.untyped_storage()._cdata for one in tensors]
    aliases: list[int | None] = []
    for one in made:
        storage = one.untyped_storage()._cdata
        if storage not in storages:  # made within: as one more input, whose storage this is
            inputs = [*inputs, watch.inner(one)]
            tensors = [*tensors, one]
            storages = [*storages, storage]
        aliases.append(storages.index(storage))
    metas = [Meta.of(one) for one in tensors]
    name = f"{cls.__module__}.{cls.__qualname__}"
    operator = Operator(
        cls.__name__, watch.module(), inputs, metas, [], aliases, Applied(partial(PLAIN, cls), name), arguments
    )
    part.operators.append(operator)
    operator.outputs += [watch.add(one, differentiable=can_need_gradient(one.dtype)) for one in made]


class Applied:
    """A function's `apply`, called by its name in a probe's memory."""

    def __init__(self, call: Any, name: str) -> None:
        self.call, self.name = call, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it."""
        return self.call(*args, **kwargs)

    def __repr__(self) -> str:
        return self.name
