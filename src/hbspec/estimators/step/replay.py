"""Replays of a training process on one GPU: how much it reserves, and with how little it does not fail.

A replay is deterministic, so each is made once, and what several begin with is made once for all of them.
"""

from __future__ import annotations

from functools import lru_cache

from hbspec.estimators.step.allocator import OutOfMemoryError
from hbspec.estimators.step.blueprint import Blueprint
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.process import Circumstances, Process

LEAST_ERROR = 0.05
"""How far above the least capacity the one that is found may be."""

Updates = tuple[tuple[int, ...], ...]
"""By update and micro-batch, the tokens of each row."""


Reserves = dict[tuple[Updates, Circumstances], int]
"""The most bytes that processes reserved, by their rows and circumstances."""


class History:
    """What was replayed of a blueprint.

    Args:
        blueprint: what it runs.
        reserves: what is known of it, to which is added; nothing by default.
    """

    def __init__(self, blueprint: Blueprint, reserves: Reserves | None = None) -> None:
        self._blueprint = blueprint
        self._loaded: dict[Circumstances, Process] = {}
        self._starts: dict[tuple[Updates, Circumstances], list[Process]] = {}
        self._reserves: Reserves = {} if reserves is None else reserves

    def reserve(self, updates: Updates, around: Circumstances) -> int:
        """What `replay` tells; where memory suffices, its limit changes nothing."""
        free = around._replace(capacity=None)
        known = self._reserves.get((updates, free))
        if known is not None and (around.capacity is None or known <= around.capacity):
            return known
        found = self._reserves.get((updates, around))
        if found is None:
            try:
                process = self._run(updates, around)
            except OutOfMemoryError as out:
                found = self._reserves[updates, around] = out.needed
            else:
                found = self._reserves[updates, around] = process.reserve()
                if not process.bound:
                    self._reserves[updates, free] = found
        return found

    def loaded(self, around: Circumstances) -> Process:
        """A process that has loaded its weights, with as much memory as it asks for."""
        free = around._replace(capacity=None)
        if free not in self._loaded:
            self._loaded[free] = Process(self._blueprint, free)
            self._loaded[free].load()
        return self._loaded[free]

    def needed(self, updates: Updates, around: Circumstances, capacity: int, *, at_least: int) -> int:
        """Bytes that a process reserves within a capacity, or else the least with which it does not run out of memory.

        The latter is at most `LEAST_ERROR` too large.

        Args:
            updates: the rows.
            around: the circumstances.
            capacity: what there is.
            at_least: bytes of its tensors.
        """
        enough = self.reserve(updates, around)
        if capacity >= at_least:
            within = self.reserve(updates, around._replace(capacity=capacity))
            if within <= capacity:
                return within
        short = max(capacity, at_least)
        while enough > short * (1 + LEAST_ERROR):
            middle = (short + enough) // 2
            if self.reserve(updates, around._replace(capacity=middle)) <= middle:
                enough = middle
            else:
                short = middle
        return enough

    def _run(self, updates: Updates, around: Circumstances) -> Process:
        """A process at its end."""
        process, made = self._start(updates, around)
        starts = self._starts[updates, around._replace(capacity=None)]
        for number in range(made, len(updates)):
            process.update(updates[number], first=number == 0)
            if len(starts) == number + 1 and not process.bound:
                starts.append(process.fork(around))
        process.evaluate(max(map(max, updates)))
        return process

    def _start(self, updates: Updates, around: Circumstances) -> tuple[Process, int]:
        """A process that has made the first updates, and how many: as many as its limit changes nothing about."""
        free = around._replace(capacity=None)
        starts = self._starts.setdefault((updates, free), [self.loaded(around)])
        for made in reversed(range(len(starts))):
            if around.capacity is None or starts[made].most <= around.capacity:
                return starts[made].fork(around), made
        process = Process(self._blueprint, around)
        process.load()
        return process, 0


@lru_cache(maxsize=64)  # a search comes back to what other types of instances ran
def history_of(job: Job, stage: Stage) -> History:
    """What was replayed of a stage."""
    return History(Blueprint(job, stage), _reserves_of(job, stage))


@lru_cache(maxsize=1024)  # numbers, which take little memory; processes and blueprints take much
def _reserves_of(_job: Job, _stage: Stage) -> Reserves:
    """What is known of a stage, which outlives its history."""
    return {}


def replay(blueprint: Blueprint, updates: Updates, around: Circumstances) -> int:
    """The most bytes that a process reserved; above its capacity if it ran out of memory.

    Args:
        blueprint: what it runs.
        updates: the rows.
        around: the circumstances.
    """
    return History(blueprint).reserve(updates, around)
