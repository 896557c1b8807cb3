"""Where a CPU would allocate something else than a GPU does: the same program with the GPU's allocations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import bitsandbytes
import torch
import transformers.masking_utils
import trl.kernels.chunked_logprob as chunked
import trl.trainer.utils as trl_utils
from peft.tuners.lora import dora
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

from hbspec.recording.cuda import cuda_lists
from oracle import eight_bit
from oracle.build import dequantised
from oracle.tracer import FLOPS, Trace

aten = torch.ops.aten


@contextmanager
def cuda_allocations(trace: Trace, *, packed: bool, scored: int, experts: int) -> Iterator[None]:
    """Replaces what differs.

    - Dropout keeps a mask of one byte a number (`native_dropout`); on a CPU a noise tensor of the input's dtype.
    - Attention with dropout: a flash kernel keeps its seed and its offset; a CPU computes all scores.
    - Attention whose values are not as wide as its queries: CUDA's memory-efficient kernel; a CPU computes all scores.
    - Autocast: its lists, and whether it is on, which peft asks for the GPU.
    - bitsandbytes' `gemm_4bit` dequantises the weight before the product (above 1,536 tokens; below, some GPUs have a
      kernel that does not), which its fake kernel hides.
    - TRL's head folds each tile of logits in a Triton kernel, which allocates nothing, and multiplies into fp32 sums.
    - Grouped products of experts take float32 too, which their fake kernel refuses.
    - Every expert that runs by itself is visited, by as many tokens as any other.
    - Whether a batch is packed is read off its values, as is how many positions have a label; a fake has none.

    Args:
        trace: the trace that runs inside.
        packed: whether rows hold several examples.
        scored: positions with a label.
        experts: that run one after another, each with its share of the tokens; 0 for none.
    """

    def index(x: Tensor, indices: list[Tensor | None]) -> Any:
        mask = indices[0]
        if isinstance(x, FakeTensor) and mask is not None and mask.dtype == torch.bool:
            return x.new_empty((scored, *x.shape[mask.ndim :]))
        return NotImplemented

    def grouped(left: Tensor, right: Tensor, offsets: Tensor | None = None, *args: Any) -> Any:
        if not isinstance(left, FakeTensor) or left.dtype == torch.bfloat16:
            return NotImplemented
        trace.count(FLOPS[aten._grouped_mm](left, right))
        groups = () if offsets is None or right.ndim == 3 else (offsets.shape[0],)
        return left.new_empty((*groups, left.shape[0], right.shape[-1]))

    def masked_select(x: Tensor, mask: Tensor) -> Any:
        return x.new_empty((scored,)) if isinstance(x, FakeTensor) else NotImplemented

    def nonzero(x: Tensor) -> Any:
        if not isinstance(x, FakeTensor) or not experts:
            return NotImplemented
        return x.new_empty((experts if x.ndim == 1 else x.numel() // experts, x.ndim), dtype=torch.int64)

    def number(x: Tensor) -> Any:
        return 0 if isinstance(x, FakeTensor) and experts and x.dtype == torch.int64 else NotImplemented

    def multiply(sums: Tensor, left: Tensor, right: Tensor) -> None:
        trace.count(2 * left.shape[0] * left.shape[1] * right.shape[1])

    autocast = torch.is_autocast_enabled
    patches: list[tuple[Any, str, Any]] = [
        (torch.nn.functional, "dropout", _dropout),
        (torch.nn.functional, "scaled_dot_product_attention", _fused_attention),
        (torch, "is_autocast_enabled", lambda device="cpu": autocast(device)),
        (dora, "dequantize_module_weight", dequantised),
        (bitsandbytes, "matmul", eight_bit.matmul),
        (chunked, "_use_triton", lambda device: True),
        (trl_utils, "_use_triton", lambda device: True),
        (chunked, "_forward_kernel", _Launch()),
        (chunked, "_backward_kernel", _Launch()),
        (chunked, "triton", SimpleNamespace(cdiv=lambda a, b: -(-a // b))),
        (chunked, "_addmm_fp32", multiply),
    ]
    if not packed:
        patches.append((transformers.masking_utils, "find_packed_sequence_indices", lambda *args, **kwargs: None))
    with ExitStack() as changed:
        changed.enter_context(cuda_lists())
        for target, name, replacement in patches:
            changed.enter_context(patch.object(target, name, replacement, create=True))
        trace.replaced = {
            torch.ops.bitsandbytes.gemm_4bit.default: _gemm_4bit,
            **eight_bit.kernels(trace),
            aten._grouped_mm.default: grouped,
            aten.index.Tensor: index,
            aten.masked_select.default: masked_select,
            aten.nonzero.default: nonzero,
            aten._local_scalar_dense.default: number,
        }
        yield


def _dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    return torch.native_dropout(x, p, True)[0] if training and p > 0 else x


_attention = torch.nn.functional.scaled_dot_product_attention


def _fused_attention(query: Tensor, key: Tensor, value: Tensor, dropout_p: float = 0.0, **kwargs: Any) -> Tensor:
    if query.shape[-1] == value.shape[-1]:
        return _attention(query, key, value, **kwargs)
    if torch.is_autocast_enabled("cpu"):
        query, key, value = (x.to(torch.get_autocast_dtype("cpu")) for x in (query, key, value))
    mask, causal = kwargs.get("attn_mask"), kwargs.get("is_causal", False)
    if mask is not None and mask.dtype == torch.bool:
        mask = torch.where(mask, torch.zeros((), dtype=query.dtype), torch.full((), -torch.inf, dtype=query.dtype))
    bias = None if mask is None else mask.expand(*query.shape[:2], -1, -1)
    return aten._scaled_dot_product_efficient_attention(query, key, value, bias, True, 0.0, causal)[0]


def _gemm_4bit(
    x: Tensor,
    packed: Tensor,
    shape: list[int],
    scales: Tensor,
    block: int,
    kind: str,
    bias: Tensor | None = None,
    absmax_8bit: Tensor | None = None,
    absmax_code: Tensor | None = None,
    absmax_offset: Tensor | None = None,
) -> Tensor:
    """bitsandbytes 0.50.2, `backends/cuda/ops.py`, `_dequant_linear_fallback`."""
    whole = scales
    if absmax_8bit is not None:
        unpacked = torch.ops.bitsandbytes.dequantize_blockwise(absmax_8bit, scales, absmax_code, 256, torch.float32)
        whole = unpacked + absmax_offset
    weight = torch.ops.bitsandbytes.dequantize_4bit(packed, whole, block, kind, shape, x.dtype)
    return torch.nn.functional.linear(x, weight, bias)


class _Launch:
    """A Triton kernel that runs nowhere."""

    def __getitem__(self, grid: Any) -> Any:
        return lambda *args, **kwargs: None
