"""Parts of the rows that are scored by themselves, each for a reason that stands in the table.

A row may lie in several slices. Where some are set apart, the others are a slice too, so that both figures are printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from hbspec.estimators.step.communication import on_nvlink
from measured.judged import Judged


def _under(words: str, *, without: str = "not read") -> Callable[[Judged], bool]:
    """Rows whose placement names one thing and not another."""

    def chosen(entry: Judged) -> bool:
        named = entry.row["parallelism"].lower()
        return words in named and without not in named

    return chosen


SLICES: Mapping[str, Callable[[Judged], bool]] = {
    "kernels, dtype, loss, checkpointing stated": lambda entry: entry.row.is_stated,
    "kernels, dtype, loss or checkpointing not stated": lambda entry: not entry.row.is_stated,
    "one GPU": lambda entry: entry.row.whole("n_gpus") == 1,
    "FSDP": _under("fsdp", without="no_shard"),
    "ZeRO": _under("zero"),
    "offload": _under("offload"),
    "varying lengths": lambda entry: entry.row.lengths_vary,
    "lengths all the same": lambda entry: not entry.row.lengths_vary,
    "only a cap of the lengths is stated": lambda entry: entry.row.only_caps_lengths,
    "all other lengths": lambda entry: not entry.row.only_caps_lengths,
    "losses in place": lambda entry: entry.row.loss_in_place,
    "all other losses": lambda entry: not entry.row.loss_in_place,
    "at the edge of the GPU": lambda entry: entry.at_the_edge,
    "below the edge": lambda entry: not entry.at_the_edge,
}
"""By name, which rows that train belong to it. `ZeRO` holds rows under "ddp/zero2" too, as their source has it. `at the
edge` are the largest jobs that fitted, and those that took more than 95 % of what the GPU offers."""

SHORT = 2048
"""Tokens of a micro-batch below which hooks, launches and links take longest under FSDP."""


def _gpus(entry: Judged) -> int:
    return entry.row.whole("n_gpus") or 1


def _joined(entry: Judged) -> str:
    """What joins a row's GPUs: nothing, NVLink, PCIe, or a network; nothing either where that is not known."""
    hardware = entry.case.plan.hardware if entry.case is not None else None
    if hardware is None or hardware.gpus == 1:
        return ""
    if hardware.instances > 1:
        return "network"
    return "NVLink" if on_nvlink(hardware) else "PCIe"


def _tokens(entry: Judged) -> int:
    return (entry.row.whole("seq_len") or 0) * (entry.row.whole("micro_batch") or 1)


def _method(pattern: str) -> Callable[[Judged], bool]:
    return lambda entry: bool(re.search(pattern, f"{entry.row['method']} {entry.row['quant']}".lower()))


SPEED_SLICES: Mapping[str, Callable[[Judged], bool]] = {
    "one GPU": lambda entry: _gpus(entry) == 1,
    "several GPUs over NVLink": lambda entry: _joined(entry) == "NVLink",
    "several GPUs over PCIe": lambda entry: _joined(entry) == "PCIe",
    "L40S over PCIe": lambda entry: _joined(entry) == "PCIe" and "L40S" in entry.row["gpu"],
    "A100 over PCIe": lambda entry: _joined(entry) == "PCIe" and "A100" in entry.row["gpu"],
    "several hosts": lambda entry: _joined(entry) == "network",
    f"FSDP, below {SHORT:,} tokens a micro-batch": lambda entry: (
        SLICES["FSDP"](entry) and _gpus(entry) > 1 and _tokens(entry) < SHORT
    ),
    f"FSDP, {SHORT:,} tokens a micro-batch or more": lambda entry: (
        SLICES["FSDP"](entry) and _gpus(entry) > 1 and _tokens(entry) >= SHORT
    ),
    "DeepSpeed": SLICES["ZeRO"],
    "full": _method(r"^full"),
    "LoRA": _method(r"^(rs)?lora (none)?$"),
    "QLoRA": _method(r"nf4|fp4"),
    "GPTQ": _method(r"gptq"),
    "mixtures of experts": lambda entry: bool(
        entry.case is not None and entry.case.plan.architecture and entry.case.plan.architecture.num_experts
    ),
    "packed": lambda entry: not entry.row.lengths_vary,
    "unpacked": lambda entry: entry.row.lengths_vary,
}
"""The same by what the speed depends on."""
