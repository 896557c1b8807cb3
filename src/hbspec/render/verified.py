"""What became of claims, limits and bounds, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hbspec.render.lines import Line, wrapped
from hbspec.render.rows import LEAD, section
from hbspec.source.excerpts import printable

if TYPE_CHECKING:
    from hbspec.watching.verifying import Judged
    from hbspec.watching.watched import WatchedLog

STYLES = {"held": "good", "broken": "bad", "cannot be told": "open"}


def verified_lines(found: Sequence[Judged], watched: WatchedLog, width: int | None = None) -> Iterator[Line]:
    """The state of the log, each verdict, and their numbers."""
    state = printable(watched.state)
    yield from wrapped((("title", printable(watched.source)), ("", f": {state}")), width, 2 * len(LEAD))
    if watched.differences:
        yield from section("Another job", width, "nothing can be told", "bad")
        for text in watched.differences:
            yield from wrapped((("bad", f"{LEAD}- "), ("", printable(text))), width, 2 * len(LEAD))
    if not found:
        yield from section("Nothing to verify", width, "the spec has neither claims, limits nor bounds")
        return
    yield ()
    for one in found:
        mark = (STYLES[one.verdict], f"{one.verdict:<14}")
        said = f"{LEAD}{printable(one.key)}: {printable(one.claimed)}"
        yield from wrapped((mark, ("", said), ("faint", f"; {printable(one.happened)}")), width, 2 * len(LEAD))
    if watched.notes:
        yield from section("Notes", width)
        for text in watched.notes:
            yield from wrapped((("open", f"{LEAD}- "), ("", printable(text))), width, 2 * len(LEAD))
    counts = {verdict: sum(one.verdict == verdict for one in found) for verdict in STYLES}
    yield ()
    yield (("title", ", ".join(f"{number} {verdict}" for verdict, number in counts.items() if number)),)
