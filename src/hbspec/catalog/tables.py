"""The catalog: every table, read on first use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property

from hbspec.catalog.gpus import Gpu, load_gpus
from hbspec.catalog.instances import InstanceType, load_instances
from hbspec.catalog.models import Model, Models
from hbspec.catalog.prices import Price, PriceTable
from hbspec.catalog.rows import lines


class Catalog:
    """Hardware, prices and models, each row with its source and the day on which it was checked."""

    @cached_property
    def gpus(self) -> Mapping[str, Gpu]:
        """GPUs by name (`A100-40`)."""
        return load_gpus()

    @cached_property
    def instances(self) -> Mapping[str, InstanceType]:
        """Instance types by name (`ml.p4d.24xlarge`): all GPU types that SageMaker accepts, and some others."""
        return load_instances()

    @cached_property
    def models(self) -> Mapping[str, Model]:
        """Models by Hugging Face id."""
        return Models()

    @cached_property
    def training_types(self) -> frozenset[str]:
        """SageMaker's `TrainingInstanceType`: the rows of `instances.csv` that train, and types without a row."""
        rows = (name for name, instance in self.instances.items() if instance.training)
        return frozenset(rows).union(lines("training_types.txt"))

    @cached_property
    def hosting_types(self) -> frozenset[str]:
        """SageMaker's `ProductionVariantInstanceType`, put together likewise."""
        rows = (name for name, instance in self.instances.items() if instance.hosting)
        return frozenset(rows).union(lines("hosting_types.txt"))

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """All regions with an offer or a price, in alphabetical order."""
        offered = (instance.regions or () for instance in self.instances.values())
        return tuple(sorted(self._prices.regions.union(*offered)))

    def price(self, instance_type: str, region: str, component: str) -> Price | None:
        """USD per hour of an instance type in a region, as chosen by `hbspec.catalog.prices`.

        Args:
            instance_type: `ml.p4d.24xlarge`.
            region: `ca-central-1`.
            component: "training" or "hosting".

        Returns:
            None where SageMaker does not accept the type for this component, or where no price is known.
        """
        accepted = self.training_types if component == "training" else self.hosting_types
        return self._prices.price(instance_type, region, component) if instance_type in accepted else None

    def observed_prices(self, instance_type: str, region: str) -> tuple[Price, ...]:
        """Every price read for a type in a region: SageMaker's, Studio's and EC2's, including old ones.

        Used to explain a number taken from elsewhere (32.77 was EC2's p4d until June 2025).
        """
        return self._prices.observed(instance_type, region)

    def gpu_of(self, instance_type: str) -> Gpu | None:
        """The GPU of an instance type; None if it has no GPU or is not in the catalog."""
        instance = self.instances.get(instance_type)
        return self.gpus[instance.gpu] if instance and instance.gpu else None

    @cached_property
    def _prices(self) -> PriceTable:
        return PriceTable()


@cache
def catalog() -> Catalog:
    """The catalog shipped with this version."""
    return Catalog()
