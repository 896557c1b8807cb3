"""The programs of a recorded model: operators, what each saves, and its derivative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hbspec.catalog.recorded_loop import chunks_of, length_class, number_of, program_rows


class Way(NamedTuple):
    """What an operator saves, and its derivative, where some of its inputs need a gradient.

    Attributes:
        saved: in order: an input ("i", its number), an output ("o", its number), or something else ("n", its bytes).
        made: bytes of each storage that the derivative makes.
        events: which of them comes, and goes (the complement), in order.
        gradients: by differentiable input, the storage (-1: that of the output's gradient), numbers, and bytes of one.
        work: multiply-adds.
    """

    saved: tuple[tuple[str, Any], ...]
    made: tuple[Any, ...]
    events: tuple[int, ...]
    gradients: tuple[Any, ...]
    work: Any


class Step(NamedTuple):
    """An operator of a program; `able` are the inputs that may need a gradient. See `hbspec.recording.program`."""

    name: str
    module: str
    inputs: tuple[Any, ...]
    able: tuple[int, ...]
    outputs: tuple[Any, ...]
    ways: Mapping[str, Way]
    freed: tuple[int, ...]
    work: Any
    heads: int
    mask: tuple[Any, ...]


class Steps(NamedTuple):
    """A program: what a layer, or what comes before or behind all of them, runs.

    Attributes:
        steps: the operators.
        output, hooked, returned: numbers of values; see `hbspec.recording.program.Watched`.
        imports, exports: by label, the numbers of values that other programs make, and of those that others read.
    """

    steps: tuple[Step, ...]
    output: int
    hooked: int | None
    returned: int | None
    imports: Mapping[str, int] = {}
    exports: Mapping[str, int] = {}


def steps_of(data: Mapping[str, Any], ways: Sequence[Mapping[str, Any]], rows: int, length: int) -> Steps:
    """A program of a file, for so many rows of so many tokens in a micro-batch; `ways` are the file's.

    Raises:
        NotKnownError: a loop over its tokens is too long.
    """
    if "chunk" not in data:
        return Reader(ways, rows, 0).steps(data)
    chunk = data["chunk"]
    return Reader(ways, rows, chunks_of(length, chunk)).steps(data[length_class(length, chunk, data)])


class Reader:
    """Reads programs for so many rows in a micro-batch, each of so many chunks; what is alike is read once."""

    def __init__(self, ways: Sequence[Mapping[str, Any]], rows: int, chunks: int) -> None:
        self.data, self.rows, self.chunks = ways, rows, chunks
        self._ways: dict[int, Way] = {}
        self._forms: dict[tuple[int, ...], tuple[int, int, int]] = {}

    def steps(self, data: Mapping[str, Any]) -> Steps:
        """A program of one class of lengths."""
        return Steps(
            tuple(self._step(row) for row in program_rows(data, self.chunks)),
            number_of(data["output"], data, self.chunks) or 0,
            data.get("hooked"),
            number_of(data.get("returned"), data, self.chunks),
            data.get("imports", {}),
            data.get("exports", {}),
        )

    def _step(self, row: Mapping[str, Any]) -> Step:
        able = tuple(row.get("able", ()))
        ways = {name: self._way(index) for name, index in row.get("ways", {}).items()}
        if row.get("every"):
            able = tuple(range(len(row["inputs"])))
            ways = {"1" * len(able): _of_every(way, len(able)) for way in ways.values()}
        return Step(
            row["name"],
            row.get("module", ""),
            tuple(row["inputs"]),
            able,
            tuple((number, self._form(size), element, alias) for number, size, element, alias in row["outputs"]),
            ways,
            tuple(row.get("freed", ())),
            self._form(row.get("work", ())),
            row.get("heads", 0),
            (self._form(row["mask"][0]), row["mask"][1]) if row.get("mask") else (),
        )

    def _way(self, index: int) -> Way:
        if index not in self._ways:
            data = self.data[index]
            self._ways[index] = Way(
                tuple((kind, self._form(what) if kind == "n" else what) for kind, what in data["saved"]),
                tuple(self._form(size) for size in data["made"]),
                tuple(data["events"]),
                tuple(None if one is None else (one[0], self._form(one[1]), one[2]) for one in data["gradients"]),
                self._form(data["work"]),
            )
        return self._ways[index]

    def _form(self, sizes: Sequence[int]) -> tuple[int, int, int]:
        key = tuple(sizes)
        if key not in self._forms:
            self._forms[key] = form(key, self.rows, self.chunks)
        return self._forms[key]


def _of_every(way: Way, inputs: int) -> Way:
    """The derivative of an operator that reads something of every pass: the last one may be of another size."""
    return way._replace(gradients=(*way.gradients[:1] * (inputs - 1), way.gradients[-1]))


def form(sizes: Sequence[int], rows: int, chunks: int = 0) -> tuple[int, int, int]:
    """A size with what rows share told by token, rounded up: fixed, for each token, for each pair of a row's tokens.

    What grows with a row's chunks is fixed, as their number is.
    """
    fixed, token, pair, place, places, row, chunk, square, shared, both, each = (*sizes, *(0,) * 11)[:11]
    fixed += rows * (row + chunk * chunks + square * chunks**2) + shared * chunks + both * chunks**2
    token += each * chunks
    return fixed, token - (-place // rows), pair - (-places // rows)
