"""GPUs: usable memory, speed and capabilities."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from hbspec.catalog.rows import GIB, GIGA, MIB, TERA, flag, number, rows, whole


class Gpu(NamedTuple):
    """One GPU model. None always means "not known".

    Attributes:
        name: the key, with the memory size for a model sold in two sizes: `A100-40`, `T4`.
        compute_capability: CUDA's (major, minor).
        nominal_bytes: memory in bytes as listed by the EC2 API.
        usable_bytes: the device's total memory in bytes as reported by PyTorch, the smallest value observed.
        bandwidth: memory bandwidth, bytes/s.
        fp32_flops: FLOP/s in float32, without tensor cores.
        fp16_flops: dense tensor-core FLOP/s, without sparsity; likewise for bf16 and fp8.
        bf16: whether the hardware computes in bfloat16; otherwise PyTorch emulates it slowly.
        flash_attention_2: whether FlashAttention-2 runs, which needs compute capability 8.0.
        nvlink_bandwidth: bytes/s, both directions together; 0.0 for a GPU without NVLink.
        pcie_generation: None also where sources contradict each other; see `note`.
    """

    name: str
    marketing_name: str
    compute_capability: tuple[int, int] | None
    nominal_bytes: int | None
    usable_bytes: int | None
    bandwidth: float | None
    fp32_flops: float | None
    fp16_flops: float | None
    bf16_flops: float | None
    fp8_flops: float | None
    bf16: bool | None
    flash_attention_2: bool | None
    nvlink_bandwidth: float | None
    pcie_generation: float | None
    source: str
    checked: date
    note: str = ""


USABLE_SHARE = 0.98
"""The share of its memory that PyTorch can use on a GPU outside the catalog. The catalog's rows lie between 0.983 and
0.996, except the T4, whose error correction takes a tenth."""


def unlisted_gpu(name: str, memory: int) -> Gpu:
    """A GPU for which only the nominal memory in bytes is known: enough to decide whether a job fits."""
    return Gpu(
        name=name,
        marketing_name=name,
        compute_capability=None,
        nominal_bytes=memory,
        usable_bytes=int(memory * USABLE_SHARE),
        bandwidth=None,
        fp32_flops=None,
        fp16_flops=None,
        bf16_flops=None,
        fp8_flops=None,
        bf16=None,
        flash_attention_2=None,
        nvlink_bandwidth=None,
        pcie_generation=None,
        source="instance.gpu_memory",
        checked=date.min,
        note="described by the author of the spec",
    )


def load_gpus() -> Mapping[str, Gpu]:
    """All GPUs of the catalog, by name."""
    return {row["name"]: _gpu(row) for row in rows("gpus.csv")}


def _gpu(row: Mapping[str, str]) -> Gpu:
    major, _, minor = row["compute_capability"].partition(".")
    return Gpu(
        name=row["name"],
        marketing_name=row["marketing_name"],
        compute_capability=(int(major), int(minor)) if major else None,
        nominal_bytes=whole(row["nominal_mib"], MIB),
        usable_bytes=whole(row["usable_gib"], GIB),
        bandwidth=number(row["bandwidth_gb_s"], GIGA),
        fp32_flops=number(row["fp32_tflops"], TERA),
        fp16_flops=number(row["fp16_tflops"], TERA),
        bf16_flops=number(row["bf16_tflops"], TERA),
        fp8_flops=number(row["fp8_tflops"], TERA),
        bf16=flag(row["bf16"]),
        flash_attention_2=flag(row["flash_attention_2"]),
        nvlink_bandwidth=number(row["nvlink_gb_s"], GIGA),
        pcie_generation=number(row["pcie_generation"]),
        source=row["source"],
        checked=date.fromisoformat(row["checked"]),
        note=row["note"],
    )
