"""The GPUs of one host at their peaks, as reports tell them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from hbspec.estimators.verdict import Verdict, verdict, worst
from hbspec.units import Interval

NOTHING = Interval.exact(0)


class Expectation(StrEnum):
    """What is expected of a process in a GPU's memory, whatever its interval leaves open."""

    FITS = "fits"
    WITHOUT_RESERVE = "fits_without_reserve"
    """What it needs fits; with what the allocator would reserve beside that, it does not."""
    DOES_NOT_FIT = "does_not_fit"
    UNKNOWN = "unknown"


LEAST_HOPEFUL_FIRST = (
    Expectation.DOES_NOT_FIT,
    Expectation.UNKNOWN,
    Expectation.WITHOUT_RESERVE,
    Expectation.FITS,
)


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """One GPU at its peak.

    Attributes:
        index: index of the GPU on its host.
        terms: bytes of tensors by name; they add up to `peak_allocated.expected`.
        moment: the moment of the peak: "load", "forward", "loss", "recompute", "backward", "optimizer", "evaluation" or
            "save".
        peak_allocated: bytes as reported by `torch.cuda.max_memory_allocated`.
        peak_reserved: bytes as reported by `torch.cuda.max_memory_reserved`.
        process: bytes as reported by `nvidia-smi`: with context, fragmentation and communicators.
        usable: bytes that PyTorch can use on this GPU, None where not known.
        needed: bytes without which the process is not expected to run: its tensors and the CUDA context. The allocator
            gives free segments back before it fails, and pages of an optimizer move to the host.
        paged: bytes of optimizer states in managed memory, which torch does not count: `process` leaves them out at its
            low end, counts them at its high end, and expects those that find room.
        paged_out: bytes of them that find no room, and move over PCIe in every update.
        freed: bytes freed before the peak that stay unused in the allocator, see `reserved_bytes`.
    """

    index: int
    terms: Mapping[str, int]
    moment: str
    peak_allocated: Interval
    peak_reserved: Interval
    process: Interval
    usable: int | None
    needed: float = 0
    paged: int = 0
    paged_out: Interval = NOTHING
    freed: int = 0

    @property
    def verdict(self) -> Verdict:
        """Whether the process fits into `usable`.

        The low end of `process` is capped at `usable` where only the allocator's reserve, which it can release, would
        exceed it.
        """
        return verdict(self.process, self.usable)

    @property
    def expected_to_fail(self) -> bool:
        """Whether the process is expected to need more than `usable`; so it is wherever it is certain not to fit."""
        return self.usable is not None and self.needed > self.usable

    @property
    def expectation(self) -> Expectation:
        """What is expected; FITS only where the expected `process`, which is what is printed, is within `usable`."""
        if self.usable is None:
            return Expectation.UNKNOWN
        if self.expected_to_fail:
            return Expectation.DOES_NOT_FIT
        return Expectation.WITHOUT_RESERVE if self.process.expected > self.usable else Expectation.FITS

    @property
    def without_reserve(self) -> bool:
        """Whether nothing is counted that the allocator would reserve beside the tensors."""
        return self.peak_reserved == self.peak_allocated

    def to_dict(self) -> dict[str, Any]:
        """One of the `devices` of `hbspec estimate --format json`."""
        return {
            "index": self.index,
            "moment": self.moment,
            "terms": dict(self.terms),
            "peak_allocated_bytes": self.peak_allocated.map(round).to_dict(),
            "peak_reserved_bytes": self.peak_reserved.map(round).to_dict(),
            "process_bytes": self.process.map(round).to_dict(),
            "needed_bytes": round(self.needed),
            "paged_bytes": self.paged,
            "usable_bytes": self.usable,
            "expectation": self.expectation,
        }


class Memory(NamedTuple):
    """Memory of every GPU of one host; all hosts are alike."""

    devices: tuple[DeviceMemory, ...]

    @property
    def fullest(self) -> DeviceMemory:
        """The GPU whose process is expected to be the largest."""
        return max(self.devices, key=lambda device: device.process.expected)

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all GPUs."""
        return worst(device.verdict for device in self.devices)

    @property
    def expectation(self) -> Expectation:
        """The least hopeful expectation of all GPUs."""
        return min((device.expectation for device in self.devices), key=LEAST_HOPEFUL_FIRST.index)

    def to_dict(self) -> dict[str, Any]:
        """The `memory` of `hbspec estimate --format json`."""
        devices = [device.to_dict() for device in self.devices]
        return {"verdict": self.verdict, "expectation": self.expectation, "devices": devices}
