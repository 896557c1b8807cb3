"""The hardware of a job, from the catalog or described by hand."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog import Catalog, Gpu, InstanceType
from hbspec.catalog.gpus import unlisted_gpu
from hbspec.diagnostics import NotKnownError


class Hardware(NamedTuple):
    """The GPUs of a job or an endpoint.

    Attributes:
        name: the instance type, or `4 x A100-80`.
        instance: the catalog's row; None for hardware described by hand.
        gpu: the catalog's GPU, or a GPU for which the author gave only the memory.
        gpus_per_instance: GPUs per host.
        instances: number of hosts.
        host_memory: memory of one host in bytes, None where not known.
        network: bits per second between a host and the others, None where not known.
    """

    name: str
    instance: InstanceType | None
    gpu: Gpu
    gpus_per_instance: int
    instances: int
    host_memory: int | None
    network: float | None = None

    @property
    def gpus(self) -> int:
        """The number of GPUs of all hosts together."""
        return self.gpus_per_instance * self.instances


def hardware(
    catalog: Catalog,
    instance_type: str | None,
    gpu: str | None,
    gpus: int | None,
    instances: int,
    host_memory: int | None,
    gpu_memory: int | None = None,
    network: float | None = None,
) -> Hardware:
    """The hardware that a section of the spec names.

    A GPU outside the catalog gets the memory that the author gives for it, `gpu_memory` in bytes. A GPU in the catalog
    keeps its measured memory: the nominal size is more than PyTorch can use.

    Raises:
        NotKnownError: neither a type nor a GPU is set, the type is not in the catalog or has no GPU, or the GPU is not
            in the catalog and `gpu_memory` is not set.
    """
    if instance_type is not None:
        instance = catalog.instances.get(instance_type)
        if instance is None:
            raise NotKnownError(f"instance type {instance_type}")
        found = catalog.gpus.get(instance.gpu) if instance.gpu else None
        if found is None:
            raise NotKnownError(f"a GPU in {instance_type}")
        return Hardware(instance_type, instance, found, instance.gpus, instances, *_of_host(instance))
    if gpu is not None:
        found = catalog.gpu_called(gpu)
        if found is None and gpu_memory is not None:
            found = unlisted_gpu(gpu, gpu_memory)
        if found is None:
            raise NotKnownError(f"GPU {gpu}")
        count = gpus or 1
        return Hardware(f"{count} x {found.name}", None, found, count, instances, host_memory, network)
    raise NotKnownError("the hardware: neither instance.type nor instance.gpu is set")


def _of_host(instance: InstanceType) -> tuple[int | None, float | None]:
    return instance.memory_bytes, instance.network_bits_per_second
