"""What ranks send each other in a step, and how fast: bytes by closed form, links as measured or from their line rate.

A ring crosses each host's border once, for all of its GPUs: among several hosts, a rank sends at the speed of its
host's network, not at a share of it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from hbspec.catalog import Gpu
from hbspec.catalog.links import measured_links
from hbspec.diagnostics import Missing, NotKnownError
from hbspec.plan import Hardware
from hbspec.units import GB, Interval

HOST_BYTES_PER_SECOND = {3: 12e9, 4: 24e9, 5: 48e9, 6: 96e9}
"""Between one GPU and the host, in one direction of 16 lanes of each generation of PCIe: about three quarters of the
line rate. Assumed; shared switches are left out."""

PCIE_MEASURED = 4
PCIE = {
    2: Interval(3.0 * GB, 8.8 * GB, 22 * GB),
    4: Interval(4.7 * GB, 10.6 * GB, 24 * GB),
    8: Interval(1.2 * GB, 5.0 * GB, 21 * GB),
}
"""Ring collectives over PCIe 4, by the number of GPUs of the host: what each sends while all do. Hosts differ in
whether GPUs reach each other or only through the host's memory, so both are spanned, and the geometric mean is
expected. Two L40S reach 19.2 GB/s, four 4.8, eight 1.2 to 1.8 (the table behind `hbspec.catalog.links`); on other hosts
two reach about 4 and four about 15 (IBM's LLMFineTuningBench), two RTX 3090 about 4 (AnswerDotAI's fsdp_qlora), three
RTX 4090 12.7 (tinygrad/open-gpu-kernel-modules pull request 22). The low end of two is a second slot with four lanes
of PCIe 3, as many boards for desktops have it: a line rate of 3.9 GB/s. Other generations are taken to be as much
faster or slower as their line rate is: RTX PRO 6000 on PCIe 5 reach 31.7, 23.2 and 23.1, RTX 5090 35 with four and 28
with eight (NVIDIA/nccl issue 1639)."""

PCIE_SERVERS = {"A100-PCIe-80": Interval(8 * GB, 13 * GB, 24 * GB), "H100-PCIe": Interval(16 * GB, 26 * GB, 48 * GB)}
"""The same of cards that are sold in servers, for any number of GPUs. Eight A100 reach 8 to 21 GB/s (NVIDIA/nccl issue
841); the H100 is taken to be as much faster as PCIe 5 is."""

CARDS = ("PCIe", "NVL")
"""In the names of GPUs on cards: NVLink joins only two of them, by a bridge that has to be bought."""

BRIDGED = 2

SOCKETED = 250 * GB
"""NVLink of this speed or less, both directions, is a bridge too (RTX 3090 and A6000 112.5 GB/s, A30 200 GB/s)."""

NVLINK_SHARE = Interval(0.45, 0.65, 0.75)
"""Share of NVLink's line rate that ring collectives reach on GPUs without a measurement: those with one lie between
0.48 (two B200) and 0.74 (eight H200)."""

MEASURED = Interval(0.8, 1.0, 1.15)
"""Factor on a measured speed: a step's collectives meet kernels on the same GPU; the largest messages are faster by a
tenth. The low end is assumed."""

HOST_LATENCY = Interval(15e-6, 30e-6, 60e-6)
"""Seconds of one collective in a host without a measurement, however small; most measured ones lie between."""

NETWORK_SHARE = Interval(0.25, 0.7, 1.1)
"""Share of a host's network that rings over several hosts reach. Issues of NVIDIA/nccl: 57, 32 and 30 GB/s on 2, 3 and
4 p4d of 50 GB/s (527); 75 of 100 GB/s (495); all-reduces of H100 at 216 to 390 of 400 GB/s, and all-gathers and
reduce-scatters, which FSDP uses, at about 100 (2409, 1222, 1368). Of NVIDIA/nccl-tests: 91 of 100 (100), 85 to 96 of
100 (119)."""

NETWORK_LATENCY = Interval(50e-6, 150e-6, 500e-6)
"""Seconds of one collective over several hosts, however small. Assumed."""


class Link(NamedTuple):
    """Ring collectives of some ranks.

    Attributes:
        latency: seconds of each, however small.
        bytes_per_second: what each rank sends while all do.
    """

    latency: Interval
    bytes_per_second: Interval

    def seconds(self, sent: float, collectives: int = 1) -> Interval:
        """Seconds of some collectives in which a rank sends so many bytes together."""
        speed = self.bytes_per_second
        return self.latency * collectives + Interval(sent / speed.high, sent / speed.expected, sent / speed.low)


def ring_bytes(total: float, ranks: int) -> float:
    """Bytes that each rank sends in an all-gather or a reduce-scatter of `total` bytes: total (d - 1) / d.

    An all-reduce is both. Source: Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms" (2009), section 4.
    """
    return total * (ranks - 1) / ranks


def link(hardware: Hardware, ranks: int, *, each: int = 1, rings: int = 1) -> Link:
    """What joins some ranks: those of one host as long as it has room for all of them.

    Args:
        hardware: the hosts.
        ranks: ranks of a ring.
        each: GPUs that each of them has.
        rings: rings at the same time, which share what joins hosts.

    Raises:
        NotKnownError: several hosts, and the network's speed is not known.
    """
    inside = _inside(hardware, min(ranks, max(1, hardware.gpus_per_instance // each)))
    if ranks * each <= hardware.gpus_per_instance:
        return inside
    outside = network(hardware)
    return _slower(inside, outside._replace(bytes_per_second=outside.bytes_per_second * (1 / rings)))


def network(hardware: Hardware) -> Link:
    """What joins hosts.

    Raises:
        NotKnownError: the network's speed is not known.
    """
    if hardware.network is None:
        raise NotKnownError(Missing(f"the network of {hardware.name}", ("instance",)))
    return Link(NETWORK_LATENCY, NETWORK_SHARE * (hardware.network / 8))


def host_bytes_per_second(hardware: Hardware) -> float:
    """Between a GPU and the host over PCIe; the oldest generation in use where it is not known."""
    return HOST_BYTES_PER_SECOND[_generation(hardware.gpu)]


def _inside(hardware: Hardware, count: int) -> Link:
    """Ring collectives among some GPUs of one host."""
    gpu, nvlink = hardware.gpu, (hardware.gpu.nvlink_bandwidth or 0) / 2
    if on_nvlink(hardware):
        measured = measured_links().get(gpu.name)
        if measured is None:
            return Link(HOST_LATENCY, NVLINK_SHARE * nvlink)
        found = measured[_counted(measured, count)]
        return Link(Interval.exact(found.latency), MEASURED * found.bytes_per_second)
    over = PCIE_SERVERS.get(gpu.name) or PCIE[_counted(PCIE, count)] * _faster(gpu)
    bridge = NVLINK_SHARE.high * nvlink if count == BRIDGED else 0
    return Link(HOST_LATENCY, Interval(over.low, over.expected, max(over.high, bridge)))


def on_nvlink(hardware: Hardware) -> bool:
    """Whether NVLink joins the GPUs of a host: as the catalog says; else where no bridge has to be bought for it."""
    if hardware.instance is not None:
        return hardware.instance.gpu_link == "nvlink"
    on_card = any(kind in hardware.gpu.name for kind in CARDS)
    return (hardware.gpu.nvlink_bandwidth or 0) > SOCKETED and not on_card


def _counted(known: Collection[int], count: int) -> int:
    """The number of GPUs nearest to `count` of which something is known: the next larger, or else the largest."""
    return min((one for one in known if one >= count), default=max(known))


def _generation(gpu: Gpu) -> int:
    generation = int(gpu.pcie_generation or min(HOST_BYTES_PER_SECOND))
    return generation if generation in HOST_BYTES_PER_SECOND else min(HOST_BYTES_PER_SECOND)


def _faster(gpu: Gpu) -> float:
    return HOST_BYTES_PER_SECOND[_generation(gpu)] / HOST_BYTES_PER_SECOND[PCIE_MEASURED]


def _slower(one: Link, other: Link) -> Link:
    first, second = one.bytes_per_second, other.bytes_per_second
    low, high = min(first.low, second.low), min(first.high, second.high)
    return Link(other.latency, Interval(low, min(first.expected, second.expected), high))
