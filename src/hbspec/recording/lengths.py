"""Lengths at which a layer does other things: rows of one chunk, of whole chunks, and of chunks of which one is padded.

How long a chunk is, the config may say; else it is one of the usual numbers, or a token. What is wrong does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from hbspec.catalog.recorded_loop import ONE, PAIR, RAGGED, TWO, WHOLE, chunks_of
from hbspec.recording.build import Built

USUAL = (64, 128, 256)
"""Chunks of linear attention and of state spaces, where the config does not say them."""

TOKEN = 1
"""The chunk of a loop over tokens."""

Points = tuple[tuple[int, int], ...]


class Length(NamedTuple):
    """A class of lengths.

    Attributes:
        name: as `hbspec.catalog.recorded_loop` has it.
        chunk: tokens of a chunk.
        together, alone, several: rows and tokens at which it is watched: first those that tell both of the others.
    """

    name: str
    chunk: int
    together: Points
    alone: Points
    several: Points

    def chunks(self, points: Sequence[tuple[int, int]]) -> list[int]:
        """By point, how many chunks a row has."""
        return [chunks_of(tokens, self.chunk) for _, tokens in points]

    def counted(self, points: Sequence[tuple[int, int]]) -> list[int] | None:
        """The same, where tokens do not tell them."""
        return None if self.name in (ONE, TWO) or self.chunk == TOKEN else self.chunks(points)

    @property
    def parted(self) -> tuple[Length, ...]:
        """The same as rows of two chunks, and rows of more, where they are not alike."""
        if self.name != RAGGED:
            return ()
        two = tuple(PAIR * self.chunk - less for less in (9, 4, 7, 2, 14))
        more = tuple((PAIR + 1 + index) * self.chunk - less for index, less in enumerate((9, 14, 5, 7, 11)))
        return Length(TWO, self.chunk, *_points(two)), Length(RAGGED, self.chunk, *_points(more))


class ChunkLengths:
    """Which parts of a model do other things at other lengths, and how long their chunks are.

    Attributes:
        by_token: whether something loops over tokens, so that only short rows can be followed.
        apart: parts that do other things for one row than for several.
    """

    def __init__(self, built: Built) -> None:
        config = built.model.config.get_text_config(decoder=True)
        said = {value for key, value in _numbers(config) if "chunk" in key and USUAL[0] // 4 <= value <= USUAL[-1]}
        self.by_token = False
        blocks = {value for key, value in _numbers(config) if key == "block_size" and 1 < value <= USUAL[-1]}
        self._said = tuple(dict.fromkeys([*sorted(said), *sorted(blocks), *USUAL]))
        self._found: dict[Any, int] = {}
        self.apart: set[Any] = set()

    @property
    def chunks(self) -> tuple[int, ...]:
        """Chunks that there may be."""
        return (TOKEN,) if self.by_token else self._said

    def differ(self, name: Any) -> bool:
        """Whether a part is known to do other things at other lengths."""
        return name in self._found

    def together(self, name: Any) -> bool:
        """Whether a part may do the same for one row and for several."""
        return name not in self.apart

    def tried(self, name: Any) -> tuple[int, ...]:
        """Chunks that a part may have."""
        return (self._found[name],) if name in self._found else self.chunks

    def found(self, name: Any, chunk: int) -> None:
        """A part has chunks."""
        self._found[name] = chunk

    @staticmethod
    def classes(chunk: int) -> tuple[Length, ...]:
        """The classes of lengths, with points at which two and more chunks are watched."""
        if chunk == TOKEN:
            tokens = (6, 7, 9, 12, 31)
            return (Length(WHOLE, chunk, *_points(tokens)),)
        ragged = (2 * chunk - 9, 3 * chunk - 14, 4 * chunk - 5, 5 * chunk - 7, 6 * chunk - 11)
        return (
            Length(ONE, chunk, *_points((chunk - 11, chunk - 7, chunk - 5, chunk - 3))),
            Length(WHOLE, chunk, *_points(tuple(chunk * number for number in (2, 3, 4, 5, 6)))),
            Length(RAGGED, chunk, *_points(ragged)),
        )


def _points(tokens: Sequence[int]) -> tuple[Points, Points, Points]:
    """Rows for one micro-batch of any, of one row, and of several."""
    choices = (1, 1, 2, 3, 2), (1, 1, 1, 1, 1), (2, 3, 2, 5, 3)
    together, alone, several = (tuple(zip(rows, tokens, strict=False)) for rows in choices)
    return together, alone, several


def _numbers(config: Any) -> Iterator[tuple[str, int]]:
    for key, value in config.to_dict().items():
        if type(value) is int:
            yield key, value
