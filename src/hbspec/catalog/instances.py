"""SageMaker's instance types, by their `ml.` names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from hbspec.catalog.rows import GIB, GIGA, number, rows, whole


class InstanceType(NamedTuple):
    """One instance type. None means "not known" unless stated otherwise.

    Attributes:
        name: `ml.p4d.24xlarge`.
        gpu: name of the GPU model; None for an instance without a GPU.
        gpus: number of GPUs.
        accelerator: "gpu", "neuron" (Inferentia, Trainium; see `note`) or "none".
        nvme_bytes: size of the local NVMe storage; 0 for an instance without it.
        network_bits_per_second: sustained bandwidth, the smaller figure where sources disagree.
        gpu_link: "nvlink" or "pcie" between the GPUs; also None for a single GPU.
        training: whether the type is in SageMaker's `TrainingInstanceType`.
        hosting: whether the type is in SageMaker's `ProductionVariantInstanceType`.
        cluster: whether the type is in SageMaker's `ClusterInstanceType`: a cluster of HyperPod may have it.
        regions: the regions in which EC2 offers the type; SageMaker may offer it in fewer.
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
    cluster: bool
    regions: tuple[str, ...] | None
    note: str
    source: str
    checked: date


def load_instances() -> Mapping[str, InstanceType]:
    """All instance types of the catalog, by name."""
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
        cluster=row["cluster"] == "yes",
        regions=tuple(row["regions"].split()) if row["regions"] else None,
        note=row["note"],
        source=row["source"],
        checked=date.fromisoformat(row["checked"]),
    )
