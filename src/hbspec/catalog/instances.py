"""Instance types: hosts of SageMaker, by their `ml.` names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hbspec.catalog.rows import GIB, GIGA, number, rows, whole


@dataclass(frozen=True, slots=True)
class InstanceType:
    """One instance type. None is "not known" unless said otherwise.

    Attributes:
        name: `ml.p4d.24xlarge`.
        gpu: key into the GPUs; None is a host without one.
        gpus: how many.
        accelerator: "gpu", "neuron" (Inferentia, Trainium; `note` says which) or "none".
        nvme_bytes: local NVMe; 0 is a host that has none.
        network_bits_per_second: sustained, the smaller figure where sources disagree.
        gpu_link: "nvlink" or "pcie" between the host's GPUs; also None for a single GPU.
        training: whether SageMaker's `TrainingInstanceType` has it.
        hosting: whether SageMaker's `ProductionVariantInstanceType` has it.
        regions: where EC2 offers it; SageMaker may offer it in fewer.
    """

    name: str
    vcpus: int
    memory_bytes: int
    gpu: str | None
    gpus: int
    accelerator: str
    nvme_bytes: int | None
    network_bits_per_second: float | None
    efa_interfaces: int | None
    gpu_link: str | None
    training: bool
    hosting: bool
    regions: tuple[str, ...] | None
    note: str
    source: str
    checked: date


def load_instances() -> Mapping[str, InstanceType]:
    """Every instance type of the catalog, by name."""
    return {row["name"]: _instance(row) for row in rows("instances.csv")}


def _instance(row: Mapping[str, str]) -> InstanceType:
    return InstanceType(
        name=row["name"],
        vcpus=int(row["vcpus"]),
        memory_bytes=int(float(row["memory_gib"]) * GIB),
        gpu=row["gpu"] or None,
        gpus=int(row["gpus"]),
        accelerator=row["accelerator"],
        nvme_bytes=whole(row["nvme_gb"], GIGA),
        network_bits_per_second=number(row["network_gbps"], GIGA),
        efa_interfaces=whole(row["efa_interfaces"]),
        gpu_link=row["gpu_link"] or None,
        training=row["training"] == "yes",
        hosting=row["hosting"] == "yes",
        regions=tuple(row["regions"].split()) if row["regions"] else None,
        note=row["note"],
        source=row["source"],
        checked=date.fromisoformat(row["checked"]),
    )
