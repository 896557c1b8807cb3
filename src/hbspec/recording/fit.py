"""FittedSizes at several batches and lengths as exact polynomials, and parts as the plain data of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from hbspec.recording.derive import Derived, differentiable
from hbspec.recording.forward import Point
from hbspec.recording.program import Operator, RecordingError, Watched

TERMS: tuple[Callable[[int, int], int], ...] = (
    lambda _, __: 1,
    lambda b, t: b * t,
    lambda b, t: b * t * t,
    lambda _, t: t,
    lambda _, t: t * t,
    lambda b, _: b,
)
"""What a size may be made of: a fixed one, one for each token, one for each pair of tokens of a row; and, where rows
share something, one for each place of a row, and for each pair of them; and one for each row, as padding is."""


class FittedSizes:
    """Fits sizes over the points at which a part was watched."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.points = points
        self._known: dict[tuple[int, ...], list[int]] = {}
        alone = all(point.batch == 1 for point in points)
        self._sets = [(0, 1, 2)] if alone else [(0, 1, 2), (0, 3, 4), (1, 2, 5), (0, 1, 2, 3, 4, 5)]

    def form(self, sizes: Sequence[int], what: str) -> list[int]:
        """The coefficients of `TERMS`, without zeros at the end.

        Raises:
            RecordingError: no polynomial of them gives the sizes exactly.
        """
        key = tuple(sizes)
        if key not in self._known:
            self._known[key] = self._fitted(key, what)
        return self._known[key]

    def _fitted(self, sizes: tuple[int, ...], what: str) -> list[int]:
        for terms in self._sets:
            if len(terms) >= len(self.points):
                break
            found = _solve([[TERMS[term](p.batch, p.length) for term in terms] for p in self.points], sizes)
            if found is not None:
                by_term = dict(zip(terms, found, strict=True))
                found = [by_term.get(term, 0) for term in range(len(TERMS))]
                while found and not found[-1]:
                    found.pop()
                return found
        at = ", ".join(f"{size} at {p.batch} x {p.length}" for size, p in zip(sizes, self.points, strict=True))
        raise RecordingError(f"the size of {what} is not a polynomial of rows and tokens: {at}")


def _solve(rows: list[list[int]], sizes: Sequence[int]) -> list[int] | None:
    """Whole coefficients that give every size exactly; None where there are none."""
    width = len(rows[0])
    table = [[Fraction(one) for one in row] + [Fraction(size)] for row, size in zip(rows, sizes, strict=True)]
    for column in range(width):
        pivot = next((index for index in range(column, len(table)) if table[index][column]), None)
        if pivot is None:
            return None
        table[column], table[pivot] = table[pivot], table[column]
        lead = table[column][column]
        table[column] = [one / lead for one in table[column]]
        for index, row in enumerate(table):
            if index != column and row[column]:
                factor = row[column]
                table[index] = [one - factor * other for one, other in zip(row, table[column], strict=True)]
    if any(row[width] for row in table[width:]):
        return None
    found = [table[index][width] for index in range(width)]
    return [int(one) for one in found] if all(one.denominator == 1 for one in found) else None


