"""The record `calibration.record` is of another job, so that it, or a part of it, is not used.

Why: A record of `hbspec measure` says what one job took. It replaces estimates only for a job on the same GPUs, of the
same model, method and parallelism, with libraries that behave alike; its speed only where a micro-batch has nearly as
many tokens, and its memory only where the longest row is as long. Nothing is scaled from one job to another. What does
not apply is estimated as if there were no record. A record that was measured on a CPU says nothing about a GPU.

Example:

    calibration: {record: ./measured.json}

Instead:

    calibration: {tokens_per_second_per_gpu: 1200}

References:

    https://docs.pytorch.org/docs/stable/notes/cuda.html#memory-management
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.analysis.record import RECORD
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.NOTE)
SHOWN = 3
"""Differences that a message names; `hbspec estimate` lists all."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the record with the plan."""
    found = analysis.plan.measured
    if found is None or not found.differences:
        return
    part = "speed" if found.memory else "memory" if found.speed else None
    named = found.differences[:SHOWN]
    more = len(found.differences) - len(named)
    said = "; ".join(named) + (f"; and {more} more" if more else "")
    yield RULE.at(
        RECORD,
        f"the {part} of the record is not used: {said}" if part else f"the record is not used: {said}",
        "measure this job with `hbspec measure`, or delete the key",
    )
