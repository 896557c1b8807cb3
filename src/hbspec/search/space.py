"""Every plan that trains the same: instances x placement x batches x recomputation x attention kernels x spot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from hbspec.analysis import Analysis
from hbspec.analysis.change import Change
from hbspec.catalog import InstanceType
from hbspec.plan import Plan, UnitPrice
from hbspec.plan.money import unit_price
from hbspec.plan.parallelism import PARALLELISMS, Parallelism
from hbspec.search.choice import Arrangement, Batch, Choice, Fleet, Place, Placement
from hbspec.search.request import Request
from hbspec.search.settings import settings_of

EXACT = ("sdpa", "flash_attention_2", "eager")
"""Attention kernels that calculate the same up to rounding."""

SHARDINGS = ("full", "hybrid", "none")


class Space:
    """The plans of a spec.

    The effective batch is the spec's, so the ranks divide it, and the number of updates stays. `variants` are the
    changes that train otherwise, the first of which changes nothing.

    Left out: several changes of `tensor_parallel`, of FSDP's version or of whether it gathers again, other DeepSpeed
    settings than the author's, and other kernels where packed rows are joined, which only some keep apart.
    """

    def __init__(self, analysis: Analysis, request: Request, variants: Iterable[Change]) -> None:
        self.analysis, self.request, self.variants = analysis, request, tuple(variants)
        self.bases = tuple(replace(analysis, spec=variant.applied(analysis.spec)) for variant in self.variants)

    def machines(self) -> list[Fleet]:
        """The instances that may be rented, by type and count; a type is offered in at least one region."""
        spec, keeps = self.analysis.spec, self.request.kept
        here = spec.instance
        if here.type is None:
            hardware = self.analysis.plan.require("hardware")
            alone = (Place(here.region, here.spot),)
            return [Fleet(None, here.count, hardware.gpu.name, hardware.gpus_per_instance, alone)]
        counts = (here.count,) if keeps("count") else range(1, max(here.count, self.request.most_instances) + 1)
        return [
            Fleet(row.name, count, str(row.gpu), row.gpus, places)
            for row in self._types()
            if (places := tuple(self._places(row)))
            for count in counts
        ]

    def _types(self) -> list[InstanceType]:
        instances, here = self.analysis.catalog.instances, self.analysis.spec.instance.type
        kept = self.request.kept("type")
        rows = (instances[name] for name in sorted(instances) if not kept or name == here)
        return [row for row in rows if row.gpus and row.gpu in self.analysis.catalog.gpus and (row.training or kept)]

    def _places(self, row: InstanceType) -> Iterator[Place]:
        here = self.analysis.spec.instance
        regions = self.request.regions if self.request.regions and not self.request.kept("region") else (here.region,)
        for region in sorted(dict.fromkeys(regions), key=str):
            if region in (row.regions or ()) or (row.name == here.type and region == here.region):
                for spot in (here.spot,) if self.request.kept("spot") else (False, True):
                    yield Place(region, spot)

    def ways(self, machine: Fleet) -> Iterator[Placement]:
        """How its GPUs can share the job."""
        plan, keeps = self.analysis.plan, self.request.kept
        own_json = self.analysis.spec.instance.deepspeed is not None
        for way in PARALLELISMS.values():
            if (own_json or keeps("parallelism")) and way.name != plan.parallelism:
                continue
            for sharding in SHARDINGS if way.takes_strategy else (None,):
                for offload in _offloads(way, sharding):
                    if keeps("sharding") and plan.sharding not in (None, sharding):
                        continue
                    if (own_json or keeps("offload")) and offload != plan.offload:
                        continue
                    found = Placement(way.name, sharding, offload)
                    if found == self.current.group.way or _works(found, machine):
                        yield found

    def batches(self, machine: Fleet, way: Placement) -> tuple[Batch, ...]:
        """The divisions of the effective batch, by rows; empty where the ranks do not divide it."""
        plan, keeps = self.analysis.plan, self.request.kept
        ranks = self.ranks(machine, way)
        effective = plan.require("effective_batch_size")
        if not ranks or effective % ranks:
            return ()
        rows = effective // ranks
        found = (Batch(size, rows // size) for size in range(1, rows + 1) if rows % size == 0)
        now = Batch(plan.training.micro_batch, plan.training.gradient_accumulation)
        return tuple(
            batch
            for batch in found
            if (not keeps("rows") or batch.rows == now.rows)
            and (not keeps("accumulation") or batch.accumulation == now.accumulation)
        )

    def ranks(self, machine: Fleet, way: Placement) -> int:
        """The data-parallel ranks; 0 where `tensor_parallel` does not divide the GPUs."""
        if not PARALLELISMS[way.parallelism].distributed:
            return 1 if machine.number == 1 or machine == self.current.group.machine else 0
        gpus, each = machine.gpus * machine.number, self.analysis.plan.tensor_parallel
        return 0 if gpus % each else gpus // each

    def recomputed(self) -> tuple[bool, ...]:
        """The values of gradient checkpointing."""
        now = self.analysis.plan.training.gradient_checkpointing
        return (now,) if self.request.kept("checkpointing") else (False, True)

    def kernels(self, machine: Fleet) -> tuple[str, ...]:
        """The attention kernels that the GPU runs, and the spec's own."""
        training = self.analysis.plan.training
        if self.request.kept("attention") or training.joined or training.attention not in EXACT:
            return (training.attention,)
        flash = self.analysis.catalog.gpus[machine.gpu].flash_attention_2 if machine.type else True
        return tuple(sorted(kernel for kernel in EXACT if flash or kernel != "flash_attention_2"))

    @cached_property
    def current(self) -> Choice:
        """The spec's own plan."""
        plan, here = self.analysis.plan, self.analysis.spec.instance
        hardware, training = plan.require("hardware"), plan.training
        place = Place(here.region, here.spot)
        machine = Fleet(here.type, here.count, hardware.gpu.name, hardware.gpus_per_instance, (place,))
        way = Placement(plan.parallelism, plan.sharding, plan.offload)
        batch = Batch(training.micro_batch, training.gradient_accumulation)
        group = Arrangement(0, machine, way, training.gradient_checkpointing, training.attention, (batch,))
        return Choice(group, batch, place)

    def plans(self) -> int:
        """The number of plans."""
        of_machines = (
            len(self.batches(machine, way)) * len(self.kernels(machine)) * len(machine.places)
            for machine in self.machines()
            for way in self.ways(machine)
        )
        return sum(of_machines) * len(self.recomputed()) * len(self.variants)

    def change(self, choice: Choice) -> Change:
        """The settings that make the spec this plan."""
        variant = self.variants[choice.group.variant]
        base = self.bases[choice.group.variant]
        found = settings_of(choice, base.spec, base.plan)
        return Change("plan", {**variant.settings, **found}, variant.remark)

    def planned(self, choice: Choice) -> Analysis:
        """The spec as this plan."""
        return replace(self.analysis, spec=self.change(choice).applied(self.analysis.spec))

    def price(self, machine: Fleet, place: Place) -> UnitPrice | None:
        """The price of an instance, the author's own where it is meant; None where it is not known."""
        here = self.analysis.spec.instance
        own = here.price if (machine.type, place.region) == (here.type, here.region) else None
        return unit_price(self.analysis.catalog, own, machine.type, place.region, "training")

    def moved(self, plan: Plan, machine: Fleet, place: Place) -> Plan:
        """A plan on the same instances elsewhere: the same but for where and how they are rented."""
        kept = None if place.spot else self.analysis.spec.instance.keep_alive
        price = self.price(machine, place)
        return plan._replace(region=place.region, spot=place.spot, keep_alive=kept, price=price)

    def base_plan(self, variant: int) -> Plan:
        """The spec's own plan with a variant, whose training is to stay the same."""
        return self.bases[variant].plan


def _offloads(way: Parallelism, sharding: str | None) -> tuple[str, ...]:
    if not way.sharded or sharding == "none":
        return ("none",)
    return ("none", "optimizer", "all") if way.shards_weights else ("none", "optimizer")


def _works(way: Placement, machine: Fleet) -> bool:
    """Whether a machine has what a way shares the job over: one GPU shares only with its host."""
    gpus = machine.gpus * machine.number
    if way.sharding == "hybrid":
        return machine.number > 1 and machine.gpus > 1
    kind = PARALLELISMS[way.parallelism]
    if kind.distributed:
        return gpus > 1 or way.offload != "none"
    return machine.number == 1 and (kind.uses_one_gpu or machine.gpus > 1)
