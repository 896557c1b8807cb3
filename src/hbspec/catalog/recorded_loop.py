"""Programs that depend on a row's length: the classes of lengths, and loops with as many passes as there are chunks.

Code that pads rows to whole chunks does other things with one chunk, with rows that fill their chunks, and with all
others; a loop over chunks, or over tokens, runs one pass more for every chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hbspec.diagnostics import Missing, NotKnownError

ONE, TWO, WHOLE, RAGGED = "one", "two", "whole", "ragged"
"""Rows of one chunk, rows of two whose last is not whole, rows of whole chunks, and all others: their last chunk is
padded, or is shorter. Rows of two are apart only where the first chunk of a row is not as those behind it are."""

LENGTHS = ONE, TWO, WHOLE, RAGGED

PAIR = 2
"""Chunks of a row that is `TWO`."""

MOST_STEPS = 10_000
"""Operators of a loop that are run one by one, which takes a few seconds for every length that is asked for."""


def chunks_of(length: int, chunk: int) -> int:
    """Chunks of a row."""
    return max(1, -(-length // chunk))


def length_class(length: int, chunk: int, classes: Mapping[str, Any]) -> str:
    """The class of a length, among those that were recorded."""
    if chunks_of(length, chunk) == 1 and ONE in classes:
        return ONE
    if chunks_of(length, chunk) == PAIR and length % chunk and TWO in classes:
        return TWO
    return RAGGED if length % chunk and RAGGED in classes else WHOLE


def every_row(program: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The operators of a program as it is in the file, of all classes of lengths, and one pass of each loop."""
    for data in [program[name] for name in LENGTHS if name in program] if "chunk" in program else [program]:
        yield from data["operators"]
        yield from data.get("loop", {}).get("body", ())


def program_rows(data: Mapping[str, Any], chunks: int) -> Sequence[Mapping[str, Any]]:
    """The operators of a program over so many chunks, with all passes of its loop.

    Raises:
        NotKnownError: they are too many.
    """
    loop, rows = data.get("loop"), data["operators"]
    if loop is None:
        found: Sequence[Mapping[str, Any]] = rows
        return found
    count = passes(loop, chunks)
    if count * len(loop["body"]) > MOST_STEPS:
        raise NotKnownError(
            Missing(
                f"the memory of a recorded loop of {count:,} passes, which is too long to follow", ("model", "config")
            )
        )
    at, values = loop["at"], loop["values"]
    bodies = (moved(row, values * step, values, count) for step in range(count) for row in loop["body"])
    behind = (moved(row, values * count, values, count) for row in rows[at:])
    return [*rows[:at], *bodies, *behind]


def passes(loop: Mapping[str, Any], chunks: int) -> int:
    """How many passes come beside those that every row has."""
    return max(0, chunks - int(loop["chunks"]))


def moved(row: Mapping[str, Any], shift: int, values: int, count: int) -> dict[str, Any]:
    """An operator whose own values, and what moves with them, have moved on."""
    return {
        **row,
        "inputs": [*numbers(row["inputs"], shift, values, count)],
        "outputs": [[number + shift, *rest] for number, *rest in row["outputs"]],
        "freed": [*numbers(row.get("freed", ()), shift, values, count)],
    }


def numbers(places: Sequence[Any], shift: int, values: int, count: int) -> Iterator[Any]:
    """Numbers of values: those in a list move on, and those of "each" come once for every pass."""
    for one in places:
        if isinstance(one, list):
            yield one[0] + shift
        elif isinstance(one, dict):
            yield from (number + values * step for step in range(count) for number in one["each"])
        else:
            yield one


def number_of(place: Any, data: Mapping[str, Any], chunks: int) -> int | None:
    """The number of a value that a program names beside its operators, as what it puts out."""
    if not isinstance(place, list):
        found: int | None = place
        return found
    loop = data["loop"]
    return int(place[0]) + int(loop["values"]) * passes(loop, chunks)
