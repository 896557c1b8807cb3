"""FLOP/s of matrix products on a GPU: as timed by the number of rows, or a share of the data sheet's peak."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log

from hbspec.catalog import Gpu
from hbspec.catalog.products import timed_products
from hbspec.diagnostics import Missing, known
from hbspec.estimators.constants import INT8_SLOWER, LARGEST, REACHED, REACHED_UNKNOWN
from hbspec.units import Interval

TIMED = ("bfloat16", "float16")
"""Dtypes of the timed products; both have the same peak on these GPUs."""


def peak(gpu: Gpu, dtype: str) -> float:
    """FLOP/s of dense matrix products by the data sheet.

    Raises:
        NotKnownError: the GPU's peak in this dtype is not known, or it has none.
    """
    speeds = {"bfloat16": gpu.bf16_flops, "float16": gpu.fp16_flops, "float32": gpu.fp32_flops}
    return known(speeds.get(dtype), Missing(f"the speed of {gpu.name} in {dtype}", ("instance",)))


def reached(gpu: Gpu, dtype: str) -> float:
    """FLOP/s that one large matrix product alone reaches: a measured share of the data sheet's dense peak.

    Raises:
        NotKnownError: as `peak`.
    """
    return peak(gpu, dtype) * REACHED.get(gpu.name, REACHED_UNKNOWN.expected)


def timed(gpu: Gpu, dtype: str, rows: float) -> float | None:
    """FLOP/s of products of some rows with a model's weights, reading them included; None where none were timed.

    Between two numbers of rows that were timed, the speed is a power of the rows. With fewer it falls as they do, since
    all weights are read; with more it stays.
    """
    found = timed_products().get(gpu.name) if dtype in TIMED else None
    if found is None:
        return None
    first, last = found[0], found[-1]
    if rows <= first.rows:
        return first.flops * rows / first.rows
    for below, above in pairwise(found):
        if rows < above.rows:
            share = log(rows / below.rows) / log(above.rows / below.rows)
            return below.flops * exp(share * log(above.flops / below.flops))
    return last.flops


def untimed(gpu: Gpu, dtype: str) -> float:
    """FLOP/s of products with a model's weights where none were timed, without reading these.

    Raises:
        NotKnownError: as `peak`.
    """
    return reached(gpu, dtype) * LARGEST


def unknown(gpu: Gpu, quantization: str | None) -> Interval:
    """Factor on the time of products: 1, unless what they reach on this GPU is not known, or they are in 8 bits."""
    share = REACHED_UNKNOWN
    of_gpu = Interval(share.expected / share.high, 1.0, share.expected / share.low)
    found = Interval.exact(1.0) if gpu.name in REACHED else of_gpu
    return found * INT8_SLOWER * (1 / INT8_SLOWER.expected) if quantization == "int8" else found
