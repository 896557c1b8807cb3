"""How fast matrix products are on GPUs on which they were timed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from hbspec.catalog.rows import TERA, rows


class TimedProducts(NamedTuple):
    """Products of some rows with the weights of a model, in 16 bits.

    Attributes:
        rows: how many.
        flops: FLOP/s in the median over shapes of weights, reading them included.
    """

    rows: int
    flops: float


@cache
def timed_products() -> Mapping[str, tuple[TimedProducts, ...]]:
    """By the name of a GPU, the fewest rows first; derived by `tools/derive_products.py`."""
    found: dict[str, list[TimedProducts]] = {}
    for row in rows("products.csv"):
        timed = TimedProducts(int(row["rows"]), float(row["tflops"]) * TERA)
        for gpu in row["gpus"].split(";"):
            found.setdefault(gpu, []).append(timed)
    return {gpu: tuple(sorted(timed)) for gpu, timed in found.items()}
