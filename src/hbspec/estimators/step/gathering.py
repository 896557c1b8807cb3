"""Which parameters ZeRO-3 holds whole, module by module: DeepSpeed's coordinator, replayed.

DeepSpeed 0.19.8, `runtime/zero/partitioned_param_coordinator.py`, from the third micro-batch on, when it knows the
order of modules:

- A module's parameters are gathered before it runs (`fetch_sub_module`).
- Then parameters of later modules are: at every module at most `prefetch_bucket` elements, the last parameter whole,
  and none once `max_live` elements are gathered. Prefetching so runs ahead until about `max_live` elements are there.
- After it has run, they are freed (`release_sub_module`), unless they persist, were skipped by the prefetch, or are
  used again before `reuse_distance` elements of other modules have passed (`__params_to_release`).

Parameters that are gathered together lie in one flat buffer, are copied out of it, and the buffer is freed only when
the last of them is used (`AllGatherCoalescedHandle`). Compared with DeepSpeed's own run on two CPU ranks by a test.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple


class GatheredParameter(NamedTuple):
    """A parameter as it is stored: its number of elements, and the bytes of all of them."""

    elements: int
    size: int
    persists: bool = False


class Limits(NamedTuple):
    """DeepSpeed's limits, in elements: see the module."""

    prefetch_bucket: int
    max_live: int
    reuse_distance: int


class GatherStep(NamedTuple):
    """A module that runs: the numbers of its own parameters.

    `backward` says whether the backward pass has begun, in which layers are computed again too.
    """

    parameters: tuple[int, ...]
    backward: bool


class Live(NamedTuple):
    """What is gathered at a moment: elements of parameters, and bytes with the flat buffers that they came in."""

    elements: int
    size: int


class Gathered(NamedTuple):
    """Bytes of whole parameters beside the partitions, without those that persist.

    Attributes:
        forward: at the end of the forward pass, when the last module has run.
        backward: at most, at any module of the backward pass.
    """

    forward: int
    backward: int


def gathered(parameters: Sequence[GatheredParameter], steps: Sequence[GatherStep], limits: Limits) -> Gathered:
    """What a forward and backward pass over `steps` holds gathered."""
    live = held(parameters, steps, limits)
    turn = next((at for at, step in enumerate(steps) if step.backward), len(steps))
    return Gathered(forward=live[turn - 1].size, backward=max((one.size for one in live[turn:]), default=0))


def held(parameters: Sequence[GatheredParameter], steps: Sequence[GatherStep], limits: Limits) -> list[Live]:
    """What is gathered while each of the modules runs."""
    coordinator = _Coordinator(parameters, steps, limits)
    return [coordinator.run(at) for at in range(len(steps))]


class _Group:
    """Parameters that one call gathers: `waiting` are those that no module has used yet."""

    def __init__(self, members: Sequence[int], size: int) -> None:
        self.waiting, self.size, self.flat, self.arrived = set(members), size, len(members) > 1, False


class _Coordinator:
    def __init__(self, parameters: Sequence[GatheredParameter], steps: Sequence[GatherStep], limits: Limits) -> None:
        self.parameters, self.steps, self.limits = parameters, steps, limits
        self.queue = deque((number, at) for at, step in enumerate(steps) for number in step.parameters)
        self.fetched_for = [-1] * len(parameters)
        self.groups: dict[int, _Group] = {}
        self.whole = {number for number, one in enumerate(parameters) if one.persists}
        self.available = self.live = 0
        self.passed, self.next_use = self._uses()

    def _uses(self) -> tuple[list[int], list[dict[int, int]]]:
        """Elements of all modules before each step, and where each parameter of a step is used again."""
        passed = [0]
        for step in self.steps:
            passed.append(passed[-1] + sum(self.parameters[number].elements for number in step.parameters))
        later: dict[int, int] = {}
        uses: list[dict[int, int]] = []
        for at in reversed(range(len(self.steps))):
            uses.append({number: later[number] for number in self.steps[at].parameters if number in later})
            later |= dict.fromkeys(self.steps[at].parameters, at)
        return passed, uses[::-1]

    def run(self, at: int) -> Live:
        """What is gathered while a module runs."""
        wanted = self.steps[at].parameters
        self._gather([number for number in wanted if number not in self.whole])
        for number in wanted:
            self._use(number)
        self._skip([number for number in wanted if self.fetched_for[number] < at])
        self._prefetch()
        live = Live(self.available, self.live)
        for number in wanted:
            self._release(number, at)
        return live

    def _gather(self, numbers: Sequence[int]) -> None:
        if not numbers:
            return
        group = _Group(numbers, sum(self.parameters[number].size for number in numbers))
        self.groups |= dict.fromkeys(numbers, group)
        self.whole |= set(numbers)
        self.available += sum(self.parameters[number].elements for number in numbers)
        self.live += group.size

    def _use(self, number: int) -> None:
        group = self.groups.pop(number, None)
        if group is None:
            return
        if group.flat and not group.arrived:
            self.live += group.size
        group.arrived = True
        group.waiting.discard(number)
        if group.flat and not group.waiting:
            self.live -= group.size

    def _skip(self, numbers: Sequence[int]) -> None:
        """Takes what a module uses from the front of the queue, where no prefetch has."""
        for _ in numbers:
            number, step = self.queue.popleft()
            self.fetched_for[number] = step

    def _prefetch(self) -> None:
        room = min(self.limits.max_live - self.available, self.limits.prefetch_bucket)
        chosen: dict[int, None] = {}
        elements = 0
        while self.queue and elements < room:
            number, step = self.queue.popleft()
            self.fetched_for[number] = max(self.fetched_for[number], step)
            if number not in self.whole and number not in chosen:
                chosen[number] = None
                elements += self.parameters[number].elements
        self._gather(tuple(chosen))

    def _release(self, number: int, at: int) -> None:
        again = self.next_use[at].get(number)
        reused = again is not None and self.passed[again] - self.passed[at + 1] < self.limits.reuse_distance
        if self.parameters[number].persists or reused or self.fetched_for[number] > at + 1:
            return
        if number in self.whole:
            self.whole.discard(number)
            self.available -= self.parameters[number].elements
            self.live -= self.parameters[number].size
