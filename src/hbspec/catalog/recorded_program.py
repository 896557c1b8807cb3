"""The programs of a recorded model: operators, what each saves, and its derivative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


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
    """A program: what a layer, or what comes before or behind all of them, runs."""

    steps: tuple[Step, ...]
    output: int
    hooked: int | None
    returned: int | None


def step_of(row: Mapping[str, Any], ways: Sequence[Mapping[str, Any]], rows: int) -> Step:
    """An operator of a file, for so many rows in a micro-batch; `ways` are the file's."""
    return Step(
        row["name"],
        row.get("module", ""),
        tuple(row["inputs"]),
        tuple(row.get("able", ())),
        tuple((number, form(size, rows), element, alias) for number, size, element, alias in row["outputs"]),
        {name: _way(ways[index], rows) for name, index in row.get("ways", {}).items()},
        tuple(row.get("freed", ())),
        form(row.get("work", ()), rows),
        row.get("heads", 0),
        (form(row["mask"][0], rows), row["mask"][1]) if row.get("mask") else (),
    )


def _way(data: Mapping[str, Any], rows: int) -> Way:
    return Way(
        tuple((kind, form(what, rows) if kind == "n" else what) for kind, what in data["saved"]),
        tuple(form(size, rows) for size in data["made"]),
        tuple(data["events"]),
        tuple(None if one is None else (one[0], form(one[1], rows), one[2]) for one in data["gradients"]),
        form(data["work"], rows),
    )


def form(sizes: Sequence[int], rows: int) -> tuple[int, int, int]:
    """A size with what rows share told by token, rounded up: fixed, for each token, for each pair of a row's tokens."""
    fixed, token, pair, place, places, row = (*sizes, 0, 0, 0, 0, 0, 0)[:6]
    return fixed + row * rows, token - (-place // rows), pair - (-places // rows)
