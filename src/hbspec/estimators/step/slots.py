"""Requests and blocks that are let go of, as they are added one behind the other, for rows of any length.

What a micro-batch asks for and lets go of is the same at every length; only the sizes differ. So it is written down
once, each block with its size as a form, and read at every length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, count, islice
from typing import NamedTuple

from hbspec.estimators.step.allocator import COMPUTING, Action
from hbspec.estimators.step.lifetimes.ledger import Form
from hbspec.estimators.step.pool import SMALL, block_bytes


class Given(NamedTuple):
    """A size that no form tells: its number among those that are given with the length."""

    number: int


Size = int | Form | Given
"""Bytes of a block, rounded; a form of its bytes, not rounded; or whichever bytes are given."""


EMPTY: tuple[Size, Size] = (0, Form())
"""Sizes of tensors that have no bytes at any length."""


class Requests(NamedTuple):
    """What is asked for and let go of at one length.

    Attributes:
        parts: what is done to large blocks, in as many parts as `Slots.turn` made.
        sizes: bytes by their number in the actions.
        kept: the slots of large blocks that stay, of those that were said to.
        small: the most bytes of blocks at once that are too small to follow one by one.
        small_left: of these, the bytes that are there at the end.
    """

    parts: Sequence[Sequence[Action]]
    sizes: Sequence[int]
    kept: Sequence[int]
    small: int
    small_left: int


class Slots:
    """Requests as they are added, and what is there after the last of them.

    Attributes:
        alive: the blocks that are there, by slot, with their bytes; 0 where these depend on the length.
        kept: the slots that are said to stay.
    """

    def __init__(self) -> None:
        self.alive: dict[int, int] = {}
        self.kept: Sequence[int] = ()
        self._parts: list[list[Action]] = [[]]
        self._numbers = [0]
        self._sizes: dict[Size, int] = {0: 0}
        self._fixed = [0]
        self._split: dict[tuple[bool, ...], tuple[list[list[Action]], list[int]]] = {}

    def come(self, size: Size, stream: int = COMPUTING) -> int:
        """The slot of a new block."""
        slot, number = len(self._numbers), self.number(size)
        self._numbers.append(number)
        self._parts[-1].append((slot, number, stream))
        self.alive[slot] = self._fixed[number]
        return slot

    def gone(self, slot: int) -> None:
        """A block is let go of, if it is there."""
        if self.alive.pop(slot, None) is not None:
            self._parts[-1].append((slot, 0, COMPUTING))

    def taken(self, requests: Iterable[Size], stream: int = COMPUTING) -> list[int]:
        """Slots for some requests; an empty tensor gets none."""
        sizes = (block_bytes(size) if isinstance(size, int) else size for size in requests if size not in EMPTY)
        return [self.come(size, stream) for size in sizes]

    def let_go(self, slots: Iterable[int]) -> None:
        """Let go of some slots."""
        for slot in slots:
            self.gone(slot)

    def given(self, groups: Iterable[Sequence[int]]) -> Iterator[list[Size]]:
        """For groups of bytes at some length, sizes that are given in their order."""
        numbers = count()
        for group in groups:
            yield [Given(number) for number in islice(numbers, len(group))]

    def turn(self) -> None:
        """A part ends, and the next one begins."""
        self._parts.append([])

    def number(self, size: Size) -> int:
        """The number of a size, the same for equal ones."""
        found = self._sizes.get(size)
        if found is None:
            found = self._sizes[size] = len(self._sizes)
            self._fixed.append(_fixed(size))
        return found

    def at(self, tokens: int, row: int, given: Sequence[int] = ()) -> Requests:
        """What is asked for at one length.

        Args:
            tokens: of a micro-batch.
            row: of a row.
            given: bytes of what no form tells, not rounded; 0 where nothing is asked for.
        """
        sizes = [_bytes(size, tokens, row, given) for size in self._sizes]
        large = tuple(size > SMALL for size in sizes)
        found = self._split.get(large)
        if found is None:
            found = self._split[large] = self._divided(large)
        parts, few = found
        signed = [*sizes, *(-size for size in reversed(sizes[1:]))]  # what goes has a number below zero
        alive = [0, *accumulate(map(signed.__getitem__, few))]
        kept = [slot for slot in self.kept if large[self._numbers[slot]]]
        return Requests(parts, sizes, kept, max(alive), alive[-1])

    def _divided(self, large: Sequence[bool]) -> tuple[list[list[Action]], list[int]]:
        """What is done to large blocks by part, and the sizes of small ones as they come, below zero as they go."""
        follows = [large[number] for number in self._numbers]
        parts = [[action for action in part if follows[action[0]]] for part in self._parts]
        few = (action for part in self._parts for action in part if not follows[action[0]])
        return parts, [number or -self._numbers[slot] for slot, number, _ in few]


def _fixed(size: Size) -> int:
    """Bytes of a block, rounded; 0 where they depend on the length."""
    if isinstance(size, int):
        return size
    return block_bytes(size.fixed) if isinstance(size, Form) and not (size.per_token or size.per_pair) else 0


def _bytes(size: Size, tokens: int, row: int, given: Sequence[int]) -> int:
    """Bytes of a block at a length, rounded."""
    if isinstance(size, int):
        return size
    if isinstance(size, Form):
        return block_bytes(max(0, size.at(tokens, row)))  # what takes off from another size is no block
    return block_bytes(given[size.number]) if given[size.number] else 0
