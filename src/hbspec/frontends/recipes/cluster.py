"""What a recipe says of its cluster: the types of instances that it is made for, and how many."""

from __future__ import annotations

from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.own_program import put_model

INSTANCE = "instance"
DEVICES = 8
"""GPUs of a node where a recipe does not say them (`hydra_config/llmft/default.yaml`)."""


def put_cluster(foreign: Foreign, building: Building) -> None:
    """The first of the types that the recipe lists, the others as alternatives, and the number of nodes."""
    kinds, one = foreign.get("instance_types"), foreign.get("instance_type")
    names = list(dict.fromkeys(_sagemaker_s(name) for given in (one, kinds) if given for name in given.texts))
    if names:
        building.put((INSTANCE, "type"), one or kinds, names[0])
    if len(names) > 1:
        building.put((INSTANCE, "alternatives"), kinds, names[1:])
    nodes = foreign.inside("trainer").get("num_nodes")
    if nodes and (nodes.number or nodes.placeholder):
        building.put((INSTANCE, "count"), nodes)
    elastic = foreign.inside("elastic_policy")
    acts = elastic.get("is_elastic")
    elastic.get("min_nodes", "max_nodes", "use_graceful_shutdown", "scaling_timeout", "graceful_shutdown_timeout")
    if acts and acts.flag:
        building.unread(acts, "either", "changes the number of nodes, and with it the rows of a GPU,")


def put_named(section: Foreign, key: str, building: Building) -> ForeignKey | None:
    """The model by its name; an empty one, which the launcher fills in, is a mistake at its place."""
    given, empty = section.get(key), section.null(key)
    put_model(building, given)
    if given is None and empty:
        building.put(("model", "id"), empty, "")
    return given


def name_placeholders(building: Building, *given: ForeignKey | None) -> None:
    """Names the numbers among some keys that are filled in later; defaults stand in for them."""
    for key in given:
        if key and key.placeholder:
            building.not_filled_in(key)


def gpus(foreign: Foreign) -> int:
    """The GPUs of all nodes, as the recipe says them."""
    trainer = foreign.inside("trainer")
    devices, nodes = trainer.get("devices"), trainer.get("num_nodes")
    each = devices.number if devices else None
    return int(each or DEVICES) * int((nodes and nodes.number) or 1)


def _sagemaker_s(name: str) -> str:
    """The type as SageMaker spells it; the launcher takes it with and without the prefix."""
    return name if name.startswith("ml.") else f"ml.{name}"
