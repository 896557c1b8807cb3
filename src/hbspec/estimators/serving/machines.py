"""What a GPU's name and generation say of its memory and of the machine that it is built into."""

from __future__ import annotations

from hbspec.catalog import Gpu

RTX_BLACKWELL = 12


def memory_of(gpu: Gpu) -> str:
    """Which memory a GPU has, "hbm" or "gddr".

    Of NVIDIA's generations those with HBM have a compute capability that ends in 0 (6.0, 7.0, 8.0, 9.0, 10.0), but for
    RTX Blackwell's 12.0.
    """
    major, minor = gpu.compute_capability or (8, 0)
    return "gddr" if minor or major == RTX_BLACKWELL else "hbm"


def host_of(gpu: Gpu) -> str:
    """The kind of machine that a GPU is usually built into, whose CPU launches the kernels.

    GeForce cards are in desktops, whose single cores are fast; GPUs before compute capability 8.0 are in the older
    servers that clouds offer with them.
    """
    if "GeForce" in gpu.marketing_name:
        return "desktop"
    return "old" if gpu.compute_capability and gpu.compute_capability < (8, 0) else "server"
