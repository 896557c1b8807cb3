"""Parts of the rows that are scored by themselves, each for a reason that stands in the table.

A row may lie in several slices. Where some are set apart, the others are a slice too, so that both figures are printed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
