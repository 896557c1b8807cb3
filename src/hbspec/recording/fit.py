"""Parts as the plain data of a file, from the points at which they were watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hbspec.recording.derive import Derived, differentiable
from hbspec.recording.program import Operator, RecordingError, Watched
from hbspec.recording.rolled import Loop
from hbspec.recording.sizes import FittedSizes


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

    def forget(self, length: int) -> None:
        """Only so many values, the first ones, are written down."""
        self.rows = self.rows[:length]
        self._index = {key: index for key, index in self._index.items() if index < length}


class Sample(NamedTuple):
    """An operator as one point runs it."""

    part: Watched
    operator: Operator
    ways: Mapping[tuple[bool, ...], Any]

    @classmethod
    def of(cls, part: Watched, derived: Sequence[Derived], index: int) -> Sample:
        """The operator of a part."""
        return cls(part, part.operators[index], derived[index].ways)

    @property
    def sizes(self) -> Any:
        """Everything of it that is a size."""
        ways = [(needed, _shape(way), way.made, way.work, _numels(way)) for needed, way in self.ways.items()]
        return self.operator.metas, [self.part.values[one].meta for one in self.operator.outputs], ways


def fitted(
    parts: Sequence[Watched],
    derived: Sequence[Sequence[Derived]],
    sizes: FittedSizes,
    ways: Table,
    loop: Loop | None = None,
) -> dict[str, Any]:
    """A part, watched at every point, as plain data.

    Raises:
        RecordingError: the points differ in more than sizes and in passes of the loop, or a size is not a polynomial.
    """
    first = parts[0]
    for part in parts[1:] if loop is None else ():
        _same(first, part)
    data: dict[str, Any] = {"operators": [], "output": first.output}
    if first.given:
        metas = [part.values[0].meta for part in parts]
        data["input"] = [sizes.form([one.numel for one in metas], "the input"), metas[0].element]
    if first.hooked is not None:
        data["hooked"] = first.hooked
    if first.returned is not None:
        data["returned"] = first.returned
    data |= {key: one for key, one in (("imports", first.imports), ("exports", first.exports)) if one}
    if loop is not None and (first.imports or first.exports):
        raise RecordingError(f"{first.where} loops, and reads what other layers made")
    counts = [0] * len(parts) if loop is None else loop.counts
    for index in range(len(first.operators)):
        at = [index if loop is None else loop.place(index, count) for count in counts]
        samples = [Sample.of(*one) for one in zip(parts, derived, at, strict=True)]
        data["operators"].append(_row(samples, sizes, ways))
    return data if loop is None else _repeated(data, loop, parts, derived, ways, sizes)


def _repeated(
    data: dict[str, Any],
    loop: Loop,
    parts: Sequence[Watched],
    derived: Sequence[Sequence[Derived]],
    ways: Table,
    sizes: FittedSizes,
) -> dict[str, Any]:
    """A part with one pass of its loop, which all passes are like.

    Raises:
        RecordingError: passes differ in sizes.
    """
    looped = [point for point, count in enumerate(loop.counts) if count]
    inner = sizes.of(looped)
    body = []
    for index in range(loop.at, loop.at + loop.size):
        samples = []
        for point in looped:
            again = [
                Sample.of(parts[point], derived[point], index + loop.size * step) for step in range(loop.counts[point])
            ]
            if any(one.sizes != again[0].sizes for one in again[1:]):
                what = f"{again[0].operator.name} of {again[0].operator.module or parts[0].where}"
                raise RecordingError(f"{what} has other sizes in other passes of its loop")
            samples.append(again[0])
        body.append(_row(samples, inner, ways))
    numbered = [*loop.data["operators"], *loop.data["loop"]["body"]]
    for row, numbers in zip([*data["operators"], *body], numbered, strict=True):
        row["inputs"] = numbers["inputs"]
        if numbers["freed"]:
            row["freed"] = numbers["freed"]
    ends = {key: loop.data[key] for key in ("output", "returned") if loop.data[key] is not None}
    return {**data, **ends, "loop": {**loop.data["loop"], "body": body}}


def _row(samples: Sequence[Sample], sizes: FittedSizes, ways: Table) -> dict[str, Any]:
    """An operator as plain data."""
    part, operator = samples[0].part, samples[0].operator
    what = f"{operator.name} of {operator.module or part.where or 'the model'}"
    at = [one.operator for one in samples]
    outputs = []
    for place, number in enumerate(operator.outputs):
        metas = [one.part.values[one.operator.outputs[place]].meta for one in samples]
        form = sizes.form([one.numel for one in metas], what)
        outputs.append([number, form, metas[0].element, operator.aliases[place]])
    able, chosen = differentiable(part, operator), [one.ways for one in samples]
    every = any(len(one.inputs) != len(operator.inputs) for one in at)
    if every:  # of which there are more in longer rows
        able = [True, True] if any(_ends_otherwise(one) for one in samples) else [True]
        chosen = [_every(one, what, len(able)) for one in samples]
    row = {
        "name": operator.name,
        "module": operator.module,
        "inputs": operator.inputs,
        "able": [place for place, one in enumerate(able) if one],
        "every": every,
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
    return {key: value for key, value in row.items() if value or key in ("inputs", "outputs")}


def _ends_otherwise(sample: Sample) -> bool:
    """Whether the last of an operator's inputs has another size than all others, as what a short pass makes."""
    sizes = [meta.numel for meta in sample.operator.metas]
    return len(sizes) > 1 and sizes[-1] != sizes[0]


def _every(sample: Sample, what: str, kinds: int) -> dict[tuple[bool, ...], Any]:
    """The way back of an operator whose inputs are alike, as if it had one, or one of each of two kinds: all and last.

    Raises:
        RecordingError: they are not alike.
    """
    able = differentiable(sample.part, sample.operator)
    way = sample.ways.get(tuple(able))
    if way is None or not all(able) or len(way.gradients) != len(able):
        raise RecordingError(f"{what} reads tensors of every pass, of which some need no gradient")
    first, rest = way.gradients[0], len(way.gradients) + 1 - kinds
    alike = all(one and (one.slot, one.meta.numel) == (first.slot, first.meta.numel) for one in way.gradients[:rest])
    if not alike or way.gradients[-1] is None or way.gradients[-1].slot != first.slot or way.saved or way.made:
        raise RecordingError(f"{what} reads tensors of every pass that are not alike")
    return {(True,) * kinds: way._replace(gradients=(first, *way.gradients[rest:]))}


def _numels(way: Any) -> list[int | None]:
    return [None if one is None else one.meta.numel for one in way.gradients]


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
    ends = [(len(one.operators), one.output, one.imports, one.exports) for one in (first, other)]
    if ends[0] != ends[1]:
        raise RecordingError(f"{first.where or 'the model'} runs other operators at other lengths")
