"""Sizes at several batches and lengths, as exact polynomials of rows, tokens and chunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import lcm
from operator import mul

from hbspec.recording.forward import Point
from hbspec.recording.program import RecordingError

TERMS: tuple[Callable[[int, int, int], int], ...] = (
    lambda b, t, n: 1,  # noqa: ARG005
    lambda b, t, n: b * t,  # noqa: ARG005
    lambda b, t, n: b * t * t,  # noqa: ARG005
    lambda b, t, n: t,  # noqa: ARG005
    lambda b, t, n: t * t,  # noqa: ARG005
    lambda b, t, n: b,  # noqa: ARG005
    lambda b, t, n: b * n,  # noqa: ARG005
    lambda b, t, n: b * n * n,  # noqa: ARG005
    lambda b, t, n: n,  # noqa: ARG005
    lambda b, t, n: n * n,  # noqa: ARG005
    lambda b, t, n: b * t * n,
)
"""What a size may be made of: a fixed one, one for each token, one for each pair of tokens of a row; and, where rows
share something, one for each place of a row, and for each pair of them; one for each row, as padding is; and one for
each chunk of a row, and each pair of them, and the same where rows share it; and one for each token and chunk."""

ALONE: tuple[tuple[int, ...], ...] = ((0, 1, 2),)
SEVERAL = (*ALONE, (0, 3, 4), (1, 2, 5), (0, 1, 2, 3, 4, 5))
CHUNKED = (*ALONE, (0, 1, 6), (1, 5, 6), (5, 6, 7), (0, 3, 4), (1, 2, 5), (0, 3, 8), (0, 8, 9), (0, 1, 2, 6))
"""Terms that are tried together: of one row, of several, and of rows whose chunks are counted."""


class FittedSizes:
    """Fits sizes over the points at which a part was watched.

    Args:
        points: rows and tokens.
        chunks: by point, how many chunks a row has, where sizes grow with them.
        chunk: tokens of a chunk, where the last one of a row is shorter, and what is made of it as well.
    """

    def __init__(self, points: Sequence[Point], chunks: Sequence[int] | None = None, chunk: int | None = None) -> None:
        self.points, self.chunks, self.chunk = points, chunks, chunk
        self._known: dict[tuple[int, ...], list[int]] = {}
        self._solvers: dict[tuple[int, ...], _Solver] = {}
        self._sets = (ALONE if all(point.batch == 1 for point in points) else SEVERAL) if chunks is None else CHUNKED

    def of(self, places: Sequence[int]) -> FittedSizes:
        """Sizes at some of the points."""
        chunks = self.chunks and [self.chunks[place] for place in places]
        return FittedSizes([self.points[place] for place in places], chunks, self.chunk)

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
            found = self._solver(terms).solve(sizes)
            if found is not None:
                return _listed(dict(zip(terms, found, strict=True)))
        rest = self._of_the_rest(sizes)
        if rest is not None:
            return rest
        at = ", ".join(f"{size} at {p.batch} x {p.length}" for size, p in zip(sizes, self.points, strict=True))
        raise RecordingError(f"the size of {what} is not a polynomial of rows and tokens: {at}")

    def _solver(self, terms: tuple[int, ...]) -> _Solver:
        if terms not in self._solvers:
            chunks = self.chunks or [0] * len(self.points)
            at = zip(self.points, chunks, strict=True)
            rows = [[TERMS[term](p.batch, p.length, number) for term in terms] for p, number in at]
            self._solvers[terms] = _Solver(rows)
        return self._solvers[terms]

    def _of_the_rest(self, sizes: tuple[int, ...]) -> list[int] | None:
        """The same of what is made for each row, each token of its last chunk, and each pair of these.

        A row of t tokens in n chunks of c has r = t - c (n - 1) of them: b r² is b t² - 2 c b t n + 2 c b t + c² b n² -
        2 c² b n + c² b.
        """
        if self.chunks is None or self.chunk is None:
            return None
        c, rows = self.chunk, []
        for point, number in zip(self.points, self.chunks, strict=True):
            rest = point.length - c * (number - 1)
            rows.append([point.batch, point.batch * rest, point.batch * rest * rest])
        if () not in self._solvers:
            self._solvers[()] = _Solver(rows)
        found = self._solvers[()].solve(sizes) if len(rows) > len(rows[0]) else None
        if found is None:
            return None
        row, token, pair = found
        by_term = {1: token + 2 * c * pair, 2: pair, 5: row + c * token + c * c * pair}
        return _listed(by_term | {6: -c * token - 2 * c * c * pair, 7: c * c * pair, 10: -2 * c * pair})


def _listed(by_term: Mapping[int, int]) -> list[int]:
    """The coefficients in the order of `TERMS`, without zeros at the end."""
    found = [by_term.get(term, 0) for term in range(len(TERMS))]
    while found and not found[-1]:
        found.pop()
    return found


class _Solver:
    """Solves one table of rows for any sizes: the elimination, which takes most of the time, is done once."""

    def __init__(self, rows: Sequence[Sequence[int]]) -> None:
        self.width = len(rows[0])
        count = len(rows)
        table = [
            [Fraction(one) for one in row] + [Fraction(index == place) for place in range(count)]
            for index, row in enumerate(rows)
        ]
        self.solvable = all(_eliminated(table, column) for column in range(self.width))
        self.lines = [_whole(row[self.width :]) for row in table]

    def solve(self, sizes: Sequence[int]) -> list[int] | None:
        """Whole coefficients that give every size exactly; None where there are none."""
        if not self.solvable:
            return None
        values = [sum(map(mul, line, sizes)) for line, _ in self.lines]
        if any(values[self.width :]):
            return None
        found = [divmod(value, parts) for value, (_, parts) in zip(values[: self.width], self.lines, strict=False)]
        return None if any(rest for _, rest in found) else [one for one, _ in found]


def _eliminated(table: list[list[Fraction]], column: int) -> bool:
    """Whether a column was cleared of all rows but its own."""
    pivot = next((index for index in range(column, len(table)) if table[index][column]), None)
    if pivot is None:
        return False
    table[column], table[pivot] = table[pivot], table[column]
    lead = table[column][column]
    table[column] = [one / lead for one in table[column]]
    for index, row in enumerate(table):
        if index != column and row[column]:
            factor = row[column]
            table[index] = [one - factor * other for one, other in zip(row, table[column], strict=True)]
    return True


def _whole(line: Sequence[Fraction]) -> tuple[list[int], int]:
    """A line of fractions as whole numbers, and what they are divided by."""
    parts = lcm(*(one.denominator for one in line))
    return [int(one * parts) for one in line], parts
