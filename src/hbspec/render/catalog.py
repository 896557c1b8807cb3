"""The rows of the catalog, as lines for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hbspec.catalog import Catalog, CatalogModel
from hbspec.catalog.instances import InstanceType
from hbspec.catalog.parameters import total_parameters
from hbspec.catalog.prices import Price
from hbspec.render.lines import Line
from hbspec.render.rows import rows
from hbspec.units import count_text, gib_text

NOT_COUNTED = "not counted yet"


def model_lines(models: Iterable[CatalogModel], width: int | None) -> Iterator[Line]:
    """A line for each model: its size, its type, its longest row, and how it is stored."""
    return rows(((model.id, _size(model), ", ".join(_facts(model))) for model in models), width)


def model_to_dict(model: CatalogModel) -> dict[str, Any]:
    """A model, with null for what is not known."""
    architecture = model.architecture
    return {
        "id": model.id,
        "shape": model.shape,
        "model_type": model.model_type,
        "counted": architecture is not None,
        "parameters": total_parameters(architecture) if architecture else None,
        "positions": architecture.max_position_embeddings if architecture else None,
        "stored": model.stored,
        "dtype": model.dtype,
        "chat": model.chat,
        "gated": model.gated,
        "license": model.license,
        "source": model.source,
        "checked": model.checked.isoformat(),
        "note": model.note,
    }


def instance_lines(
    instances: Iterable[InstanceType], catalog: Catalog, region: str | None, width: int | None
) -> Iterator[Line]:
    """A line for each type: its GPUs with the memory of each, its host, and its price in a region."""
    found = ((instance, _gpus(instance, catalog)) for instance in instances)
    return rows(
        ((instance.name, gpus, ", ".join(_machine(instance, catalog, region))) for instance, gpus in found),
        width,
    )


def instance_to_dict(instance: InstanceType, catalog: Catalog, region: str | None) -> dict[str, Any]:
    """A type, with null for what is not known; prices where a region is given."""
    gpu = catalog.gpu_of(instance.name)
    prices = {
        component: price_to_dict(price)
        for component in ("training", "hosting")
        if region and (price := catalog.price(instance.name, region, component))
    }
    return {
        "name": instance.name,
        "gpu": instance.gpu,
        "gpus": instance.gpus,
        "gpu_usable_bytes": gpu.usable_bytes if gpu else None,
        "gpu_link": instance.gpu_link,
        "vcpus": instance.vcpus,
        "memory_bytes": instance.memory_bytes,
        "nvme_bytes": instance.nvme_bytes,
        "training": instance.training,
        "hosting": instance.hosting,
        "regions": instance.regions,
        "prices": prices,
        "source": instance.source,
        "checked": instance.checked.isoformat(),
    }


def price_lines(prices: Iterable[Price], width: int | None) -> Iterator[Line]:
    """A line for each price: what it is for, its day, and where it was read or what it is derived from."""
    return rows(
        (
            (
                f"{price.instance_type}  {price.region}  {price.component}",
                f"{price.usd_per_hour.normalize():f} USD/h",
                f"{price.as_of or 'undated'}, {price.basis}: {price.source}",
            )
            for price in prices
        ),
        width,
    )


def price_to_dict(price: Price) -> dict[str, Any]:
    """A price; the rate is a text, as it was read."""
    return {
        "instance_type": price.instance_type,
        "region": price.region,
        "component": price.component,
        "usd_per_hour": str(price.usd_per_hour),
        "as_of": price.as_of.isoformat() if price.as_of else None,
        "basis": price.basis,
        "source": price.source,
    }


def _size(model: CatalogModel) -> str:
    return count_text(total_parameters(model.architecture)) if model.architecture else NOT_COUNTED


def _facts(model: CatalogModel) -> Iterator[str]:
    yield model.model_type
    if model.architecture:
        yield f"{model.architecture.max_position_embeddings:,} tokens"
    if model.stored:
        yield f"stored in {model.stored}"
    if model.gated:
        yield "gated"
    if model.license:
        yield model.license


def _gpus(instance: InstanceType, catalog: Catalog) -> str:
    gpu = catalog.gpu_of(instance.name)
    if gpu is None:
        return instance.accelerator
    memory = f" of {gib_text(gpu.usable_bytes)}" if gpu.usable_bytes else ""
    return f"{instance.gpus} x {gpu.name}{memory}"


def _machine(instance: InstanceType, catalog: Catalog, region: str | None) -> Iterator[str]:
    yield f"{instance.vcpus} vCPUs"
    yield f"{gib_text(instance.memory_bytes)} of host memory"
    uses = [name for name, used in (("training", instance.training), ("hosting", instance.hosting)) if used]
    yield " and ".join(uses) or "neither training nor hosting"
    price = catalog.price(instance.name, region, "training") if region else None
    if price:
        yield f"{price.usd_per_hour.normalize():f} USD/h"
    elif region:
        yield "price not known"
