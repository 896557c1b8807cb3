"""The chapter on several specs beside one another: their figures, and which differences are certain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hbspec.comparison.compared import Compared
from hbspec.comparison.fairness import letter, unfair
from hbspec.comparison.figures import Figure
from hbspec.language import phrase, spoken
from hbspec.render.compared import TITLES, findings_text, verdicts
from hbspec.render.differences import difference_text, value_text
from hbspec.render.recommendation import recommendation_sentences
from hbspec.reporting.chapter import Chapter, Drawing, Listing, Statement
from hbspec.reporting.charts import ROW, Layer, bars, layered, limit, seconds_unit, whiskers
from hbspec.units import GB

if TYPE_CHECKING:
    from hbspec.api import Estimates

DRAWN = ("gpu_memory", "time", "cost")
"""Figures that are drawn; all are in the table."""


def comparison_chapter(compared: Compared) -> Chapter:
    """What makes the comparison unfair, a chart of memory, time and cost, and every figure."""
    letters = [letter(number) for number in range(len(compared.files))]
    drawn = [layer for figure in compared.figures if figure.name in DRAWN for layer in _drawn(figure, letters)]
    drawing = Drawing(
        phrase("The specs beside one another"),
        phrase(
            "A bar for the expected figure of each spec, with a thin line from low to high. "
            "A dashed line is the usable memory, where all have the same."
        ),
        {"vconcat": drawn, "spacing": 24},
    )
    headings = (phrase("Figure"), *letters)
    specs = [
        (name, file, found.plan.name, found.plan.model, _hardware(found))
        for name, file, found in zip(letters, compared.files, compared.estimates, strict=True)
    ]
    blocks: list[Statement | Listing | Drawing] = [
        Listing(phrase("The specs"), _headings("Letter", "File", "Name", "Model", "Hardware"), specs),
        *(Statement(said) for said in recommendation_sentences(compared.recommendation, compared.files)),
        *_unfair(compared),
        *([drawing] if drawn else []),
        Listing(phrase("Figures, each with its difference from A"), headings, list(_rows(compared, letters))),
    ]
    return Chapter("comparison", phrase("Comparison"), blocks)


def many_chapter(compared: Compared) -> Chapter:
    """A row for each spec: its verdict, memory, time and cost, and its findings; the cheapest first."""
    shown = [figure for figure in compared.figures if figure.name in DRAWN]
    costs = next(figure for figure in shown if figure.name == "cost")
    known = [(value is None, value.expected if value else 0.0) for value in costs.values]
    said = zip(compared.files, compared.estimates, verdicts(compared), compared.reports, strict=True)
    rows = [
        (
            file,
            _hardware(found),
            verdict,
            *(value_text(figure, number) for figure in shown),
            findings_text(report),
        )
        for number, (file, found, verdict, report) in enumerate(said)
    ]
    order = sorted(range(len(rows)), key=lambda number: known[number])
    headings = _headings("File", "Hardware", "Verdict", *(TITLES[figure.name] for figure in shown), "Findings")
    table = Listing(phrase("The specs, by expected cost"), headings, [rows[number] for number in order])
    return Chapter("comparison", phrase("Comparison"), [*_unfair(compared), table])


def _unfair(compared: Compared) -> list[Statement]:
    """What makes the comparison unfair, in the report's language."""
    return [Statement(phrase("Not like with like: {said}.", said=said), "open") for said in unfair(compared.estimates)]


def _hardware(found: Estimates) -> str:
    return found.plan.hardware.name if found.plan.hardware else phrase("not known")


def _headings(*names: str) -> tuple[str, ...]:
    return tuple(map(spoken, names))


def _rows(compared: Compared, letters: list[str]) -> Iterator[tuple[str, ...]]:
    yield (phrase("Verdict"), *verdicts(compared))
    for figure in compared.figures:
        cells = []
        for number in range(len(letters)):
            said = difference_text(figure, number, letters[0]) if number else ""
            value = value_text(figure, number)
            cells.append(phrase("{value}; {said}", value=value, said=said) if said else value)
        yield (spoken(TITLES[figure.name]), *cells)
    yield (phrase("Findings"), *(findings_text(report) for report in compared.reports))


def _drawn(figure: Figure, letters: list[str]) -> Iterator[Layer]:
    """The figure of all specs where it is known, in a chart; none where amounts are in several currencies."""
    currencies = {currency for currency in figure.currencies if currency is not None}
    if len(currencies) > 1:
        return
    most = max(value.high for value in figure.values if value is not None)
    unit, size = _unit(figure, most, next(iter(currencies), ""))
    values: list[dict[str, Any]] = [
        {"name": name, **value.map(lambda end: end / size).to_dict()}
        for name, value in zip(letters, figure.values, strict=True)
        if value is not None
    ]
    first = figure.limits[0] if len(set(figure.limits)) == 1 else None  # one line cannot stand for several GPUs
    line = [] if first is None else limit(first / size, phrase("usable"))
    title = f"{spoken(TITLES[figure.name])}, {unit}"
    yield layered(bars(values, "expected", title), whiskers(values), *line, height=ROW * len(values), width=520)


def _unit(figure: Figure, most: float, currency: str) -> tuple[str, float]:
    if figure.unit == "bytes":
        return spoken("GB"), GB
    return (currency, 1.0) if figure.unit == "money" else seconds_unit(most)