class Table:
    """Plain values, each written down once."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._index: dict[str, int] = {}

    def add(self, row: Any) -> int:
        """The index of a value."""
        key = repr(row)
        if key not in self._index:
            self._index[key] = len(self.rows)
            self.rows.append(row)
        return self._index[key]


def fitted(
    parts: Sequence[Watched], derived: Sequence[Sequence[Derived]], sizes: FittedSizes, ways: Table
) -> dict[str, Any]:
    """A part, watched at every point, as plain data.

    Raises:
        RecordingError: the points differ in more than sizes, or a size is not a polynomial.
    """
    first = parts[0]
    for part in parts[1:]:
        _same(first, part)
    data: dict[str, Any] = {"operators": [], "output": first.output}
    if first.values and not (first.operators and 0 in first.operators[0].outputs):
        metas = [part.values[0].meta for part in parts]
        data["input"] = [sizes.form([one.numel for one in metas], "the input"), metas[0].element]
    if first.hooked is not None:
        data["hooked"] = first.hooked
    if first.returned is not None:
        data["returned"] = first.returned
    for index, operator in enumerate(first.operators):
        what = f"{operator.name} of {operator.module or first.where or 'the model'}"
        at = [part.operators[index] for part in parts]
        outputs = []
        for place, number in enumerate(operator.outputs):
            metas = [part.values[number].meta for part in parts]
            form = sizes.form([one.numel for one in metas], what)
            outputs.append([number, form, metas[0].element, operator.aliases[place]])
        able = differentiable(first, operator)
        chosen = [found[index].ways for found in derived]
        row = {
            "name": operator.name,
            "module": operator.module,
            "inputs": operator.inputs,
            "able": [place for place, one in enumerate(able) if one],
            "outputs": outputs,
            "ways": _ways(chosen, able, sizes, ways, what),
            "freed": operator.freed,
            "work": sizes.form([one.work for one in at], what),
            "heads": operator.heads,
            "mask": _mask(at, sizes, what),
            "widths": [sizes.form([one.metas[place].numel for one in at], what) for place in range(3)]
            if operator.heads
            else [],
        }
        data["operators"].append({key: value for key, value in row.items() if value or key in ("inputs", "outputs")})
    return data


def _mask(at: Sequence[Operator], sizes: FittedSizes, what: str) -> list[Any]:
    """Numbers of attention's mask, and bytes of each; nothing without one."""
    if at[0].name != "attention" or len(at[0].metas) < len("qkv") + 1:
        return []
    metas = [one.metas[-1] for one in at]
    return [sizes.form([one.numel for one in metas], what), metas[0].element]


def _ways(
    chosen: Sequence[Mapping[tuple[bool, ...], Any]], able: Sequence[bool], sizes: FittedSizes, table: Table, what: str
) -> dict[str, int]:
    """By which differentiable inputs need a gradient ("1") or not ("0"), the row of the way in a table."""
    found = {}
    for needed, way in chosen[0].items():
        others = [one[needed] for one in chosen if needed in one]
        if len(others) < len(chosen) or any(_shape(other) != _shape(way) for other in others):
            raise RecordingError(f"the derivative of {what} does other things at other sizes")
        name = "".join(str(int(one)) for one, can in zip(needed, able, strict=True) if can)
        gradients: list[Any] = []
        for place, can in enumerate(able):
            given = way.gradients[place] if place < len(way.gradients) else None
            if can and given is not None:
                numels = [other.gradients[place].meta.numel for other in others]
                gradients.append([given.slot, sizes.form(numels, what), given.meta.element])
            elif can:
                gradients.append(None)
        found[name] = table.add(
            {
                "saved": [
                    [kind, sizes.form([one.saved[index][1] for one in others], what) if kind == "n" else number]
                    for index, (kind, number) in enumerate(way.saved)
                ],
                "made": [sizes.form([one.made[index] for one in others], what) for index in range(len(way.made))],
                "events": list(way.events),
                "gradients": gradients,
                "work": sizes.form([one.work for one in others], what),
            }
        )
    return found


def _shape(way: Any) -> Any:
    """What of a way does not grow with the tokens."""
    saved = [(kind, 0 if kind == "n" else number) for kind, number in way.saved]
    gradients = [None if one is None else (one.slot, one.meta.dtype) for one in way.gradients]
    return saved, len(way.made), way.events, gradients


def _same(first: Watched, other: Watched) -> None:
    """Raises `RecordingError` where two points do other things."""
    for one, two in zip(first.operators, other.operators, strict=False):
        alike = (one.name, one.inputs, one.outputs, one.aliases, sorted(one.freed), one.differentiated) == (
            two.name, two.inputs, two.outputs, two.aliases, sorted(two.freed), two.differentiated,
        )  # fmt: skip
        if not alike:
            raise RecordingError(f"{one.name} of {one.module or first.where} is not the same at other lengths")
    if len(first.operators) != len(other.operators) or first.output != other.output:
        raise RecordingError(f"{first.where or 'the model'} runs other operators at other lengths")
