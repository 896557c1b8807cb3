"""What the allocator of a process reserves, from replays of what it is asked for.

Each replay is one order of the rows and one way of loading, of which neither is known. Within the GPU's memory the
allocator keeps what it has; beyond that it gives free segments back before it fails, which a replay does too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import cycle
from math import floor
from typing import NamedTuple

from hbspec.estimators.constants import MemoryConstants
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.process import Circumstances
from hbspec.estimators.step.replay import Updates, history_of
from hbspec.estimators.step.sharded import units_of
from hbspec.estimators.step.sharding import gathers
from hbspec.estimators.training.draws import records, rising, updates
from hbspec.estimators.training.reserved import Surroundings, beside_bytes
from hbspec.estimators.training.tensors import Tensors, activation_error, loading_tensors
from hbspec.plan import Plan
from hbspec.units import Interval

REPLAY_ERROR = 0.08
"""Half-width of a replayed reserve, as a share of its bytes that come and go: scratch memory of kernels, and another
order of requests than here. FitCheck on a T4: 64 of 67 rows within it, all within 0.18."""

HELD = 2
"""How often what lasts may be reserved: in pieces that fit into none that are free."""
BESIDE = 6
"""How often what lasts beside what was loaded may be reserved, such as a layer that is gathered: its shards of all
ranks, the whole of it, and that of the next. Of the catalog's sparse models under FSDP2, the adapters of
Qwen3.5-397B-A17B reserve most: four times, with rows of 20 tokens."""
AMPLE = {True: (2, 3), False: (7, 12)}
"""No process reserves more than so many times what comes and goes, by whether all rows have one length: beside `HELD`
times what lasts or is loaded, and beside what loading reserves. `python benchmarks/ample_room.py --jobs 300 --seed 3`
draws jobs from the catalog's models, methods, lengths and ways of sharing, and prints the most that any reserves."""
AMPLE_SEGMENTS = 64 << 20
"""Segments that are opened for whatever little is asked for: of 2 and of 20 MiB, and for cuBLAS' workspaces."""

Orders = Sequence[Updates]


Ways = tuple[tuple[bool, bool], ...]
"""Ways of loading, as `warm` and `together` of `Circumstances`."""

Asked = tuple[Updates, Circumstances]
"""What is replayed."""

Replayed = tuple[int, Updates, Circumstances]
"""Bytes reserved, and what was replayed."""


class Rows(NamedTuple):
    """What is replayed.

    Attributes:
        alike: whether all rows have one length.
        least: with the shortest lengths that are possible, the order that reserves least.
        expected: with the expected lengths, a random order.
        most: with the longest lengths, rows that become longer and longer; under eager attention a random order too.
    """

    alike: bool
    least: Orders
    expected: Orders
    most: Orders


def rows_of(plan: Plan, tokens: Interval) -> Rows:
    """The rows of a plan.

    Where lengths differ, least is reserved if the longest row comes first, as every other then fits into its blocks,
    and mostly most if rows become longer and longer (`rising`).

    Args:
        plan: the plan.
        tokens: of the longest row.
    """
    training, accumulates = plan.training, plan.training.gradient_accumulation > 1
    lengths = plan.lengths.cut(training.max_length)

    def followed(*orders: tuple[int, ...]) -> Orders:
        return [updates(order, accumulates=accumulates) for order in orders]

    low, expected, high = (max(1, round(end)) for end in (tokens.low, tokens.expected, tokens.high))
    if training.packing or lengths.mean.expected == lengths.longest.expected:
        fixed = [followed((end,)) for end in (low, expected, high)]
        return Rows(True, *fixed)

    def drawn(longest: int) -> tuple[int, ...]:
        return records(lengths, longest, training.micro_batch, _micro_batches(plan), seed=0)

    # rising rows reserve at least what random orders do, but where scores of all sizes are kept
    others = [drawn(high)] if training.kernel == "eager" else []
    return Rows(False, followed((low,)), followed(drawn(expected)), followed(*others, rising(high)))


def _micro_batches(plan: Plan) -> int:
    """How many micro-batches a GPU computes; where that is not known, so many that more hardly matter."""
    counts = plan.counts
    return counts.optimizer_steps * plan.training.gradient_accumulation if counts else 10**6


