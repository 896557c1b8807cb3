"""Disk space of one host: downloaded and written files, and the disk that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any, NamedTuple

from hbspec.estimators.job.bounded import spanned
from hbspec.estimators.job.phases import data_text, merged_bytes, weights_on_disk
from hbspec.estimators.verdict import Verdict, verdict
from hbspec.plan import Plan
from hbspec.plan.plan import EXPECTED
from hbspec.units import GB, Interval

DEFAULT_VOLUME = 30 * GB
"""Default size of the volume: `volume_size_in_gb` in SageMaker's SDK and in compiled requests."""

PREPARED_BYTES_PER_TOKEN = Interval(0, 26, 54)
"""Bytes of prepared data on disk per token: columns of 8-byte integers (input ids, labels, masks) in the cache of
`datasets`, for the tokenised copy and for its packed or truncated copies. An assumption."""


class Storage(NamedTuple):
    """Disk space of one host; all hosts are alike.

    Attributes:
        terms: bytes by name.
        place: "NVMe" or "volume", or "disk" where not known.
        capacity: bytes of the disk, None where not known.
        chosen: whether the spec sets the size.
        perhaps_more: whether the host may also have local storage of unknown size.
    """

    terms: Mapping[str, Interval]
    place: str
    capacity: int | None
    chosen: bool
    perhaps_more: bool = False

    @property
    def needed(self) -> Interval:
        """Bytes of all terms."""
        return sum(self.terms.values(), Interval.exact(0))

    @property
    def verdict(self) -> Verdict:
        """Whether `needed` fits into `capacity`; at worst TIGHT where there may be more storage."""
        found = verdict(self.needed, self.capacity)
        return Verdict.TIGHT if found is Verdict.DOES_NOT_FIT and self.perhaps_more else found

    def to_dict(self) -> dict[str, Any]:
        """The `host.disk` of `hbspec estimate --format json`."""
        return {
            "verdict": self.verdict,
            "place": self.place,
            "bytes": self.needed.map(round).to_dict(),
            "capacity_bytes": self.capacity,
            "terms": {name: size.map(round).to_dict() for name, size in self.terms.items()},
        }


def storage(plan: Plan, *, volume: int | None, kept: int | None) -> Storage:
    """Disk space that a job needs on one host.

    weights: the published files, once (the Hub's cache links to them). checkpoints: the kept ones, and at most one
    more, since the oldest is deleted after the newest is written (transformers 5.23.0, `Trainer._save_checkpoint`).
    result: the weights saved at the end, and the merged model where a script writes one. data: the text, unless it is
    streamed (FastFile), and its tokenised copies. An instance with NVMe has no volume (SageMaker ignores `volume`); an
    instance without NVMe has one.

    Left out: the container's image, which is stored elsewhere, and logs.

    Args:
        plan: the plan.
        volume: `instance.volume` in bytes; None for `DEFAULT_VOLUME`.
        kept: number of checkpoints kept; None keeps all.

    Raises:
        NotKnownError: the architecture, the trainable parameters, the hardware or the counts are not known.
    """
    if plan.between is not None:
        found = [storage(one, volume=volume, kept=kept) for one in plan.between.plans]
        usual = found[EXPECTED]
        return usual._replace(terms=spanned([one.terms for one in found], usual.terms))
    hardware = plan.require("hardware")
    terms = {
        "weights": Interval.exact(weights_on_disk(plan)),
        "checkpoints": _checkpoints(plan, kept),
        "result": Interval.exact(plan.require("adapter_bytes") + (merged_bytes(plan) if plan.merges else 0)),
        "data": _data(plan),
    }
    terms = {name: size for name, size in terms.items() if size.high}
    row = hardware.instance
    if row is None:
        return Storage(terms, "disk", None, chosen=False)
    if row.nvme_bytes:
        return Storage(terms, "NVMe", row.nvme_bytes, chosen=False)
    unknown = row.nvme_bytes is None
    return Storage(terms, "volume", volume or DEFAULT_VOLUME, chosen=volume is not None, perhaps_more=unknown)


def _checkpoints(plan: Plan, kept: int | None) -> Interval:
    updates = plan.updates
    if plan.saves_every is None:
        return Interval.exact(0)
    size, written = plan.require("checkpoint_bytes"), ceil(updates / plan.saves_every)
    held = written if kept is None else min(kept, written)
    return Interval(held * size, held * size, min(held + 1, written) * size)


def _data(plan: Plan) -> Interval:
    prepared = plan.lengths.mean * plan.require("counts").examples * PREPARED_BYTES_PER_TOKEN
    return prepared if plan.streams_data else prepared + data_text(plan)
