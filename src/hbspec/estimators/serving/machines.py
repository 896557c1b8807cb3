"""What a GPU's name and generation say of its memory and of the machine that it is built into."""

from __future__ import annotations

from hbspec.catalog import Gpu

BLACKWELL, RTX_BLACKWELL = 10, 12
GEFORCE = "GeForce"


def memory_of(gpu: Gpu) -> str:
    """Which memory a GPU has, "hbm" or "gddr".

    Of NVIDIA's generations those with HBM have a compute capability that ends in 0 (6.0, 7.0, 8.0, 9.0, 10.0), but for
    RTX Blackwell's 12.0.
    """
    major, minor = gpu.compute_capability or (8, 0)
    return "gddr" if minor or major == RTX_BLACKWELL else "hbm"


def streamed_from(gpu: Gpu) -> str:
    """The kind of memory by the share of its bandwidth that products of few rows reach; a key of `streaming`.

    Cards other than GeForce correct errors in GDDR, which takes a part of the bandwidth; of Blackwell's HBM less is
    reached than of older.
    """
    kind = memory_of(gpu)
    if kind == "gddr":
        return kind if GEFORCE in gpu.marketing_name else "gddr_ecc"
    return "hbm_blackwell" if (gpu.compute_capability or (0, 0))[0] == BLACKWELL else kind


def host_of(gpu: Gpu) -> str:
    """The kind of machine that a GPU is usually built into, whose CPU launches the kernels.

    GeForce cards are in desktops, whose single cores are fast; GPUs before compute capability 8.0 are in the older
    servers that clouds offer with them.
    """
    if GEFORCE in gpu.marketing_name:
        return "desktop"
    return "old" if gpu.compute_capability and gpu.compute_capability < (8, 0) else "server"
