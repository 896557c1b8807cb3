"""Modules of layers that are alike, each watched once in a pass: what others like it run is written down again.

Layers of several kinds often differ in one of their modules: with experts or without, behind the same attention. Where
that loops over chunks, nearly all operators of a pass would be watched once for every kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from hbspec.recording.build import signature
from hbspec.recording.known_calls import PLAIN
from hbspec.recording.program import Meta, Operator, Value, Watched
from hbspec.recording.watch import Watch

FEWEST_OPERATORS = 100
"""Operators of a module from which on it is worth while."""


class Segment(NamedTuple):
    """What a module ran.

    Attributes:
        given: numbers of the tensors that it was given, each once, and None for one from outside.
        first: the number of the first value that it made.
        operators, values: in order; numbers of values are those of the part that was watched.
        views: by given tensor, the numbers of values that are views of it.
        outputs: by output, its number; None for one that is not a tensor.
        left: by output, the numbers of values that end with it.
        sequence: the type of a sequence of outputs; None for one alone.
    """

    given: tuple[int | None, ...]
    first: int
    operators: tuple[Operator, ...]
    values: tuple[Value, ...]
    views: tuple[tuple[int, ...], ...]
    outputs: tuple[int | None, ...]
    left: tuple[tuple[int, ...], ...]
    sequence: Any


class ModulesAlike:
    """Segments of one pass, by what tells modules and what they are given."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._segments: dict[Any, Segment] = {}
        self._signatures: dict[int, Any] = {}

    def run(self, plain: Any, module: nn.Module, place: Any, args: Any, kwargs: Any) -> Any:
        """What a module puts out, watched or written down again; `place` is its path within its layer, and whose."""
        part, given = self.watch.part, _Given(self.watch)
        said = part and given.said((args, kwargs))
        if part is None or said is None:
            return plain(module, *args, **kwargs)
        if id(module) not in self._signatures:
            self._signatures[id(module)] = signature(module)
        key = self._signatures[id(module)], place, said, torch.is_grad_enabled()
        segment = self._segments.get(key)
        if segment is not None:
            return self._again(part, segment, given)
        begin = len(part.operators), len(part.values), len(part.imports)
        out = plain(module, *args, **kwargs)
        if self.watch.part is part and len(part.operators) - begin[0] >= FEWEST_OPERATORS:
            found = self._segment(part, begin, given, out)
            if found is not None:
                self._segments[key] = found
        return out

    def _segment(self, part: Watched, begin: tuple[int, int, int], given: _Given, out: Any) -> Segment | None:
        """What was run since then; None where it cannot be written down elsewhere."""
        outputs = out if type(out) in (list, tuple) else [out]
        at, first, imports = begin
        operators = tuple(replace(one, freed=[*one.freed]) for one in part.operators[at:])
        read = {one for operator in operators for one in operator.inputs if isinstance(one, int) and one < first}
        freed = {one for operator in operators for one in operator.freed}
        numbers = tuple(self._output(one, first) for one in outputs)
        if (
            -1 in numbers
            or len(part.imports) > imports
            or not read <= {*given.numbers}
            or min(freed, default=first) < first
        ):
            return None
        left = tuple(() if one is None else tuple(self.watch.living.ending_with(one)) for one in outputs)
        views = tuple(tuple(one for one in self.watch.living.ending_with(of) if one >= first) for of in given.tensors)
        gone = freed | self.watch.living.within(self.watch.weights)
        there = [one for one in range(first, len(part.values)) if one not in gone]
        if min(freed, default=first) < first or sorted(one for each in (*left, *views) for one in each) != there:
            return None  # something else holds a tensor that was made here
        sequence = None if outputs is not out else type(out)
        values = tuple(part.values[first:])
        return Segment(tuple(given.numbers), first, operators, values, views, numbers, left, sequence)

    def _output(self, out: Any, first: int) -> int | None:
        """The number of an output; None for None, and -1 for what cannot be made again."""
        if out is None:
            return None
        if not isinstance(out, Tensor) or not out.requires_grad or not out.is_contiguous() or out.storage_offset():
            return -1
        number = self.watch.number(out)
        whole = out.untyped_storage().nbytes() == out.numel() * out.element_size()
        return number if number is not None and number >= first and whole else -1

    def _again(self, part: Watched, segment: Segment, given: _Given) -> Any:
        """Write a segment down once more, for other tensors that are laid out as those of the first were."""
        shift = len(part.values) - segment.first
        numbers: Mapping[Any, Any] = dict(zip(segment.given, given.numbers, strict=True))

        def moved(number: Any) -> Any:
            own = isinstance(number, int) and number >= segment.first
            return number + shift if own else numbers.get(number, number)

        part.values.extend(segment.values)
        part.operators.extend(
            replace(
                one,
                inputs=[moved(number) for number in one.inputs],
                metas=[*one.metas],
                outputs=[number + shift for number in one.outputs],
                freed=[number + shift for number in one.freed],
            )
            for one in segment.operators
        )
        for tensor, views in zip(given.tensors, segment.views, strict=True):
            self.watch.living.end_with(tensor, [one + shift for one in views])
        found = [
            None if number is None else self.watch.stand_in(number + shift, [one + shift for one in left])
            for number, left in zip(segment.outputs, segment.left, strict=True)
        ]
        return found[0] if segment.sequence is None else segment.sequence(found)


class _Given:
    """The tensors that a module is given, each once.

    Attributes:
        tensors: in order.
        numbers: what each is in the open part; None for one from outside.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.numbers: list[int | None] = []
        self.tensors: list[Tensor] = []

    def said(self, given: Any) -> Any:
        """What tells arguments from others; None where nothing does."""
        if isinstance(given, Tensor):
            return self._laid_out(given)
        if type(given) in PLAIN:
            return type(given), given
        if type(given) in (tuple, list, dict):
            found = [self.said(one) for one in (given.values() if type(given) is dict else given)]
            return None if None in found else (type(given), tuple(given) if type(given) is dict else (), *found)
        return None

    def _laid_out(self, given: Tensor) -> Any:
        for place, known in enumerate(self.tensors):
            if known is given:
                return place
        number = self.watch.known(given)
        if number is None and given.requires_grad:
            return None
        storages = [one.untyped_storage()._cdata for one in self.tensors]
        if given.untyped_storage()._cdata in storages:
            return None
        self.tensors.append(given)
        self.numbers.append(number)
        return Meta.of(given), given.storage_offset(), given.requires_grad, number is None
