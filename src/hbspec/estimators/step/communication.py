"""What ranks send each other in a step, and how fast: bytes by closed form, link speeds from the catalog."""

from __future__ import annotations

from hbspec.diagnostics import Missing, NotKnownError
from hbspec.plan import Hardware

PCIE_BYTES_PER_SECOND = {3: 12e9, 4: 24e9, 5: 48e9, 6: 96e9}
"""One direction of 16 lanes, about three quarters of the line rate. Assumed; shared switches are left out."""

BRIDGED = 250e9
"""NVLink of this speed or less, both directions, joins two cards by a bridge that may not be there (RTX 3090 and A6000
112.5 GB/s, A30 200 GB/s); sockets for SXM modules begin at 300."""

LINK_EFFICIENCY = 0.7
"""Share of a link's line rate that NCCL's ring collectives reach. Assumed; published NCCL tests lie at 0.6 to 0.85."""


def ring_bytes(total: float, ranks: int) -> float:
    """Bytes that each rank sends in an all-gather or a reduce-scatter of `total` bytes: total (d - 1) / d.

    An all-reduce is both. Source: Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms" (2009), section 4.
    """
    return total * (ranks - 1) / ranks


def link_bytes_per_second(hardware: Hardware) -> float:
    """What one GPU can send to its neighbours while all do: the slower of the link in the host and the network.

    Raises:
        NotKnownError: several hosts, and the network's speed is not known.
    """
    inside = _inside(hardware)
    if hardware.instances == 1:
        return inside
    if hardware.network is None:
        raise NotKnownError(Missing(f"the network of {hardware.name}", ("instance",)))
    return min(inside, hardware.network / 8 / hardware.gpus_per_instance) * LINK_EFFICIENCY


def _inside(hardware: Hardware) -> float:
    nvlink = hardware.gpu.nvlink_bandwidth
    if nvlink and _linked(hardware, nvlink):
        return nvlink / 2 * LINK_EFFICIENCY
    return host_bytes_per_second(hardware)


def _linked(hardware: Hardware, nvlink: float) -> bool:
    """Whether NVLink joins the GPUs of a host: as the catalog says; else where no bridge has to be bought for it."""
    return nvlink > BRIDGED if hardware.instance is None else hardware.instance.gpu_link == "nvlink"


def host_bytes_per_second(hardware: Hardware) -> float:
    """Between a GPU and the host over PCIe; the oldest generation in use where it is not known."""
    generation = int(hardware.gpu.pcie_generation or min(PCIE_BYTES_PER_SECOND))
    return PCIE_BYTES_PER_SECOND.get(generation, PCIE_BYTES_PER_SECOND[3])
