"""The CUDA releases that have code for a GPU.

A binary runs on GPUs of the same major compute capability and the same or a higher minor one, so that the first release
with code for a major capability is the oldest that can work (https://docs.nvidia.com/cuda/hopper-compatibility-guide).
PyTorch's binaries carry no PTX from which a driver could make code for newer GPUs (pytorch/pytorch, issue 90761).
Left out: images that build PyTorch themselves, with PTX.
"""

from __future__ import annotations

from collections.abc import Mapping

FIRST_RELEASE: Mapping[int, tuple[int, int]] = {
    8: (11, 0),  # Ampere and Ada
    9: (11, 8),  # Hopper
    10: (12, 8),  # Blackwell: docs.nvidia.com/cuda/pdf/Blackwell_Tuning_Guide.pdf, "CUDA Toolkit 12.7 or Earlier"
    12: (12, 8),
}
"""By the major compute capability; none for older GPUs, which every release in use has code for."""


def too_old_for(cuda: str, capability: tuple[int, int] | None) -> str | None:
    """The first release with code for a compute capability, if `cuda` is older; None if it is not, or not known.

    >>> too_old_for("11.1", (9, 0)), too_old_for("11.1", (8, 9)), too_old_for("12.4", (10, 0))
    ('11.8', None, '12.8')
    """
    first = FIRST_RELEASE.get(capability[0]) if capability else None
    if first is None or tuple(int(part) for part in cuda.split(".")) >= first:
        return None
    return f"{first[0]}.{first[1]}"
