"""One published measurement, as the CSV has it: texts with the numbers read out of them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hbspec.units import HOUR

COLUMNS = (
    *("id", "source_title", "source_locator", "kind", "model_id", "params_b", "method", "quant", "compute_dtype"),
    *(
        "optimizer",
        "lora_r",
        "lora_targets",
        "seq_len",
        "micro_batch",
        "grad_accum",
        "gradient_checkpointing",
        "attention",
        "fused_ce",
    ),
    *("parallelism", "n_gpus", "gpu", "framework", "peak_allocated_bytes", "peak_reserved_bytes", "process_bytes"),
    *("peak_bytes_unknown_metric", "oom", "tokens_per_s_per_gpu", "step_time_s", "total_time_h", "total_cost_usd"),
    *("grade", "notes"),
)
"""The columns that are read; a file may have more."""

MEMORY = {
    "peak_allocated": "peak_allocated_bytes",
    "peak_reserved": "peak_reserved_bytes",
    "process": "process_bytes",
    "unknown_metric": "peak_bytes_unknown_metric",
}
"""What is scored in bytes, by column. Sources of an unknown metric do not say which of the other three they read."""

TIME = {
    "tokens_per_second_per_gpu": "tokens_per_s_per_gpu",
    "total_time": "total_time_h",
    "total_cost": "total_cost_usd",
}
"""What is scored of speed, seconds and dollars, by column."""

UNITS = {"total_time": HOUR}
"""What a cell's number is in the metric's unit, where that is another one."""

FRONTIER = r"^FRONTIER"
LARGEST = r"\bmax(imum)? (batch size|length)\b"
"""Notes that begin so, titles that say so: the row is the largest job that fitted, and its bytes are not its peak."""

VARYING = r"variable.?length|unpacked|padded not packed|token stats|samples dropped"
"""Notes on data whose rows differ in length: the cap says nothing about speed."""

STATED = ("attention", "compute_dtype", "gradient_checkpointing", "fused_ce")
"""What decides the tensors of a step, beside the model, the method and the batch."""

KERNEL_ASSUMED = r"attention[^;]*assumed"
"""Notes on a row whose kernel is a guess, though its cell holds one."""


class TableError(Exception):
    """A file that is not a table of measurements; the message is one line."""


@dataclass(frozen=True)
class Row:
    """One run.

    Attributes:
        cells: the texts by column, stripped.
    """

    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    @cached_property
    def source(self) -> str:
        """Who measured: the title without what names one table or one run of it.

        >>> Row({"source_title": "PEFT method_comparison MetaMathQA: lora--rank32"}).source
        'PEFT method_comparison MetaMathQA'
        >>> Row({"source_title": "torchtitan H100 benchmarks T4"}).source
        'torchtitan'
        """
        words = self["source_title"].partition(":")[0].split()
        numbered = next((index for index, word in enumerate(words) if re.search(r"[\d(]", word)), len(words))
        return " ".join(words[: max(1, numbered)]) or "not named"

    @property
    def is_serving(self) -> bool:
        """Whether it generates text; otherwise it trains."""
        return self["kind"] == "infer"

    @property
    def out_of_memory(self) -> bool:
        """Whether it ran out of memory, by its own words or because it never finished."""
        return self["oom"].lower() in ("yes", "inferred", "y", "true")

    @property
    def is_frontier(self) -> bool:
        """Whether it is the largest job that fitted: one more token or row would not have."""
        return bool(re.search(FRONTIER, self["notes"]) or re.search(LARGEST, self["source_title"]))

    @property
    def lengths_vary(self) -> bool:
        """Whether its examples differ in length, and no two micro-batches are alike."""
        return bool(re.search(VARYING, self["notes"], re.IGNORECASE))

    @property
    def only_caps_lengths(self) -> bool:
        """Whether its examples differ in length, and of the longest only a cap is said, which it may not reach."""
        return self.lengths_vary and "max_seq_length" in self["notes"]

    @property
    def loss_in_place(self) -> bool:
        """Whether fms-acceleration's kernel writes the gradient over the logits."""
        return "foak" in self["fused_ce"].lower()

    @property
    def is_stated(self) -> bool:
        """Whether the source states kernels, dtype, loss and checkpointing, and the row is fully specified (grade A).

        >>> said = {"attention": "sdpa", "compute_dtype": "bf16", "gradient_checkpointing": "y", "fused_ce": "n"}
        >>> Row({**said, "grade": "A", "notes": ""}).is_stated, Row({**said, "grade": "B", "notes": ""}).is_stated
        (True, False)
        """
        said = all(self[column] and "?" not in self[column] for column in STATED)
        assumed = re.search(KERNEL_ASSUMED, self["notes"], re.IGNORECASE)
        return self["grade"] == "A" and said and not assumed

    def number(self, column: str) -> float | None:
        """The number that a cell begins with; None where it begins with none."""
        found = re.match(r"[-+]?\d[\d,]*\.?\d*(?:[eE][-+]?\d+)?", self[column])
        return float(found[0].replace(",", "")) if found else None

    def whole(self, column: str) -> int | None:
        """The whole number above zero that a cell begins with; None where there is none."""
        value = self.number(column)
        return int(value) if value is not None and value >= 1 else None

    def measured(self, metric: str) -> float | None:
        """A value of `MEMORY` or `TIME`; None where not measured, or where it is a range, or none of this job."""
        cell = {**MEMORY, **TIME}[metric]
        value = self.number(cell)
        if not value or self.out_of_memory or (metric in MEMORY and self.is_frontier):
            return None
        if metric == "tokens_per_second_per_gpu" and self.is_of_whole_job:
            return None
        return None if re.search(r"\d ?- ?\d", self[cell]) else value * UNITS.get(metric, 1)

    @property
    def is_of_whole_job(self) -> bool:
        """Whether what is given as a rate of its steps is that of a job with its evaluations and checkpoints."""
        return bool(re.search(r"includ\w+ eval", self["notes"]))

    def stated_trainable(self) -> float | None:
        """How many parameters are trained, as the source prints it; to one part in a thousand or better."""
        found = re.search(
            r"trainable(?: params)?:? ([\d,]{6,})|([\d,]{7,}) trainable", f"{self['lora_targets']} {self['notes']}"
        )
        return float((found[1] or found[2]).replace(",", "")) if found else None


def read_rows(paths: Iterable[Path]) -> tuple[Row, ...]:
    """The rows of some files, one after another.

    Raises:
        TableError: a file that cannot be read, is not CSV, or lacks a column.
    """
    return tuple(row for path in paths for row in _read(path))


def _read(path: Path) -> tuple[Row, ...]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise TableError(f"{path} has no column {', '.join(missing[:4])}{' …' if len(missing) > 4 else ''}")
            rows = tuple(Row({column: (cells[column] or "").strip() for column in COLUMNS}) for cells in reader)
    except OSError as reason:
        raise TableError(f"{path} cannot be read: {reason.strerror}") from reason
    except (UnicodeDecodeError, csv.Error) as reason:
        raise TableError(f"{path} is not CSV in UTF-8: {reason}") from reason
    return rows
