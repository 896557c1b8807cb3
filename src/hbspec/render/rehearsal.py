"""The result of a rehearsal: what it proved, what it did not prove, and its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hbspec.render.lines import Line, wrapped
from hbspec.render.rows import LEAD, rows, section
from hbspec.units import count_text, significant

if TYPE_CHECKING:
    from hbspec.smoke import Rehearsal


def rehearsal_lines(rehearsal: Rehearsal, width: int | None = None) -> Iterator[Line]:
    """The loss, each comparison, the unproven statements, and the folder."""
    yield from section("Loss", width, _loss(rehearsal.run))
    yield from section("Counted as planned", width)
    for row in rehearsal.comparisons:
        mark = ("good", f"{LEAD}yes") if row.agrees else ("bad", f"{LEAD}NO ")
        planned = "" if row.agrees else f" counted, {_number(row.planned)} planned"
        yield from wrapped((mark, ("", f"{LEAD}{row.name}: {_number(row.counted)}{planned}")), width, 2 * len(LEAD))
    yield from section("Not proven", width)
    for text in rehearsal.unproven:
        yield from wrapped((("", f"{LEAD}{text}"),), width, 2 * len(LEAD))
    yield from section("Files", width)
    data = "a synthetic sample" if rehearsal.synthetic else "the given data"
    yield from rows((("trained on", data, ""), ("written to", str(rehearsal.folder), "")), width)


def _loss(run: Mapping[str, Any]) -> str:
    first, last = run.get("first_loss"), run.get("last_loss")
    if first is None or last is None:
        return "not logged"
    return f"{significant(first, 4)} at the first update, {significant(last, 4)} at the last"


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else count_text(value)
