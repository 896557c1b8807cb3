"""The batch of all GPUs together: how many rows a GPU takes at once, and how often before an update."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hbspec.frontends.reading.foreign import ForeignKey

if TYPE_CHECKING:
    from hbspec.frontends.reading.building import Building

TRAINING = "hyperparameters"
ROWS, TIMES = (TRAINING, "per_device_batch_size"), (TRAINING, "gradient_accumulation_steps")


class GlobalBatch(NamedTuple):
    """Rows of an update, where a file says those of all GPUs.

    Attributes:
        given: the key that says them; None if it is the program's default.
        total: rows of an update.
        rows: rows that a GPU takes at once, or at most.
        by: the key that says `rows`; None if it is a default.
        fills: whether a GPU takes fewer rows where its part of the update is smaller.
        gpus: the GPUs of the job, as the file says them.
        source: of the defaults.
    """

    given: ForeignKey | None
    total: int
    rows: int
    by: ForeignKey | None
    fills: bool
    gpus: int
    source: str


def share(building: Building, batch: GlobalBatch, gpus: int | None) -> None:
    """The rows of one GPU, and the micro-batches of an update; `gpus` are those of the hardware, if it is known."""
    across = building.value(("instance", "tensor_parallel")) or 1
    ranks = max(1, (gpus or batch.gpus) // (across if isinstance(across, int) else 1))
    each = max(1, batch.total // ranks)
    _put(building, ROWS, batch.by, min(batch.rows, each) if batch.fills else batch.rows, batch.source)
    rows = building.value(ROWS)
    if not isinstance(rows, int) or rows < 1 or building.has(TIMES):
        return
    times = max(1, each // rows)
    _put(building, TIMES, batch.given, times, batch.source)
    taken = rows * times * ranks
    if batch.given and taken != batch.total:
        message = (
            f"{batch.given.key} is {batch.total} for all GPUs together, and {ranks} GPUs with {rows} rows at a time "
            f"cannot share it: an update is taken to have {taken}"
        )
        action = f"use a multiple of {ranks * rows}, or other hardware"
        building.imprecise(batch.given, message, action)


def _put(building: Building, route: tuple[str, str], given: ForeignKey | None, value: int, source: str) -> None:
    if building.has(route):
        return
    if given:
        building.put(route, given, value)
    else:
        building.default(route, value, source)
