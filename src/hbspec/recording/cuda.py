"""The program as CUDA runs it, on fake CPU tensors: autocast's lists, and dropout by one kernel.

Sources: torch 2.13, `ATen/autocast_mode.h`, `AT_FORALL_FP32`, `AT_FORALL_FP32_SET_OPT_DTYPE` and
`AT_FORALL_DIFFERENT_REDISPATCH_SIGNATURE`, as far as a decoder's step calls them. The lists of what runs
in 16 bits hold the same products and attention on both, but for `einsum`, which only CUDA's casts before it lays its
operands out for a product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

HALVES = (torch.float16, torch.bfloat16)
INPUTS_IN_FP32 = (
    "exp",
    "expm1",
    "log",
    "reciprocal",
    "rsqrt",
    "pow.Tensor_Scalar",
    "pow.Tensor_Tensor",
    "softplus",
    "layer_norm",
    "rms_norm",
    "logsumexp",
)
RESULT_IN_FP32 = ("softmax.int", "log_softmax.int", "cumsum", "linalg_vector_norm", "sum", "sum.dim_IntList")
"""Run with `dtype=float32` unless the caller names a dtype."""


@contextmanager
def cuda_lists() -> Iterator[None]:
    """Add those operations to the CPU's autocast for a while."""
    library = torch.library.Library("aten", "IMPL")
    for name in INPUTS_IN_FP32:
        library.impl(name, _inputs_in_fp32(_operator(name)), "AutocastCPU")
    for name in RESULT_IN_FP32:
        library.impl(name, _result_in_fp32(_operator(name)), "AutocastCPU")
    library.impl("einsum", _operands_in_16_bits(_operator("einsum")), "AutocastCPU")
    try:
        yield
    finally:
        library._destroy()


def dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:  # noqa: ARG001
    """CUDA's, which keeps a mask of bytes."""
    return torch.native_dropout(x, p, True)[0] if training and p > 0 else x


def laid_out_like(query: Tensor, width: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """How a kernel lays out what it puts out: as the queries are, from the outermost dimension to the innermost.

    Its shape in that order, and where each dimension of the result is in it (torch's flash kernels, `empty_like`).
    """
    outer = sorted(range(query.dim()), key=lambda place: (-query.stride(place), place))
    shape = (*query.shape[:-1], width)
    return tuple(shape[place] for place in outer), tuple(outer.index(place) for place in range(query.dim()))


def _operator(name: str) -> Any:
    packet, _, overload = name.partition(".")
    return getattr(getattr(torch.ops.aten, packet), overload or "default")


def _below_autocast(call: Any, *args: Any, **kwargs: Any) -> Any:
    with torch._C._ExcludeDispatchKeyGuard(torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastCPU)):
        return call(*args, **kwargs)


def _inputs_in_fp32(call: Any) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        return _below_autocast(call, *(_single(value) for value in args), **kwargs)

    return run


def _result_in_fp32(call: Any) -> Callable[..., Any]:
    def run(first: Tensor, *args: Any, **kwargs: Any) -> Any:
        # softmax takes its dtype by position
        named = kwargs.get("dtype") is not None or any(isinstance(value, torch.dtype) for value in args)
        if named or not first.is_floating_point() or first.dtype == torch.float64:
            return _below_autocast(call, first, *args, **kwargs)
        kept = tuple(value for value in args if value is not None)
        return _below_autocast(call, first, *kept, **{**kwargs, "dtype": torch.float32})

    return run


def _operands_in_16_bits(call: Any) -> Callable[..., Any]:
    def run(equation: str, operands: list[Tensor], **kwargs: Any) -> Any:
        narrow = torch.get_autocast_dtype("cpu")
        cast = [x.to(narrow) if x.dtype in (torch.float32, *HALVES) else x for x in operands]
        return _below_autocast(call, equation, cast, **kwargs)

    return run


def _single(value: Any) -> Any:
    return value.to(torch.float32) if isinstance(value, Tensor) and value.dtype in HALVES else value
