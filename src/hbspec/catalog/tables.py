"""The catalog: every table, read on first use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

from hbspec.catalog.gpu_names import gpu_called
from hbspec.catalog.gpus import Gpu, load_gpus
from hbspec.catalog.instances import InstanceType, load_instances
from hbspec.catalog.models import Models
from hbspec.catalog.prices import Price, PriceTable
from hbspec.catalog.rows import DATA, lines, rows


class Untemplated(NamedTuple):
    """A model without a chat template: where it is said, and the shipped template of its family's chat models."""

    source: str
    chat_template: str


class Catalog:
    """Hardware, prices and models, each row with its source and the day on which it was checked.

    Args:
        prices: a file of further prices, see `hbspec.catalog.price_file`.

    Raises:
        PriceFileError: that file is not as it was written.
        OSError: it cannot be read.
    """

    def __init__(self, prices: Path | None = None) -> None:
        if prices is not None:
            self._prices = PriceTable(prices)

    @cached_property
    def gpus(self) -> Mapping[str, Gpu]:
        """GPUs by name (`A100-40`)."""
        return load_gpus()

    @cached_property
    def instances(self) -> Mapping[str, InstanceType]:
        """Instance types by name (`ml.p4d.24xlarge`): all GPU types that SageMaker accepts, and some others."""
        return load_instances()

    @cached_property
    def models(self) -> Models:
        """Models by Hugging Face id."""
        return Models()

    @cached_property
    def untemplated(self) -> Mapping[str, Untemplated]:
        """Models whose tokenizers are said to have no chat template, by id; others are not known."""
        table = rows("untemplated.csv")
        return {row["id"]: Untemplated(row["source"], row["chat_template"]) for row in table}

    @cached_property
    def chat_templates(self) -> tuple[str, ...]:
        """Names of the chat templates that are shipped, in alphabetical order."""
        return tuple(sorted(row["name"] for row in rows("chat_templates.csv")))

    def chat_template(self, name: str) -> str:
        """The text of a chat template that is shipped, in Jinja."""
        return (DATA / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")

    @cached_property
    def trl_training_templates(self) -> frozenset[str]:
        """The first 16 digits of SHA-256 of each chat template that TRL replaces by one that marks the answers."""
        return frozenset(row["digest"] for row in rows("trl_training_templates.csv"))

    @cached_property
    def training_types(self) -> frozenset[str]:
        """SageMaker's `TrainingInstanceType`: the rows of `instances.csv` that train, and types without a row."""
        listed = (name for name, instance in self.instances.items() if instance.training)
        return frozenset(listed).union(lines("training_types.txt"))

    @cached_property
    def hosting_types(self) -> frozenset[str]:
        """SageMaker's `ProductionVariantInstanceType`, put together likewise."""
        listed = (name for name, instance in self.instances.items() if instance.hosting)
        return frozenset(listed).union(lines("hosting_types.txt"))

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

    def gpu_called(self, spelling: str) -> Gpu | None:
        """The GPU that a spelling (`A100-40`, `NVIDIA GeForce RTX 4090`) surely means; None where there is none."""
        return self.gpus.get(spelling) or gpu_called(spelling, self.gpus)

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


def catalog_with(prices: Path | None) -> Catalog:
    """The shipped catalog, with the prices of a file if one is named; the last state of a file is kept, for many specs.

    Raises:
        PriceFileError: that file is not as it was written.
        OSError: it cannot be read.
    """
    if prices is None:
        return catalog()
    state = prices.stat()
    return _with_prices(prices, (state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=1)
def _with_prices(prices: Path, _state: tuple[int, ...]) -> Catalog:
    return Catalog(prices)
