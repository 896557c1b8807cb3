"""The GPUs that a spelling may mean: `RTX4090`, `NVIDIA GeForce RTX 4090`, `A100-SXM4-80GB`, as drivers and people say.

A spelling is cut into words. A GPU is meant if it has all of them, in its name, its marketing name, or the size of its
memory. A spelling is understood where one GPU is meant and all words of its name are said: that of a model sold with
several sizes of memory states the size, as others than the catalog's may exist. Else it is only answered with those
that it may mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hbspec.catalog.gpus import Gpu
from hbspec.catalog.rows import GIB

_WORD = re.compile(r"[a-z]*\d+[a-z]*|[a-z]+")
_UNSAID = frozenset(("nvidia", "geforce", "rtx", "gtx", "tesla", "amd", "instinct", "generation", "gpu"))
"""Words that makers put before and after a model, and that tell no two of them apart."""

_MEMORY = re.compile(r"^(\d+)(?:gb|gib|g)$")
_SOCKET = re.compile(r"^sxm\d*$")


def gpus_meant(spelling: str, gpus: Mapping[str, Gpu]) -> tuple[str, ...]:
    """The names of the GPUs that a spelling may mean; one where it is understood, or if no other is like it.

    >>> from hbspec.catalog import catalog
    >>> gpus_meant("NVIDIA GeForce RTX 4090", catalog().gpus), gpus_meant("v100", catalog().gpus)
    (('RTX 4090',), ('V100-16', 'V100-32'))
    """
    asked = _words(spelling)
    return tuple(name for name, gpu in gpus.items() if asked and asked <= _words_of(gpu))


def gpu_called(spelling: str, gpus: Mapping[str, Gpu]) -> Gpu | None:
    """The GPU that a spelling surely means; None where it is not known, or not the only one.

    >>> from hbspec.catalog import catalog
    >>> gpu_called("NVIDIA H100 80GB HBM3", catalog().gpus).name
    'H100-80'
    >>> gpu_called("A100 PCIe", catalog().gpus)  # sold with 40 GB too
    """
    if spelling in gpus:
        return gpus[spelling]
    meant = gpus_meant(spelling, gpus)
    if len(meant) != 1:
        return None
    found = gpus[meant[0]]
    return found if _words(found.name) <= _words(spelling) else None


SAME_MEMORY = 0.02
"""The share by which the memory of two GPUs of one kind may differ: by what the driver or error correction keeps."""


def gpu_of_driver(name: str, total: int, gpus: Mapping[str, Gpu]) -> Gpu | None:
    """The GPU that a driver names; None where it is not known.

    A driver says "NVIDIA H200" and not how much memory it has, which PyTorch says.

    Args:
        name: as the driver says it.
        total: bytes, as PyTorch reports them.
        gpus: the catalog's.
    """
    found = gpu_called(name, gpus)
    if found is not None:
        return found
    alike = [gpus[meant] for meant in gpus_meant(name, gpus)]
    sized = [gpu for gpu in alike if abs((gpu.usable_bytes or 0) - total) <= SAME_MEMORY * total]
    return sized[0] if len(sized) == 1 else None


def _words_of(gpu: Gpu) -> set[str]:
    return _words(gpu.name) | _words(gpu.marketing_name) | {_memory(gpu)}


def _memory(gpu: Gpu) -> str:
    return str(round(gpu.nominal_bytes / GIB)) if gpu.nominal_bytes else ""


def _words(text: str) -> set[str]:
    """`rtx`, `4090` of "NVIDIA GeForce RTX4090"; a memory is its number, and every SXM socket one word."""
    spaced = text.lower().replace("rtx", " rtx ").replace("gtx", " gtx ")
    words = (_SOCKET.sub("sxm", _MEMORY.sub(r"\1", word)) for word in _WORD.findall(spaced))
    return {word for word in words if word not in _UNSAID}
