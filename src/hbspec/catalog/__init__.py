"""Facts with sources and dates: instance types, GPUs, prices and models."""

from __future__ import annotations

from hbspec.catalog.architecture import Architecture
from hbspec.catalog.config_fields import ArchitectureError
from hbspec.catalog.gpus import Gpu
from hbspec.catalog.instances import InstanceType
from hbspec.catalog.models import CatalogModel
from hbspec.catalog.prices import Price
from hbspec.catalog.tables import Catalog, catalog, catalog_with

__all__ = [
    "Architecture", "ArchitectureError", "Catalog", "CatalogModel", "Gpu", "InstanceType", "Price", "catalog",
    "catalog_with",
]  # fmt: skip
