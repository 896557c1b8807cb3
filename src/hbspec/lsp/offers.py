"""The names that a key takes by the catalog, each with a few words on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hbspec.catalog import Catalog
from hbspec.catalog.instances import InstanceType
from hbspec.claims.quantities import QUANTITIES
from hbspec.diagnostics import Route
from hbspec.units import bytes_text

Names = Mapping[str, str]
"""Names, each with what it is."""


def offered_keys(route: Route) -> Names:
    """The keys of a mapping whose keys are not those of a section."""
    return {key: quantity.formula for key, quantity in QUANTITIES.items()} if route == ("expect",) else {}


def offered(route: Route, catalog: Catalog) -> Names:
    """The names that may stand at a route; empty where the catalog lists none."""
    steps = tuple(part for part in route if isinstance(part, str))
    reader = _OFFERS.get(steps)
    return dict(reader(catalog)) if reader else {}


def instance_words(instance: InstanceType, catalog: Catalog) -> str:
    """An instance type in a few words: its GPUs, and their memory."""
    gpu = catalog.gpus.get(instance.gpu or "")
    memory = f", {bytes_text(gpu.nominal_bytes)} each" if gpu and gpu.nominal_bytes else ""
    return f"{instance.gpus} x {instance.gpu}{memory}" if instance.gpu else instance.accelerator


def _training(catalog: Catalog) -> Iterator[tuple[str, str]]:
    for name, instance in catalog.instances.items():
        if instance.training and instance.gpu:
            yield name, instance_words(instance, catalog)


def _hosting(catalog: Catalog) -> Iterator[tuple[str, str]]:
    for name, instance in catalog.instances.items():
        if instance.hosting and instance.gpu:
            yield name, instance_words(instance, catalog)


def _models(catalog: Catalog) -> Iterator[tuple[str, str]]:
    return ((name, "a model of the catalog") for name in catalog.models)


def _regions(catalog: Catalog) -> Iterator[tuple[str, str]]:
    return ((name, "a region of the catalog") for name in catalog.regions)


def _gpus(catalog: Catalog) -> Iterator[tuple[str, str]]:
    return ((name, gpu.marketing_name) for name, gpu in catalog.gpus.items())


def _templates(catalog: Catalog) -> Iterator[tuple[str, str]]:
    return ((name, "a shipped chat template") for name in catalog.chat_templates)


_OFFERS: Mapping[tuple[str, ...], Callable[[Catalog], Iterator[tuple[str, str]]]] = {
    ("model", "id"): _models,
    ("instance", "type"): _training,
    ("instance", "alternatives"): _training,
    ("instance", "region"): _regions,
    ("instance", "gpu"): _gpus,
    ("data", "chat_template"): _templates,
    ("deployment", "region"): _regions,
    ("deployment", "instance", "type"): _hosting,
    ("deployment", "instance", "alternatives"): _hosting,
    ("deployment", "instance", "gpu"): _gpus,
    ("deployment", "ab_test", "instance", "type"): _hosting,
}
OFFERED_AT = tuple(_OFFERS)
"""The routes with names, without the numbers of lists."""
