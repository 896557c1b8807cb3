"""Scores of an evaluation, two models compared, and how far a run is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from hbspec.render.lines import Line, wrapped
from hbspec.render.live import live_page
from hbspec.render.rows import LEAD, Row, rows, section
from hbspec.source.excerpts import printable
from hbspec.units import count_text

if TYPE_CHECKING:
    from hbspec.evaluation.record import ComparedSuite

STYLES = {"passed": "good", "failed": "bad", "better": "good", "worse": "bad"}
OPEN = "open"
SEEN = {True: "seen in training", False: "new to training", None: "seen not known"}
"""By what a record says of a prompt."""
BAR_COLUMNS = 30


def evaluated_lines(record: Mapping[str, Any], width: int | None = None) -> Iterator[Line]:
    """Whom was asked, and each suite's verdict, share, intervals and kinds of answers."""
    model = record["model"]
    against = printable(str(model["against"]))
    named = f", {printable(model['model'])}" if model.get("model") else ""
    yield from wrapped((("title", against), ("", named)), width, 2 * len(LEAD))
    for suite in record["suites"]:
        verdict = suite["verdict"]
        yield from section(printable(suite["suite"]), width, verdict, STYLES.get(verdict, OPEN))
        yield from rows(_suite(suite), width)
    yield ()
    verdict = record["verdict"]
    yield (("title", "verdict: "), (STYLES.get(verdict, OPEN), verdict))


def _suite(suite: Mapping[str, Any]) -> Iterator[Row]:
    yield "right", f"{suite['right']:,} of {suite['items']:,}", f"min_score {_percent(suite['min_score'])}"
    between = f"{_between(suite['interval'])}"
    templates = f"{suite['templates']:,} template{'s' if suite['templates'] != 1 else ''}"
    yield "score", _percent(suite["share"]), f"{between} at 95 %, by {templates}"
    yield "by item", _between(suite["by_item"]), "if all items were independent (Clopper-Pearson)"
    wrong = {kind: count for kind, count in suite["kinds"].items() if kind != "right"}
    if wrong:
        yield "not right", ", ".join(f"{count:,} {printable(kind)}" for kind, count in wrong.items()), ""
    yield from _parts(suite["parts"])
    if suite["baseline"] is not None:
        yield "baseline", _percent(suite["baseline"]), "without reading the question; a score near it says little"
    if suite["faults"]:
        left_out = ", ".join(f"{count:,} {printable(fault)}" for fault, count in suite["faults"].items())
        yield "lines left out", left_out, ""
    if suite["wanted"] > suite["items"]:
        yield "items", f"{suite['items']:,}", f"fewer than the {suite['wanted']:,} that the spec asks for"
    if suite["verdict"] == "not decided":
        yield "a verdict needs", _needed(suite["items_needed"]), "" if suite["items_needed"] else "a score further away"


def _parts(parts: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Row]:
    """The score by whether training has seen the prompt, and that of each kind of problem that is not all right."""
    for part in parts["seen"]:
        yield SEEN[part["value"]], *_part(part)
    for part in parts["stratum"]:
        if part["right"] < part["items"]:
            yield printable(str(part["value"])), *_part(part)


def _part(part: Mapping[str, Any]) -> tuple[str, str]:
    return f"{part['right']:,} of {part['items']:,}", f"{_between(part['interval'])} at 95 %"


def _needed(items: int | None) -> str:
    return f"about {count_text(items)} items" if items else "more than can be named"


def _between(ends: Mapping[str, float] | None) -> str:
    return f"{_percent(ends['low'])} to {_percent(ends['high'])}" if ends else "not known"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def compared_lines(suites: Sequence[ComparedSuite], alone: Sequence[str], width: int | None = None) -> Iterator[Line]:
    """The second model against the first, suite by suite."""
    for suite in suites:
        verdict = suite.found.verdict
        said = f"the second is {verdict}" if verdict in STYLES else verdict
        yield from section(printable(suite.name), width, said, STYLES.get(verdict, OPEN))
        yield from rows(_pair(suite), width)
    for name in alone:
        yield from section(printable(name), width, "only one of the two records has this suite", OPEN)


def _pair(suite: ComparedSuite) -> Iterator[Row]:
    found = suite.found
    yield "first", _percent(suite.shares[0]), f"of {found.items:,} items, {found.only_first:,} right in it alone"
    yield "second", _percent(suite.shares[1]), f"{found.only_second:,} right in it alone"
    ends = f"{100 * found.ends.low:+.3g} to {100 * found.ends.high:+.3g}" if found.ends else "not known"
    points = f"{100 * found.difference:+.3g} points"
    yield "difference", points, f"{ends} at 95 %, by {found.templates:,} templates"
    yield "McNemar's test", f"p = {found.p_value:.2g}", "exact, two-sided"
    effect = "none" if found.effect is None else f"g = {found.effect:+.2g}"
    yield "effect", effect, "Cohen's g: 0.05 small, 0.15 medium, 0.25 large"
    if suite.left_out:
        yield "left out", f"{suite.left_out:,} items", "only one of the models was asked them"


@contextmanager
def progress(stream: TextIO, *, drawn: bool) -> Iterator[Callable[[int, int], None]]:
    """A function that draws how many items are answered, and of how many; the bar is erased at the end."""
    with live_page(stream, drawn=drawn) as draw:
        yield lambda done, number: draw(lambda: (_bar(done, number),))


def _bar(done: int, number: int) -> Line:
    filled = BAR_COLUMNS * done // max(number, 1)
    return (("", f"[{'#' * filled:.<{BAR_COLUMNS}}] {done:,} of {number:,} items"),)
