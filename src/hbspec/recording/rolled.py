"""Loops whose number of passes grows with the tokens: one pass is found by what longer rows run more than short ones.

A longer row runs the same operators, with some passes more in one place. Of what these and the operators behind them
read, some stays where it is, and the rest moves on with every pass. Nothing is taken for a loop unless the file's own
way to repeat it gives every point exactly what was watched there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from hbspec.catalog.recorded_loop import number_of, program_rows
from hbspec.recording.derive import Derived
from hbspec.recording.program import Operator, Watched

MOST_BACK = 600
"""Operators by which the place where passes are inserted may come before the first that differs."""


class Loop(NamedTuple):
    """Where passes are inserted, and what one of them is.

    Attributes:
        at: operators before them.
        size: operators of one.
        values: values that one makes.
        counts: by point, how many are inserted.
        data: the operators' numbers, as `hbspec.catalog.recorded_loop` repeats them.
    """

    at: int
    size: int
    values: int
    counts: tuple[int, ...]
    data: Mapping[str, Any]

    def place(self, index: int, count: int) -> int:
        """Where an operator that the shortest row runs is in a row with so many passes more."""
        return index if index < self.at else index + self.size * count


def loops(parts: Sequence[Watched], chunks: Sequence[int]) -> Iterator[Loop]:
    """The loops that parts may run, the shortest first, each over so many chunks.

    There may be several places at which passes seem to be inserted, of which sizes tell the right one: the last pass
    may be over less than a chunk.
    """
    first, last, times = parts[0], parts[-1], chunks[-1] - chunks[0]
    size, rest = divmod(len(last.operators) - len(first.operators), times)
    values, more = divmod(len(last.values) - len(first.values), times)
    common = _common(first, last)
    for at in range(common, max(-1, common - MOST_BACK), -1) if size > 0 and not rest and not more else ():
        if not _named(first, last, at, size, times):
            continue
        data = _data(first, last, at, (size, values, chunks[0]), times)
        if all(_is_run(data, part, number) for part, number in zip(parts, chunks, strict=True)):
            yield Loop(at, size, values, tuple(number - chunks[0] for number in chunks), data)


def without_views(part: Watched, derived: Sequence[Derived]) -> tuple[Watched, list[Derived]]:
    """The part, and the ways back of its operators, without views of what is outside of it.

    Such a view makes nothing and holds nothing of the part. A pass may read it by a view that the pass before it made,
    and the first pass by none.
    """
    views: set[int] = set()
    operators: list[Operator] = []
    kept = []
    for operator, ways in zip(part.operators, derived, strict=True):
        inputs = [None if one in views else one for one in operator.inputs]
        seen = [alias is not None and inputs[alias] is None for alias in operator.aliases]
        if operators and seen and all(seen) and not any(part.values[one].differentiable for one in operator.outputs):
            views |= {*operator.outputs}
            operators[-1] = replace(operators[-1], freed=[*operators[-1].freed, *operator.freed])
            continue
        operators.append(replace(operator, inputs=inputs))
        kept.append(ways)
    return replace(part, operators=operators), kept


def _key(operator: Operator) -> Any:
    return operator.name, operator.module, operator.differentiated


def _common(first: Watched, last: Watched) -> int:
    """Operators up to the first that differs."""
    for index, (one, other) in enumerate(zip(first.operators, last.operators, strict=False)):
        if _key(one) != _key(other) or (one.inputs, one.outputs) != (other.inputs, other.outputs):
            return index
    return len(first.operators)


def _named(first: Watched, last: Watched, at: int, size: int, times: int) -> bool:
    """Whether operators are called as those of a loop at this place."""
    body = [*map(_key, last.operators[at : at + size])]
    return [*map(_key, last.operators[at:])] == body * times + [*map(_key, first.operators[at:])]


def _data(first: Watched, last: Watched, at: int, sizes: tuple[int, int, int], times: int) -> dict[str, Any]:
    """The numbers of all operators, of which some move on: those of a pass are read off the first two inserted."""
    size, values, chunks = sizes
    shift, inserted = values * times, last.operators[at : at + 2 * size]
    begin = min((number for operator in inserted for number in operator.outputs), default=0)
    rows = [_row(one, one.inputs, one.freed) for one in first.operators[:at]]
    for one, other in zip(first.operators[at:], last.operators[at + size * times :], strict=True):
        rows.append(_row(one, [*_inputs(one, other, shift, times)], [*_freed(other, begin, values, times)]))
    body = [
        _row(one, [*_inputs(one, other, values, 0)], [[number] for number in one.freed])
        for one, other in zip(inserted[:size], inserted[size:], strict=True)
    ]
    return {
        "operators": rows,
        "loop": {"at": at, "values": values, "chunks": chunks, "body": body},
        "output": _place(first.output, last.output, shift),
        "returned": _place(first.returned, last.returned, shift),
    }


def _row(one: Operator, inputs: Sequence[Any], freed: Sequence[Any]) -> dict[str, Any]:
    return {"name": one.name, "inputs": inputs, "outputs": [[number] for number in one.outputs], "freed": freed}


def _place(one: Any, other: Any, shift: int) -> Any:
    """A number that moves on, in a list; or what stays."""
    return [one] if isinstance(one, int) and shift and other == one + shift else one


def _inputs(one: Operator, other: Operator, shift: int, times: int) -> Iterator[Any]:
    """Inputs; an operator that reads something of every pass has more of them in longer rows."""
    grown = max(0, len(other.inputs) - len(one.inputs))
    pairs = zip(one.inputs, other.inputs, strict=False)
    same = next((index for index, (mine, theirs) in enumerate(pairs) if mine != theirs), len(one.inputs))
    yield from one.inputs[:same]
    if grown and times:
        yield {"each": other.inputs[same : same + grown // times]}
    for mine, theirs in zip(one.inputs[same:], other.inputs[same + grown :], strict=False):
        yield _place(mine, theirs, shift)


def _freed(other: Operator, begin: int, values: int, times: int) -> Iterator[Any]:
    """What goes behind the passes: what was there before them, what is of every pass, or what has moved on."""
    end = begin + values * times
    within = sorted({(number - begin) % values for number in other.freed if begin <= number < end})
    every = [begin + one for one in within if all(begin + one + values * step in other.freed for step in range(times))]
    if every:
        yield {"each": every}
    for number in other.freed:
        if number < begin:
            yield number
        elif number >= end or (number - begin) % values not in {one - begin for one in every}:
            yield [number - values * times]


def _is_run(data: Mapping[str, Any], part: Watched, chunks: int) -> bool:
    """Whether the loop of so many chunks is what a part was seen to run."""
    rows = program_rows(data, chunks)
    ends = number_of(data["output"], data, chunks), number_of(data["returned"], data, chunks)
    if len(rows) != len(part.operators) or ends != (part.output, part.returned):
        return False
    return all(
        (row["name"], row["inputs"], [one for (one,) in row["outputs"]], sorted(row["freed"]))
        == (one.name, one.inputs, one.outputs, sorted(one.freed))
        for row, one in zip(rows, part.operators, strict=True)
    )
