"""Bounds of a plan that are found without planning it: it takes no less time, costs no less, and leaves no more free.

They rest on laws, each of which a test holds against the estimates:

- a micro-batch takes no less time than on its GPU alone (`hbspec.estimators.job.least`), and an update none;
- what is around the steps depends on the instance type, and on whether each of its GPUs has a process;
- spot adds time, and never takes any away;
- tensors grow with the rows of a micro-batch, and where gradients are accumulated, and shrink with the ranks, from two,
  among which they are cut.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from typing import NamedTuple, TypeVar

from hbspec.diagnostics import NotKnownError, known
from hbspec.estimators.constants import SPOT_SHARE
from hbspec.estimators.job.least import least_micro_batch
from hbspec.estimators.job.phases import phases_around_steps
from hbspec.estimators.job.time import NOT_BILLED
from hbspec.estimators.training.headroom import headroom
from hbspec.plan import Plan
from hbspec.plan.counts import micro_batches_per_epoch, micro_batches_processed
from hbspec.plan.parallelism import PARALLELISMS
from hbspec.search.choice import Arrangement, Batch, Choice, Fleet, Place
from hbspec.search.request import ENDS
from hbspec.search.space import Space
from hbspec.units import HOUR, Money

T = TypeVar("T")

SLACK = 1 - 1e-9
"""What a sum of floating-point numbers may be off by."""


class Least(NamedTuple):
    """The least cost in the currency of the bill, and the least seconds from the request to the result."""

    amount: float
    seconds: float


class Floors:
    """The bounds of the plans of a space, each part of which is calculated once.

    Args:
        space: the plans.
    """

    def __init__(self, space: Space) -> None:
        self._space, self._end = space, ENDS[space.request.confidence]
        self._known: dict[Hashable, object] = {}

    def least(self, group: Arrangement, batches: Iterable[Batch], places: Iterable[Place]) -> Least:
        """The least cost and the least seconds of plans with one of these batches in one of these places.

        Raises:
            NotKnownError: an input of the estimates, or the price of a place, is not known.
        """
        waiting, around = self._around(group)
        computing = min(self._computing(group, batch) for batch in batches)
        hourly = min(self.price(group.machine, place) for place in places) * group.machine.number
        billed = around + computing
        return Least(SLACK * billed / HOUR * hourly, SLACK * (waiting + billed))

    def price(self, machine: Fleet, place: Place) -> float:
        """The price of one hour of an instance in the currency of the bill, of spot the share that is compared.

        Raises:
            NotKnownError: the price or its exchange rate is not known.
        """
        return self._once(("price", machine.type, place), lambda: self._price(machine, place))

    def headroom(self, group: Arrangement, batch: Batch) -> float:
        """The share of the fullest GPU that a plan certainly leaves free.

        Raises:
            NotKnownError: its memory is not known.
        """
        accumulates = batch.accumulation > 1
        key = ("headroom", *self._gpu(group), group.checkpointing, group.attention, batch.rows, accumulates)
        return self._once(key, lambda: headroom(self._planned(group, batch)))

    def most_headroom(self, group: Arrangement) -> float:
        """A share that no plan of the group exceeds: that of its fewest rows, not accumulated if any of it is not.

        Raises:
            NotKnownError: as `headroom`.
        """
        rows = min(batch.rows for batch in group.batches)
        return self.headroom(group, Batch(rows, min(2, *(batch.accumulation for batch in group.batches))))

    def most_headroom_anywhere(self, group: Arrangement) -> float:
        """A share that no plan with these GPUs, this way and these kernels exceeds, however many ranks there are.

        Raises:
            NotKnownError: as `headroom`.
        """
        way = PARALLELISMS[group.way.parallelism]
        alone = self._space.ranks(group.machine, group.way) == 1  # which gathers nothing
        if not way.sharded or group.way.sharding == "none" or alone:
            return self.most_headroom(group)
        widest = self._once(("widest", group.machine.gpu), lambda: self._widest(group))
        return self.headroom(group._replace(machine=widest), Batch(1, 1))

    def usable(self, group: Arrangement) -> int:
        """Bytes that can be used on its GPUs.

        Raises:
            NotKnownError: they are not known.
        """
        machine = group.machine

        def found() -> int:
            hardware = self._planned(group, group.batches[0]).require("hardware")
            return known(hardware.gpu.usable_bytes, "the usable memory of the GPU")

        return self._once(("usable", machine.gpu, machine.type is None), found)

    def _widest(self, group: Arrangement) -> Fleet:
        """The machine with the most of these GPUs, of those the one with the most in one instance."""
        alike = [machine for machine in self._space.machines() if machine.gpu == group.machine.gpu]
        return max(alike, key=lambda machine: (machine.gpus * machine.number, machine.gpus))

    def _computing(self, group: Arrangement, batch: Batch) -> float:
        plan = self._space.base_plan(group.variant)
        if plan.between is not None:
            return 0.0
        counts, ranks = plan.require("counts"), self._space.ranks(group.machine, group.way)
        back, forward = self._micro_batch(group, batch)
        steps = micro_batches_processed(counts.optimizer_steps, counts.rows, batch.rows, batch.accumulation, ranks)
        found = back * steps
        if plan.evaluations and plan.validation_examples and plan.training.eval_batch is not None:
            size = batch.rows if self._evaluates_as_it_trains else plan.training.eval_batch
            found += forward * plan.evaluations * micro_batches_per_epoch(plan.validation_examples, size, ranks)
        return found

    @property
    def _evaluates_as_it_trains(self) -> bool:
        """Whether an evaluation's micro-batch is that of the steps."""
        spec = self._space.analysis.spec
        return spec.shipped and spec.hyperparameters.per_device_eval_batch_size is None

    def _micro_batch(self, group: Arrangement, batch: Batch) -> tuple[float, float]:
        """The least seconds of a micro-batch with its gradients, and of one of an evaluation with as many rows."""
        way, accumulates = group.way, batch.accumulation > 1
        alone = self._space.ranks(group.machine, way) == 1  # where nothing is cut, autocast has copies to make
        alike = (group.variant, group.machine.gpu, way.parallelism, way.sharding, group.checkpointing, group.attention)

        def found() -> tuple[float, float]:
            plan = self._planned(group, batch)
            forward = least_micro_batch(plan, self._end, backward=False) if self._evaluates_as_it_trains else 0.0
            return least_micro_batch(plan, self._end, backward=True), forward

        return self._once(("micro-batch", *alike, alone, batch.rows, accumulates), found)

    def _around(self, group: Arrangement) -> tuple[float, float]:
        """Seconds around the steps: what is not billed, and what is."""

        def found() -> tuple[float, float]:
            phases = phases_around_steps(self._planned(group, group.batches[0]))
            seconds = {name: getattr(took, self._end) for name, took in phases.items()}
            waiting = sum(took for name, took in seconds.items() if name in NOT_BILLED)
            return waiting, sum(seconds.values()) - waiting

        one_process = not PARALLELISMS[group.way.parallelism].distributed  # of which each reads the data it streams
        return self._once(("around", group.variant, group.machine.type, one_process), found)

    def _price(self, machine: Fleet, place: Place) -> float:
        price = self._space.price(machine, place)
        if price is None:
            raise NotKnownError(f"the price of {machine.type} in {place.region}")
        share = getattr(SPOT_SHARE, self._end) if place.spot else 1.0
        spread = price.spread[1] if self._end == "high" else Decimal(1)
        rate = self._space.analysis.plan.currencies.convert(Money(price.rate.per_hour * spread, price.rate.currency))
        return float(rate.amount) * float(share)

    def _gpu(self, group: Arrangement) -> tuple[Hashable, ...]:
        """What a GPU's memory follows from beside the batch and the kernels."""
        machine, way = group.machine, group.way
        kind = PARALLELISMS[way.parallelism]
        cut = self._space.ranks(machine, way) if kind.sharded and way.sharding != "none" else 0
        inside = machine.gpus if kind.splits_layers or way.sharding == "hybrid" else 0
        return group.variant, machine.gpu, machine.type is None, way, cut, inside

    def _planned(self, group: Arrangement, batch: Batch) -> Plan:
        return self._space.planned(Choice(group, batch, group.machine.places[0])).plan

    def _once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is calculated for a key, or the reason why it is not known."""
        if key not in self._known:
            try:
                self._known[key] = make()
            except NotKnownError as reason:
                self._known[key] = reason
        found = self._known[key]
        if isinstance(found, NotKnownError):
            raise found
        return found  # type: ignore[return-value]
