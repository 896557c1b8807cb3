"""The settings of a spec that make it one plan."""

from __future__ import annotations

from typing import Any

from hbspec.analysis.change import Settings
from hbspec.analysis.changes import parallelised
from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS
from hbspec.plan import Plan
from hbspec.search.choice import Choice, Fleet, Place, Placement
from hbspec.spec import Spec

WAITS = 2
"""`max_wait` of a spot job over its runtime limit, where the spec has none: as long again for capacity."""


def settings_of(choice: Choice, spec: Spec, plan: Plan) -> Settings:
    """The values by which a spec differs from a plan; what it has already is not set.

    Args:
        choice: the plan.
        spec: the spec.
        plan: the spec's own plan.
    """
    group, training = choice.group, plan.training
    return {
        **_rented(group.machine, choice.place, spec),
        **_shared(group.way, spec, plan),
        **_differing(
            {
                "per_device_batch_size": (training.micro_batch, choice.batch.rows),
                "gradient_accumulation_steps": (training.gradient_accumulation, choice.batch.accumulation),
                "gradient_checkpointing": (training.gradient_checkpointing, group.checkpointing),
                "attn_implementation": (training.attention, group.attention),
            }
        ),
    }


def _rented(machine: Fleet, place: Place, spec: Spec) -> Settings:
    """The type, the number, the region, and spot, without what belongs to the replaced ones."""
    here, found = spec.instance, Settings()
    if machine.type != here.type:
        found["instance", "type"] = machine.type
        if here.alternatives:  # those of the replaced type
            found["instance", "alternatives"] = None
    if machine.number != here.count:
        found["instance", "count"] = machine.number
    if place.region != here.region:
        found["instance", "region"] = place.region
    if here.price is not None and (machine.type, place.region) != (here.type, here.region):
        found["instance", "price"] = None
    if place.spot and not here.spot:
        found["instance", "spot"] = True
        if here.max_wait is None:
            found["instance", "max_wait"] = WAITS * (here.max_runtime or DEFAULT_RUNTIME_SECONDS)
        if here.keep_alive is not None:  # no warm pool of spot instances
            found["instance", "keep_alive"] = None
    if here.spot and not place.spot:
        found["instance", "spot"] = None
        if here.max_wait is not None:
            found["instance", "max_wait"] = None
    return found


def _shared(way: Placement, spec: Spec, plan: Plan) -> Settings:
    """The keys of placement; one that would say the default is deleted."""
    found, here = parallelised(spec, plan, way.parallelism), spec.instance
    if way.sharding is not None and way.sharding != (here.sharding or "full"):
        found["instance", "sharding"] = None if way.sharding == "full" else way.sharding
    if way.offload != (here.offload or "none") and (way.parallelism, way.offload) != (plan.parallelism, plan.offload):
        found["instance", "offload"] = None if way.offload == "none" else way.offload
    return found


def _differing(values: dict[str, tuple[Any, Any]]) -> Settings:
    return {("hyperparameters", key): then for key, (now, then) in values.items() if now != then}
