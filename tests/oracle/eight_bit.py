"""bitsandbytes' int8 products with the allocations of its CUDA kernels; on the CPU another algorithm runs.

Source: bitsandbytes 0.50.2, `autograd/_functions.py` (`MatMul8bitLt`), `backends/cuda/ops.py` and
`backends/default/ops.py`. No column of the activations is taken for an outlier: which are, follows from values.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from bitsandbytes.autograd._functions import MatMul8bitLt
from torch import Tensor

from oracle.tracer import Trace

bnb = torch.ops.bitsandbytes
logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)  # it says at every product what it casts


def matmul(
    rows: Tensor, weight: Tensor, out: Tensor | None = None, state: Any = None, threshold: float = 0.0, bias: Any = None
) -> Tensor:
    """`bitsandbytes.matmul` as it goes on a GPU."""
    product: Tensor = MatMul8bitLt.apply(rows, weight, out, bias, state)
    return product


def kernels(trace: Trace) -> dict[Any, Callable[..., Any]]:
    """Each operation with a function that allocates the same."""

    def multiply(
        rows: Tensor,
        weight: Tensor,
        row_stats: Tensor,
        column_stats: Tensor,
        bias: Tensor | None = None,
        dtype: Any = None,
    ) -> Tensor:
        whole = torch.empty((*rows.shape[:-1], weight.shape[0]), dtype=torch.int32)
        trace.count(2 * rows.numel() * weight.shape[0])
        half = torch.empty_like(whole, dtype=torch.float16)
        if bias is not None and bias.dtype != torch.float16:
            half.add_(bias)
        return half.to(dtype or torch.float16)

    def mixed(
        rows: Tensor, quantised: Tensor, weight: Tensor, row_stats: Tensor, column_stats: Tensor, outliers: Any = None,
        bias: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        return multiply(quantised, weight, row_stats, column_stats, bias, rows.dtype), rows.new_empty(0)

    return {
        bnb.int8_vectorwise_quant.default: _quantise,
        bnb.int8_scaled_mm.default: multiply,
        bnb.int8_mixed_scaled_mm.default: mixed,
    }


def _quantise(rows: Tensor, threshold: float = 0.0) -> tuple[Tensor, Tensor, Tensor | None]:
    stats = torch.empty(rows.numel() // rows.shape[-1], dtype=torch.float32)
    quantised = torch.empty(rows.shape, dtype=torch.int8)
    columns = None
    if threshold > 0:
        outliers = rows.abs() >= threshold
        outliers.any()
        columns = torch.empty(0, dtype=torch.int64)
    return quantised, stats, columns
