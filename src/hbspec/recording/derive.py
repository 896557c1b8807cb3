"""The ways back of all operators of a part: which gradients reach it, and how they are laid out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from hbspec.recording.probe import Probe, WatchedWay
from hbspec.recording.program import Meta, Operator, Watched, can_need_gradient

MOST_SUBSETS = 3
"""Inputs up to which every subset of them may be what needs a gradient; of more, only all of them."""


class Derived(NamedTuple):
    """An operator with its ways back, by which of its differentiable inputs need a gradient."""

    operator: Operator
    ways: dict[tuple[bool, ...], WatchedWay]


def derive(part: Watched, probe: Probe, output: Meta | None = None) -> list[Derived]:
    """Every operator with its ways back.

    Gradients are followed backwards as torch's engine would, since how they are laid out decides what is copied.

    Args:
        part: the part.
        probe: probes operators.
        output: how the gradient of its output is laid out.
    """
    arriving = {number: _contiguous(part.values[number].meta) for number in part.exports.values()}
    arriving[part.output] = output or _contiguous(part.values[part.output].meta)
    found = []
    for operator in reversed(part.operators):
        gradients = [arriving.get(number) for number in operator.outputs]
        if operator.function is None:
            for number, meta in zip(operator.inputs, operator.metas, strict=True):
                if isinstance(number, int) and gradients[0] is not None:
                    _arrive(arriving, probe, number, _laid_out(operator, meta))
            found.append(Derived(operator, {}))
            continue
        if all(gradient is None for gradient in gradients):  # no gradient reaches it, but it may save
            metas = [_contiguous(part.values[number].meta) for number in operator.outputs]
            gradients = [one if can_need_gradient(one.dtype) else None for one in metas]
            reached = False
        else:
            reached = True
        ways = {}
        for needed in _subsets(part, operator):
            way = probe.way(operator, needed, gradients)
            if way is None:
                break
            ways[needed] = way
        if ways and reached:
            _follow(arriving, probe, operator, ways[max(ways)])
        found.append(Derived(operator, ways))
    return found[::-1]


def _follow(arriving: dict[int, Meta], probe: Probe, operator: Operator, way: WatchedWay) -> None:
    """The gradients of an operator's inputs, fitted to their shapes and dtypes."""
    for number, meta, given in zip(operator.inputs, operator.metas, way.gradients, strict=False):
        if isinstance(number, int) and given is not None:
            fits = given.meta.shape == meta.shape
            laid_out = given.meta if fits else _contiguous(meta)
            _arrive(arriving, probe, number, laid_out._replace(dtype=meta.dtype))


def _arrive(arriving: dict[int, Meta], probe: Probe, number: int, meta: Meta) -> None:
    arriving[number] = probe.sum(arriving[number], meta) if number in arriving else meta


def _laid_out(operator: Operator, meta: Meta) -> Meta:
    """How gradients of a linear module's input are laid out, and those of attention: as a kernel writes heads."""
    if operator.name != "attention" or len(meta.shape) != 4:
        return _contiguous(meta)
    _, heads, length, width = meta.shape
    return Meta(meta.shape, (heads * length * width, width, heads * width, 1), meta.dtype)


def _contiguous(meta: Meta) -> Meta:
    stride, step = [], 1
    for size in reversed(meta.shape):
        stride.append(step)
        step *= max(1, size)
    return Meta(meta.shape, tuple(reversed(stride)), meta.dtype)


def _subsets(part: Watched, operator: Operator) -> Iterator[tuple[bool, ...]]:
    """Which inputs may need a gradient: all of them first."""
    if not operator.differentiated:
        return
    able = differentiable(part, operator)
    if sum(able) > MOST_SUBSETS:
        yield tuple(able)
        return
    choices = [(True, False) if one else (False,) for one in able]
    yield from (chosen for chosen in product(*choices) if any(chosen))


def differentiable(part: Watched, operator: Operator) -> Sequence[bool]:
    """By input, whether it can need a gradient."""
    return [
        can_need_gradient(meta.dtype)
        and (isinstance(number, str) or (number is not None and part.values[number].differentiable))
        for number, meta in zip(operator.inputs, operator.metas, strict=True)
    ]
