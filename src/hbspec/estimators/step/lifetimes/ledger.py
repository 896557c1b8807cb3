"""Bytes that are alive, as linear forms in the tokens, and the moments at which they are the most.

A size is a form: fixed + per_token n + per_pair n T bytes, with n tokens in a micro-batch and T tokens in a row. So one
pass over a model's step serves every batch size and length.
"""

from __future__ import annotations

from collections.abc import Mapping
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


class Moment(NamedTuple):
    """What is alive when something has just been allocated.

    Attributes:
        phase: where in the step: `forward`, `loss`, `backward of layer 1`, …
        total: all of it.
        terms: it by name.
    """

    phase: str
    total: Form
    terms: Mapping[str, Form]


class Work(NamedTuple):
    """What was written in a phase: nearly every storage is the output of one kernel.

    Attributes:
        kernels: how many storages were made.
        written: their bytes.
    """

    kernels: int = 0
    written: Form = Form()

    def plus(self, other: Work) -> Work:
        """Both together."""
        return Work(self.kernels + other.kernels, self.written.plus(other.written))


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
        self._peaks: dict[str, list[Moment]] = {}
        self._made: dict[str, list[int]] = {}
        self._work: dict[str, dict[str, list[int]]] = {self._phase: self._made}
        self._products: dict[tuple[str, bool], Form] = {}

    def allocate(self, storage: Storage) -> None:
        """A storage begins to live."""
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
            made = self._made[term] = [0, 0, 0, 0]
        made[0] += 1
        made[1] += size[0]
        made[2] += size[1]
        made[3] += size[2]

    def work(self, phase: str) -> Mapping[str, Work]:
        """What was written in a phase, by term."""
        return {term: Work(made[0], Form(*made[1:])) for term, made in self._work.get(phase, {}).items()}

    def multiply(self, work: Form, *, again: bool) -> None:
        """A product of so many multiply-adds runs; `again`: in a layer that is computed again."""
        phase = self._phase, again
        self._products[phase] = self._products.get(phase, NOTHING).plus(work)

    def products(self, forward: str, backward: str) -> Products:
        """Multiply-adds of a phase of the forward pass and of the phase that brings back its gradients."""
        passes = (forward, False), (backward, True), (backward, False)
        return Products(*(self._products.get(phase, NOTHING) for phase in passes))

    def free(self, storage: Storage) -> None:
        """A storage's last reference is gone."""
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
        self._look()

    def peaks(self, phase: str) -> list[Moment]:
        """The moments of a phase that can be the largest at some batch size and length."""
        if self._rising:
            self._look()
        return self._peaks.get(phase, [])

    def alive(self) -> Mapping[str, Form]:
        """What is alive now, by term."""
        return {term: Form(*size) for term, size in self._terms.items() if any(size)}

    def _look(self) -> None:
        self._rising = False
        total = Form(self._fixed, self._per_token, self._per_pair)
        peaks = self._peaks.setdefault(self._phase, [])
        for peak in peaks:
            if peak.total.covers(total):
                return
        peaks[:] = [peak for peak in peaks if not total.covers(peak.total)]
        peaks.append(Moment(self._phase, total, self.alive()))


NOTHING = Form()


class Storage:
    """Bytes on the device; they are counted while anything refers to them."""

    __slots__ = ("ledger", "size", "term")

    def __init__(self, ledger: Ledger, size: Form, term: str) -> None:
        self.ledger, self.size, self.term = ledger, size, term
        ledger.allocate(self)

    def __del__(self) -> None:
        self.ledger.free(self)
