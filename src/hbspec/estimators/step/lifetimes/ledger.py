"""Bytes that are alive, as linear forms in the tokens, and the moments at which they are the most.

A size is a form: fixed + per_token n + per_pair n T bytes, with n tokens in a micro-batch and T tokens in a row. So one
pass over a model's step serves every batch size and length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple


class Form(NamedTuple):
    """A size that grows with the tokens: fixed + per_token n + per_pair n T."""

    fixed: int = 0
    per_token: int = 0
    per_pair: int = 0

    def at(self, tokens: int, row: int) -> int:
        """The size of a micro-batch of so many tokens in rows of so many."""
        return self.fixed + self.per_token * tokens + self.per_pair * tokens * row

    def times(self, factor: int) -> Form:
        """So many of it."""
        return Form(self.fixed * factor, self.per_token * factor, self.per_pair * factor)

    def plus(self, other: Form) -> Form:
        """Both together."""
        return Form(self.fixed + other.fixed, self.per_token + other.per_token, self.per_pair + other.per_pair)

    def covers(self, other: Form) -> bool:
        """Whether it is at least as large at every batch size and length."""
        return self.fixed >= other.fixed and self.per_token >= other.per_token and self.per_pair >= other.per_pair


ROWS_TOKENS = 64
"""Tokens of a row that are computed together where they are computed one part after another."""


class Peak(NamedTuple):
    """The memory in use just after an allocation, where a maximum may be.

    Attributes:
        phase: where in the step: `forward`, `loss`, `backward of layer 1`, …
        total: bytes in use.
        terms: the same bytes by name.
    """

    phase: str
    total: Form
    terms: Mapping[str, Form]


class Work(NamedTuple):
    """What was written in a phase: nearly every storage is the output of one kernel.

    Attributes:
        kernels: how many storages were made.
        written: their bytes.
        in_rows: how many more are made for every `ROWS_TOKENS` tokens of a row.
    """

    kernels: int = 0
    written: Form = Form()
    in_rows: int = 0

    def plus(self, other: Work) -> Work:
        """Both together."""
        return Work(self.kernels + other.kernels, self.written.plus(other.written), self.in_rows + other.in_rows)


class Products(NamedTuple):
    """Multiply-adds of matrix products by pass: forward, in layers that are computed again, and backward."""

    forward: Form = Form()
    recompute: Form = Form()
    backward: Form = Form()

    def plus(self, other: Products) -> Products:
        """Both together, pass by pass."""
        return Products(*(one.plus(more) for one, more in zip(self, other, strict=True)))

    def times(self, factor: int) -> Products:
        """The same of so many layers."""
        return Products(*(one.times(factor) for one in self))


class Ledger:
    """Counts storages as they come and go, and keeps the moments that no other moment of their phase covers.

    Only where something is freed after something was allocated can a moment be the largest, so only there it looks.
    """

    def __init__(self) -> None:
        self._phase = "forward"
        self._rising = False
        self._fixed = self._per_token = self._per_pair = 0
        self._terms: dict[str, list[int]] = {}
        self._peaks: dict[str, list[Peak]] = {}
        self._made: dict[str, list[int]] = {}
        self._work: dict[str, dict[str, list[int]]] = {self._phase: self._made}
        self._products: dict[tuple[str, bool], Form] = {}
        self._storages: list[tuple[Form, str]] = []
        self._events: list[int] = []
        self._streams: dict[str, list[int]] = {self._phase: self._events}
        self._moved: dict[str, list[Form]] = {}
        self._stashes: dict[str, list[tuple[Form, ...]]] = {}

    def allocate(self, storage: TensorStorage) -> None:
        """A storage begins to live."""
        storage.index = len(self._storages)
        self._events.append(storage.index)
        self._storages.append((storage.size, storage.term))
        fixed, per_token, per_pair = storage.size
        self._fixed += fixed
        self._per_token += per_token
        self._per_pair += per_pair
        term = self._terms.get(storage.term)
        if term is None:
            term = self._terms[storage.term] = [0, 0, 0]
        term[0] += fixed
        term[1] += per_token
        term[2] += per_pair
        self._rising = True
        self.write(storage.term, storage.size)

    def write(self, term: str, size: Form) -> None:
        """A kernel writes so many bytes."""
        made = self._made.get(term)
        if made is None:
            made = self._made[term] = [0, 0, 0, 0, 0]
        made[0] += 1
        made[1] += size[0]
        made[2] += size[1]
        made[3] += size[2]

    def repeat(self, term: str, kernels: int, in_rows: int, written: Form) -> None:
        """So many kernels write so many bytes, some of them for every `ROWS_TOKENS` tokens of a row."""
        self.write(term, written)
        made = self._made[term]
        made[0] += kernels - 1
        made[4] += in_rows

    @property
    def total(self) -> Form:
        """Bytes that are alive."""
        return Form(self._fixed, self._per_token, self._per_pair)

    @property
    def made(self) -> Work:
        """What was written so far in this phase."""
        return reduce(Work.plus, (Work(one[0], Form(*one[1:4]), one[4]) for one in self._made.values()), Work())

    def work(self, phase: str) -> Mapping[str, Work]:
        """What was written in a phase, by term."""
        return {term: Work(made[0], Form(*made[1:4]), made[4]) for term, made in self._work.get(phase, {}).items()}

    def multiply(self, work: Form, *, again: bool) -> None:
        """A product of so many multiply-adds runs; `again`: in a layer that is computed again."""
        phase = self._phase, again
        self._products[phase] = self._products.get(phase, NOTHING).plus(work)

    def move(self, size: Form, stash: tuple[Form, ...]) -> None:
        """So many bytes go to the host; `stash`: sizes of what is still under way, itself included."""
        self._moved.setdefault(self._phase, []).append(size)
        self._stashes.setdefault(self._phase, []).append(stash)

    def moved(self, phase: str) -> tuple[Form, ...]:
        """Sizes of what a phase has moved to the host."""
        return tuple(self._moved.get(phase, ()))

    def stashes(self, phase: str) -> tuple[Form, ...]:
        """What was under way to the host at each moment of a phase at which something was moved."""
        return tuple(reduce(Form.plus, stash) for stash in self._stashes.get(phase, ()))

    def products(self, forward: str, backward: str) -> Products:
        """Multiply-adds of a phase of the forward pass and of the phase that brings back its gradients."""
        passes = (forward, False), (backward, True), (backward, False)
        return Products(*(self._products.get(phase, NOTHING) for phase in passes))

    def free(self, storage: TensorStorage) -> None:
        """A storage's last reference is gone."""
        self._events.append(~storage.index)
        if self._rising:
            self._look()
        fixed, per_token, per_pair = storage.size
        self._fixed -= fixed
        self._per_token -= per_token
        self._per_pair -= per_pair
        term = self._terms[storage.term]
        term[0] -= fixed
        term[1] -= per_token
        term[2] -= per_pair

    def begin(self, phase: str) -> None:
        """Another phase begins, with what is alive."""
        if self._rising:
            self._look()
        self._phase = phase
        self._made = self._work.setdefault(phase, {})
        self._events = self._streams.setdefault(phase, [])
        self._look()

    def peaks(self, phase: str) -> list[Peak]:
        """The moments of a phase that can be the largest at some batch size and length."""
        if self._rising:
            self._look()
        return self._peaks.get(phase, [])

    @property
    def storages(self) -> Sequence[tuple[Form, str]]:
        """Size and term of every storage that there was, in the order in which they began to live."""
        return self._storages

    @property
    def streams(self) -> Mapping[str, Sequence[int]]:
        """By phase, which storages come (their index) and go (its complement, `~index`), in order."""
        return self._streams

    def alive(self) -> Mapping[str, Form]:
        """What is alive now, by term."""
        return {term: Form(*size) for term, size in self._terms.items() if any(size)}

    def _look(self) -> None:
        self._rising = False
        total = self.total
        peaks = self._peaks.setdefault(self._phase, [])
        for peak in peaks:
            if peak.total.covers(total):
                return
        peaks[:] = [peak for peak in peaks if not total.covers(peak.total)]
        peaks.append(Peak(self._phase, total, self.alive()))


NOTHING = Form()


class TensorStorage:
    """Bytes on the device; they are counted while anything refers to them."""

    __slots__ = ("index", "ledger", "size", "term")

    index: int

    def __init__(self, ledger: Ledger, size: Form, term: str) -> None:
        self.ledger, self.size, self.term = ledger, size, term
        ledger.allocate(self)

    def __del__(self) -> None:
        self.ledger.free(self)