class Replays:
    """Replays of one GPU.

    Attributes:
        unknown: bytes by which a reserve may be off.
        beside: bytes of the process that the allocator does not see.

    Args:
        job: the job.
        stage: what the GPU computes on.
        rows: what is replayed.
        tensors: those of the GPU at their peak.
        around: the GPU, and how the ranks share the work.
        constants: sizes of the context and the communicators.
    """

    def __init__(
        self, job: Job, stage: Stage, rows: Rows, tensors: Tensors, around: Surroundings, constants: MemoryConstants
    ) -> None:
        self._job, self._rows, self._peak, self._usable = job, rows, tensors.peak.expected, around.usable
        self._stage, self._tensors = stage, tensors
        self._history = history_of(job, stage)
        passing = tensors.moment.total - tensors.lasting + tensors.freed
        own = tensors.error + activation_error(job) * tensors.freed + ahead_bytes(job, stage)
        self.unknown, self.beside = REPLAY_ERROR * passing + own, beside_bytes(around, constants)

    def reserved(self) -> Interval:
        """Bytes as reported by `torch.cuda.max_memory_reserved`."""
        most, middle = self._most, self._free[len(self._free) // 2]
        low, expected, high = self._least[0][0] - self.unknown, middle[0], most[0] + self.unknown
        if self._usable is not None and not self._has_room:
            # what gives free segments back and stays within the GPU takes no more than that; what does not needs more
            high = self._usable - self.beside.high
            expected = self._needed(middle, floor(self._usable - self.beside.expected))
            if self.fits():
                expected = min(expected, floor(high))
            else:
                high = max(high, self._needed(most, self._room) + self.unknown)
        return Interval(min(low, expected), expected, max(high, expected)).map(round)

    @property
    def alike(self) -> bool:
        """Whether all rows have one length."""
        return self._rows.alike

    @property
    def _held(self) -> float:
        """`HELD` times the bytes that last or are loaded, and a few segments."""
        loaded = loading_tensors(self._job, self._stage).peak.high if gathers(self._job) else 0
        return HELD * max(self._tensors.lasting, loaded) + AMPLE_SEGMENTS

    @property
    def _passing(self) -> float:
        """Bytes that come and go at the peak, or went before it."""
        return self._tensors.peak.high - self._tensors.lasting + self._tensors.freed

    def apart(self) -> Iterator[tuple[float, float]]:
        """Bytes reserved in any order, and those of which `AMPLE` are: by what is held, and by what is loaded."""
        yield self._held, self._passing
        processes = [self._history.loaded(self._around(way)) for way in loadings(self._job)]
        beside = max(0, self._tensors.lasting - min(process.allocated for process in processes))
        yield max(process.reserve() for process in processes) + BESIDE * beside + AMPLE_SEGMENTS, self._passing

    def bounds(self) -> Iterator[float]:
        """Bytes that no order of the rows reserves more than, those that take least time first."""
        for (kept, passing), times in zip(self.apart(), AMPLE[self.alike], strict=True):
            yield kept + times * passing

    def has_ample_room(self, pages: int = 0) -> bool:
        """Whether a process stays within the GPU in any order, beside pages of so many bytes."""
        return self._usable is None or any(bound + pages <= self._room for bound in self.bounds())

    def fits(self) -> bool:
        """Whether a process stays within the GPU in the order that reserves most.

        Which order that is matters only if some stay within and others do not.
        """
        if self.has_ample_room():
            return True
        first, *others = (self._stays(one) for one in (*self._given_free, *self._given_most))
        if all(one == first for one in others):
            return first
        return self._stays(self._most[1:])

    def _stays(self, one: Asked) -> bool:
        updates, around = one
        return self._history.reserve(updates, around._replace(capacity=self._room)) <= self._room

    @property
    def _room(self) -> int:
        return floor((self._usable or 0) - self.beside.high - self.unknown)

    @property
    def _has_room(self) -> bool:
        return self._usable is None or self._most[0] <= self._room

    @cached_property
    def _least(self) -> list[Replayed]:
        return self._replayed(self._given(self._rows.least, loadings(self._job)))

    @cached_property
    def _most(self) -> Replayed:
        return max(self._replayed(self._given_most)[-1], self._free[-1])

    @cached_property
    def _free(self) -> list[Replayed]:
        return self._replayed(self._given_free)

    @cached_property
    def _given_most(self) -> list[Asked]:
        ways = loadings(self._job)
        if (
            gathers(self._job) and len(ways) > 1
        ):  # one of the ways, since they differ by much, and a replay takes longer
            widest = self._least[-1][2]
            ways = ((widest.warm, widest.together),)
        return self._given(self._rows.most, ways)

    @cached_property
    def _given_free(self) -> list[Asked]:
        ways = loadings(self._job)
        return self._given(self._rows.expected, ways[:1] if gathers(self._job) else ways)

    def _given(self, orders: Orders, ways: Ways) -> list[Asked]:
        """The orders as they are replayed, each with all ways of loading if that takes no long time."""
        if self.alike or gathers(self._job):
            tried = [(order, way) for order in orders for way in ways]
        else:
            tried = list(zip(orders, cycle(ways)))
        return [(order, self._around(way)) for order, way in tried]

    def _around(self, way: tuple[bool, bool]) -> Circumstances:
        whole = self.alike or self._job.program.attention == "eager"
        return Circumstances(None, self._job.allocator.expandable, whole, *way)

    def _replayed(self, given: Sequence[Asked]) -> list[Replayed]:
        """What is reserved each time, the least first."""
        return sorted((self._history.reserve(*one), *one) for one in given)

    def _needed(self, one: Replayed, capacity: int) -> int:
        return self._history.needed(*one[1:], capacity, at_least=round(self._peak))


def loadings(job: Job) -> Ways:
    """Ways of loading, as `warm` and `together` of `Circumstances`; the usual one first where several may be so.

    Quantised weights may be put into one segment. Where weights are shared, they may all be on the GPU before.
    """
    together = ((True, True), (False, True))
    if not gathers(job):
        return ((False, False), (True, False)) if job.training.quantization else ((False, False),)
    if job.loads_whole is None:
        return ((False, False), *together)
    if not job.training.quantization:
        return ((False, job.loads_whole),)  # moved there one by one
    return together if job.loads_whole else ((False, False),)


def ahead_bytes(job: Job, stage: Stage) -> int:
    """A gathered unit more or less: how far the host runs ahead of the GPU decides how many are there at once."""
    return max(sum(unit.gathered) for unit in units_of(job, stage)[:-1]) if gathers(job) and stage.layers else 0
