"""What joins the GPUs of one host, as measured."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from hbspec.catalog.rows import GIGA, rows

MICRO = 1e-6


class MeasuredLink(NamedTuple):
    """Ring collectives among some GPUs of a host: `seconds = latency + bytes that a rank sends / bytes_per_second`.

    Attributes:
        latency: seconds of a collective, however small.
        bytes_per_second: what each GPU sends while all do ("bus bandwidth" of nccl-tests).
    """

    latency: float
    bytes_per_second: float


@cache
def measured_links() -> Mapping[str, Mapping[int, MeasuredLink]]:
    """By the name of a GPU and the number of them, derived by `tools/derive_links.py`."""
    found: dict[str, dict[int, MeasuredLink]] = {}
    for row in rows("links.csv"):
        link = MeasuredLink(float(row["latency_us"]) * MICRO, float(row["gb_per_s"]) * GIGA)
        for gpu in row["gpus"].split(";"):
            found.setdefault(gpu, {})[int(row["count"])] = link
    return found
