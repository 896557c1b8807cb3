"""What excludes many plans at once: no price, another training, and errors of rules that read few of the axes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator

from hbspec.diagnostics import NotKnownError
from hbspec.search.choice import Arrangement, Choice, Fleet, Place, Placement
from hbspec.search.floors import Floors
from hbspec.search.judging import TRAINING, UNKNOWN, first_found, is_error
from hbspec.search.sameness import trained_otherwise
from hbspec.search.space import Space

PRICE = "price"

BY_WAY = ("HB103", "HB106", "HB123", "HB124", "HB128", "HB263")
"""Rules whose errors follow from the GPU's name and the way of sharing the work."""

BY_KERNEL = ("HB104", "HB223", "HB228", "HB266")
"""Rules whose errors follow from the GPU's name and the attention kernel."""


class Gates:
    """The groups of plans of a space that nothing excludes at once.

    Args:
        space: the plans.
        floors: their bounds, which know the prices.

    Attributes:
        plans: the number of plans seen so far.
        rejected: how many of them are excluded, by reason.
    """

    def __init__(self, space: Space, floors: Floors) -> None:
        self._space, self._floors = space, floors
        self._excluded: dict[Hashable, str | None] = {}
        self.plans, self.rejected = 0, Counter[str]()

    def groups(self) -> Iterator[Arrangement]:
        """The groups that remain."""
        for machine in self._space.machines():
            priced = machine._replace(places=tuple(self._priced(machine)))
            for variant in range(len(self._space.variants)):
                for way in self._space.ways(machine):
                    yield from self._of_way(variant, machine, priced, way)

    def _of_way(self, variant: int, machine: Fleet, priced: Fleet, way: Placement) -> Iterator[Arrangement]:
        batches = self._space.batches(machine, way)
        if not batches:
            return
        for attention in self._space.kernels(machine):
            for checkpointing in self._space.recomputed():
                whole = Arrangement(variant, machine, way, checkpointing, attention, batches)
                group = whole._replace(machine=priced)
                self.plans += whole.plans
                self._reject(PRICE, whole.plans - group.plans)
                if not group.plans:
                    continue
                reason = self._reason(group)
                if reason is None:
                    yield group
                else:
                    self._reject(reason, group.plans)

    def _reject(self, reason: str, plans: int) -> None:
        if plans:
            self.rejected[reason] += plans

    def _priced(self, machine: Fleet) -> Iterator[Place]:
        for there in machine.places:
            try:
                self._floors.price(machine, there)
            except NotKnownError:
                continue
            yield there

    def _reason(self, group: Arrangement) -> str | None:
        """Why all plans of a group are rejected, if they are."""
        gpu, variant = (group.machine.gpu, group.machine.type is None), group.variant
        return self._once(("way", variant, gpu, group.way), group, BY_WAY) or self._once(
            ("kernel", variant, gpu, group.attention), group, BY_KERNEL
        )

    def _once(self, key: Hashable, group: Arrangement, codes: tuple[str, ...]) -> str | None:
        if key not in self._excluded:
            self._excluded[key] = self._asked(group, codes)
        return self._excluded[key]

    def _asked(self, group: Arrangement, codes: tuple[str, ...]) -> str | None:
        """The first error of some rules about a plan of the group; or that it trains otherwise."""
        analysis = self._space.planned(Choice(group, group.batches[0], group.machine.places[0]))
        try:
            if trained_otherwise(self._space.base_plan(group.variant), analysis.plan):
                return TRAINING
        except NotKnownError:
            return UNKNOWN
        return first_found(analysis, codes, is_error)
