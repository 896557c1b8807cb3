"""What a rank tells of itself: the time of its updates, the memory of its GPUs, and what the trainer is about to do."""

from __future__ import annotations

import time
from typing import Any

import torch


class StepClock:
    """The time of updates, without that between them.

    Attributes:
        busy: seconds since the last metric line.
        steps: updates since then.
    """

    def __init__(self) -> None:
        self.busy, self.steps, self._mark = 0.0, 0, 0.0

    def tick(self, *, working: bool) -> None:
        """A moment that ends a time; `working` if it was that of an update."""
        now = time.monotonic()
        self.busy += now - self._mark if working else 0.0
        self._mark = now

    def end_step(self) -> None:
        """An update has ended."""
        self.steps += 1
        self.tick(working=True)

    def take(self) -> float:
        """Mean seconds of an update since the last metric line."""
        mean = self.busy / max(self.steps, 1)
        self.busy, self.steps = 0.0, 0
        return mean


def gpu_memory() -> dict[str, int]:
    """Bytes in use on the fullest GPU of this process, and what it allocated and reserved of one at most.

    Empty without GPUs.

    GPUs that the process does not use are not asked: the question alone would take hundreds of megabytes of each.
    """
    peaks = {device: torch.cuda.max_memory_allocated(device) for device in range(torch.cuda.device_count())}
    free_total = [torch.cuda.mem_get_info(device) for device, peak in peaks.items() if peak]
    if not free_total:
        return {}
    return {
        "gpu_memory_bytes": max(total - free for free, total in free_total),
        "gpu_peak_allocated_bytes": max(peaks.values()),
        "gpu_reserved_bytes": max(torch.cuda.max_memory_reserved(device) for device, peak in peaks.items() if peak),
    }


def gpus() -> list[dict[str, Any]]:
    """The GPUs in this process's sight; what PyTorch calls them, and their bytes. Takes no memory of any."""
    seen = [torch.cuda.get_device_properties(device) for device in range(torch.cuda.device_count())]
    return [{"name": gpu.name, "total_bytes": gpu.total_memory} for gpu in seen]


def planned(args: Any, state: Any) -> dict[str, Any]:
    """What the trainer is about to do."""
    return {
        "updates": state.max_steps,
        "after": state.global_step,
        "ranks": args.world_size,
        "micro_batch": args.per_device_train_batch_size,
        "accumulation": args.gradient_accumulation_steps,
    }
