"""A job's log beside its estimates, as text: how far it is, what differs, what broke, and when it will end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hbspec.render.lines import Line, cells, wrapped
from hbspec.render.rows import LEAD, Row, rows, section
from hbspec.source.excerpts import printable
from hbspec.units import Interval, bytes_text, interval_text, money_text, seconds_text, significant

if TYPE_CHECKING:
    from hbspec.estimators.job.cost import Cost
    from hbspec.watching.watched import SeenBeside, WatchedLog

STYLES = {"as predicted": "good", "above": "bad", "below": "open", "partly": "open", "not compared": "faint"}
TEXTS: dict[str, Callable[[float], str]] = {"seconds": seconds_text, "bytes": bytes_text, "number": significant}
BAR_COLUMNS = 30
HEADINGS = ("", "predicted", "measured", "verdict")


def watched_lines(watched: WatchedLog, width: int | None = None, *, now: float | None = None) -> Iterator[Line]:
    """The whole page, with what matters most first: a low terminal shows only its upper part while it is drawn again.

    Args:
        watched: the log beside the estimates.
        width: columns to fold at.
        now: seconds since 1970, for the moment at which the job will end; without it only a duration is given.
    """
    yield from _head(watched, width)
    if watched.differences:
        yield from section("Another job", width, "nothing is compared", "bad")
        for text in watched.differences:
            yield from _entry("bad", text, width)
    yield from _bounds(watched, width)
    if not watched.differences:
        yield from section("To the end", width)
        yield from rows(_end(watched, now), width)
    yield from _table(watched, width)
    yield from section("Loss", width)
    yield from rows(_loss(watched), width)
    if watched.notes:
        yield from section("Notes", width)
        for text in watched.notes:
            yield from _entry("open", text, width)


def _head(watched: WatchedLog, width: int | None) -> Iterator[Line]:
    state = printable(watched.state)
    yield from wrapped((("title", printable(watched.source)), ("", f": {state}")), width, 2 * len(LEAD))
    total = watched.forecast.updates
    if total:
        yield (("bar", bar(watched.tally.top, total, width)),)


def bar(done: int, total: int, width: int | None) -> str:
    """A progress bar.

    >>> bar(75, 300, 40)
    '[#######.......................]  25 %'
    """
    room = BAR_COLUMNS if width is None else max(4, min(BAR_COLUMNS, width - 9))
    share = min(done / total, 1.0)
    return f"[{'#' * int(share * room):.<{room}}] {int(100 * share):3d} %"


def _table(watched: WatchedLog, width: int | None) -> Iterator[Line]:
    """Predicted, measured and verdict, in columns where the width allows.

    Where it does not, what is expected is left out; where even that is too wide, they stand one below the other.
    """
    yield ()
    for text in (interval_text, _ends):
        found = [_cells(row, text, compared=not watched.differences) for row in watched.rows]
        widths = [max(cells(line[column]) for line in (HEADINGS, *found)) for column in range(3)]
        if width is None or width >= sum(widths) + 3 * len(LEAD) + len("not compared"):
            yield _columns(HEADINGS, widths, "title", "title")
            yield from (_columns(line, widths, "", STYLES[line[3]]) for line in found)
            return
    for name, predicted, measured, verdict in found:
        yield from wrapped((("title", name), ("", ": "), (STYLES[verdict], verdict)), width, len(LEAD))
        yield from wrapped((("", f"{LEAD}predicted {predicted}; measured {measured}"),), width, 2 * len(LEAD))


def _ends(interval: Interval, text: Callable[[float], str]) -> str:
    """An interval without what is expected."""
    low, high = text(interval.low), text(interval.high)
    return low if low == high else f"{low} to {high}"


def _columns(line: tuple[str, str, str, str], widths: list[int], style: str, last: str) -> Line:
    padded = LEAD.join(text + " " * (wide - cells(text)) for text, wide in zip(line, widths, strict=False))
    return ((style, padded + LEAD), (last, line[3]))


def _cells(
    row: SeenBeside, text: Callable[[Interval, Callable[[float], str]], str], *, compared: bool
) -> tuple[str, str, str, str]:
    show = TEXTS[row.unit]
    measured = "not known" if row.measured is None else text(row.measured, show)
    predicted = "not known" if row.predicted is None else text(row.predicted, show)
    return row.name, predicted, measured, row.verdict if compared else "not compared"


def _loss(watched: WatchedLog) -> Iterator[Row]:
    tally = watched.tally
    if tally.first_loss is None or tally.last_loss is None:
        yield "training", "not logged", ""
        return
    yield "training", f"{_number(tally.first_loss)} to {_number(tally.last_loss)}", f"up to update {tally.top:,}"
    if tally.evaluation_loss is not None:
        yield "evaluation", _number(tally.evaluation_loss), f"after update {tally.evaluated:,}"
    if tally.largest_gradient is not None:
        yield "gradient norm", _number(tally.largest_gradient), "at most"


def _number(value: float) -> str:
    from hbspec.watching.bounds import number_text

    return number_text(value)


def _bounds(watched: WatchedLog, width: int | None) -> Iterator[Line]:
    limits = watched.tally.bounds.limits
    broken = {breach.bound: breach for breach in watched.broken}
    if not limits and not broken:
        return
    yield from section("Bounds", width)
    for breach in watched.broken:
        yield from wrapped((("bad", f"{LEAD}broken"), ("", f"  {breach.bound}: {breach.text}")), width, 2 * len(LEAD))
    for bound in limits:
        if bound in broken:
            continue
        if bound in watched.unseen:
            said = (("open", f"{LEAD}open  "), ("", f"  {bound}: {watched.unseen[bound]}"))
        else:
            said = (("good", f"{LEAD}held  "), ("", f"  {bound}"))
        yield from wrapped(said, width, 2 * len(LEAD))


def _end(watched: WatchedLog, now: float | None) -> Iterator[Row]:
    seen = watched.forecast
    if seen.remaining is None:
        yield "remaining", "not known", ""
    elif seen.remaining.high:
        last = watched.tally.clock.last
        yield (
            "remaining",
            interval_text(seen.remaining, seconds_text),
            _moment(last if now is None else now, seen.remaining),
        )
    else:
        yield "remaining", "nothing", ""
    if seen.billed is not None:
        yield "billed so far", interval_text(seen.billed, seconds_text), "of each instance"
    if seen.billed_at_end is not None:
        limit = f"max_runtime {seconds_text(seen.limit)}" if seen.limit else ""
        yield "billed at the end", interval_text(seen.billed_at_end, seconds_text), limit
    if seen.cost is not None:
        yield "cost so far", cost_text(seen.cost), ""
    if seen.cost_at_end is not None:
        yield "cost at the end", cost_text(seen.cost_at_end), ""


def _moment(start: float | None, remaining: Interval) -> str:
    if start is None:
        return ""
    try:
        return f"expected at {datetime.fromtimestamp(start + remaining.expected, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):
        return ""


def cost_text(cost: Cost) -> str:
    """The sums of a bill with their currency."""
    interval = Interval(float(cost.low), float(cost.expected), float(cost.high))
    return interval_text(interval, lambda amount: f"{money_text(Decimal(str(amount)))} {cost.currency}")


def _entry(style: str, text: str, width: int | None) -> Iterator[Line]:
    yield from wrapped(((style, f"{LEAD}- "), ("", printable(text))), width, 2 * len(LEAD))
