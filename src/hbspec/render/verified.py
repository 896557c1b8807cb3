"""What became of claims, limits and bounds, as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hbspec.render.lines import Line, wrapped
from hbspec.render.rows import LEAD, Row, rows, section
from hbspec.render.watched import TEXTS
from hbspec.source.excerpts import printable
from hbspec.units import interval_text, seconds_text

if TYPE_CHECKING:
    from hbspec.watching.spent import SeenBill
    from hbspec.watching.verified import VerifiedJob

STYLES = {"held": "good", "broken": "bad", "cannot be told": "open"}


def verified_lines(verified: VerifiedJob, width: int | None = None) -> Iterator[Line]:
    """The state of the log, each verdict, what was billed, and the numbers of verdicts."""
    found, watched = verified.judged, verified.watched
    state = printable(watched.state)
    yield from wrapped((("title", printable(watched.source)), ("", f": {state}")), width, 2 * len(LEAD))
    if watched.differences:
        yield from section("Another job", width, "nothing can be told", "bad")
        for text in watched.differences:
            yield from wrapped((("bad", f"{LEAD}- "), ("", printable(text))), width, 2 * len(LEAD))
    if not found:
        yield from section("Nothing to verify", width, "the spec has neither claims, limits nor bounds")
    else:
        yield ()
    for one in found:
        mark = (STYLES[one.verdict], f"{one.verdict:<14}")
        said = f"{LEAD}{printable(one.key)}: {printable(one.claimed)}"
        yield from wrapped((mark, ("", said), ("faint", f"; {printable(one.happened)}")), width, 2 * len(LEAD))
    if verified.bill is not None:
        yield from section("Bill", width)
        yield from rows(_billed(verified.bill), width)
    if watched.notes:
        yield from section("Notes", width)
        for text in watched.notes:
            yield from wrapped((("open", f"{LEAD}- "), ("", printable(text))), width, 2 * len(LEAD))
    if not found:
        return
    counts = {verdict: sum(one.verdict == verdict for one in found) for verdict in STYLES}
    yield ()
    yield (("title", ", ".join(f"{number} {verdict}" for verdict, number in counts.items() if number)),)


def _billed(seen: SeenBill) -> Iterator[Row]:
    """Each attempt, and what was billed of all beside what was predicted."""
    for one in seen.bill.attempts:
        told = one.billable_seconds
        billed = "not told yet" if told is None else f"{seconds_text(told)} billed"
        ran = "" if one.training_seconds is None else f"ran for {seconds_text(one.training_seconds)}"
        yield one.name, f"{one.status}, {billed}", ran
    if seen.bill.saved is not None:
        yield "saved by spot", f"{seen.bill.saved:.0%}", "of the on-demand bill"
    for row in seen.rows:
        text = TEXTS[row.unit]
        measured = "not known" if row.measured is None else interval_text(row.measured, text)
        predicted = "not known" if row.predicted is None else interval_text(row.predicted, text)
        yield row.name, measured, f"predicted {predicted}: {row.verdict}"
