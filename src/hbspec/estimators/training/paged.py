"""Paged optimizer states beside a process: managed memory, which CUDA moves to the host where the GPU is full.

torch counts none of it as allocated or reserved. Source: bitsandbytes 0.50.2, `functional.get_paged`, which asks for
`cudaMallocManaged`.
"""

from __future__ import annotations

from dataclasses import replace

from hbspec.units import Interval


def with_pages(process: Interval, paged: int, usable: int | None) -> Interval:
    """A process with its pages: none at the low end, since CUDA can move all of them to the host; all at the high end.

    Args:
        process: bytes without pages.
        paged: bytes of pages.
        usable: bytes of the GPU, which pages do not exceed by themselves.
    """
    whole = process.expected + paged
    expected = whole if usable is None else max(process.expected, min(whole, usable))
    return replace(process, expected=expected, high=process.high + paged)


def without_room(process: Interval, paged: int, usable: int | None) -> Interval:
    """Bytes of pages that are on the host."""
    if usable is None:
        return Interval(0, 0, paged)
    return process.map(lambda beside: min(paged, max(0, beside + paged - usable)))
