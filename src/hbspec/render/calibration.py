"""What an estimate rests on where the spec names the record of a measurement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hbspec.plan.calibration import AppliedRecord
from hbspec.render.lines import Line
from hbspec.render.rows import Row, rows, section
from hbspec.source.excerpts import printable
from hbspec.units import counted


def calibration_lines(applied: AppliedRecord, width: int | None) -> Iterator[Line]:
    """Which parts of the estimate were measured, and what keeps the others from being so."""
    used = [name for name, holds in (("speed", applied.speed), ("memory", applied.memory)) if holds]
    yield from section("Measured", width, " and ".join(used) if used else "nothing of it is used")
    yield from rows(_rows(applied), width)


def _rows(applied: AppliedRecord) -> Iterator[Row]:
    found = applied.measurement
    when = f"of {printable(found.day)} on {printable(found.gpu)}"
    said = f"ran out of memory {printable(found.ran_out)}" if found.ran_out else counted(len(found.updates), "update")
    yield "record", said, when
    yield from _part("speed", applied.not_speed)
    yield from _part("memory", applied.not_memory)


def _part(name: str, reasons: Sequence[str]) -> Iterator[Row]:
    if not reasons:
        yield name, "measured", ""
    for reason in reasons:
        yield name, "estimated", printable(reason)
