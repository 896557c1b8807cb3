"""What a rehearsal proved, did not prove, and where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from hbspec.render.lines import Line, wrapped
from hbspec.render.rows import LEAD, rows, section
from hbspec.units import count_text, significant


class Compared(Protocol):
    """The shape of `hbspec.smoke.Comparison`."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def planned(self) -> float | str: ...  # noqa: D102
    @property
    def counted(self) -> float | str: ...  # noqa: D102
    @property
    def agrees(self) -> bool: ...  # noqa: D102


class Rehearsed(Protocol):
    """The shape of `hbspec.smoke.Rehearsal`."""

    @property
    def folder(self) -> Path: ...  # noqa: D102
    @property
    def run(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def comparisons(self) -> Sequence[Compared]: ...  # noqa: D102
    @property
    def unproven(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def synthetic(self) -> bool: ...  # noqa: D102


def rehearsal_lines(rehearsal: Rehearsed, width: int | None = None) -> Iterator[Line]:
    """Loss, each comparison, what was not proven, and the folder."""
    yield from section("Loss", width, _loss(rehearsal.run))
    yield from section("Counted as planned", width)
    for row in rehearsal.comparisons:
        mark = ("good", f"{LEAD}yes") if row.agrees else ("bad", f"{LEAD}NO ")
        found = _number(row.counted) if row.agrees else f"{_number(row.counted)} counted, {_number(row.planned)} planned"
        yield from wrapped((mark, ("", f"{LEAD}{row.name}: {found}")), width, 2 * len(LEAD))
    yield from section("Not proven", width)
    for text in rehearsal.unproven:
        yield from wrapped((("", f"{LEAD}{text}"),), width, 2 * len(LEAD))
    yield from section("Files", width)
    data = "a synthetic sample" if rehearsal.synthetic else "the data given"
    yield from rows((("trained on", data, ""), ("everything is in", str(rehearsal.folder), "")), width)


def _loss(run: Mapping[str, Any]) -> str:
    losses = [entry["loss"] for entry in run.get("log", ()) if "loss" in entry]
    if not losses:
        return "not logged"
    return f"{significant(losses[0])} at the first update, {significant(losses[-1])} at the last"


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else count_text(value)
