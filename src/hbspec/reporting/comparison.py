"""The chapter on several specs beside one another: their figures, and which differences are certain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hbspec.comparison.compared import Compared
from hbspec.comparison.fairness import letter
from hbspec.comparison.figures import Figure
from hbspec.render.compared import TITLES, difference_text, findings_text, value_text, verdicts
from hbspec.reporting.chapter import Chapter, Drawing, Listing, Statement
from hbspec.reporting.charts import ROW, Layer, bars, layered, limit, seconds_unit, whiskers
from hbspec.units import GB

DRAWN = ("gpu_memory", "time", "cost")
"""Figures that are drawn; all are in the table."""


def comparison_chapter(compared: Compared) -> Chapter:
    """What makes the comparison unfair, a chart of memory, time and cost, and every figure."""
    unfair = [Statement(f"Not like with like: {said}.", "open") for said in compared.unfair]
    letters = [letter(number) for number in range(len(compared.files))]
    drawn = [layer for figure in compared.figures if figure.name in DRAWN for layer in _drawn(figure, letters)]
    drawing = Drawing(
        "The specs beside one another",
        "A bar for the expected figure of each spec, with a thin line from low to high. "
        "A dashed line is the usable memory, where all have the same.",
        {"vconcat": drawn, "spacing": 24},
    )
    headings = ("Figure", *letters)
    specs = [
        (
            name,
            file,
            found.plan.name,
            found.plan.model,
            found.plan.hardware.name if found.plan.hardware else "not known",
        )
        for name, file, found in zip(letters, compared.files, compared.estimates, strict=True)
    ]
    blocks: list[Statement | Listing | Drawing] = [
        Listing("The specs", ("Letter", "File", "Name", "Model", "Hardware"), specs),
        *unfair,
        *([drawing] if drawn else []),
        Listing("Figures, each with its difference from A", headings, list(_rows(compared, letters))),
    ]
    return Chapter("comparison", "Comparison", blocks)


def many_chapter(compared: Compared) -> Chapter:
    """A row for each spec: its verdict, memory, time and cost, and its findings; the cheapest first."""
    shown = [figure for figure in compared.figures if figure.name in DRAWN]
    costs = next(figure for figure in shown if figure.name == "cost")
    known = [(value is None, value.expected if value else 0.0) for value in costs.values]
    said = zip(compared.files, compared.estimates, verdicts(compared), compared.reports, strict=True)
    rows = [
        (
            file,
            found.plan.hardware.name if found.plan.hardware else "not known",
            verdict,
            *(value_text(figure, number) for figure in shown),
            findings_text(report),
        )
        for number, (file, found, verdict, report) in enumerate(said)
    ]
    order = sorted(range(len(rows)), key=lambda number: known[number])
    headings = ("File", "Hardware", "Verdict", *(TITLES[figure.name] for figure in shown), "Findings")
    blocks = [Statement(f"Not like with like: {said}.", "open") for said in compared.unfair]
    table = Listing("The specs, by expected cost", headings, [rows[number] for number in order])
    return Chapter("comparison", "Comparison", [*blocks, table])


def _rows(compared: Compared, letters: list[str]) -> Iterator[tuple[str, ...]]:
    yield ("Verdict", *verdicts(compared))
    for figure in compared.figures:
        cells = []
        for number in range(len(letters)):
            said = difference_text(figure, number, letters[0]) if number else ""
            value = value_text(figure, number)
            cells.append(f"{value}; {said}" if said else value)
        yield (TITLES[figure.name], *cells)
    yield ("Findings", *(findings_text(report) for report in compared.reports))


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
    line = [] if first is None else limit(first / size, "usable")
    title = f"{TITLES[figure.name]}, {unit}"
    yield layered(bars(values, "expected", title), whiskers(values), *line, height=ROW * len(values), width=520)


def _unit(figure: Figure, most: float, currency: str) -> tuple[str, float]:
    if figure.unit == "bytes":
        return "GB", GB
    return (currency, 1.0) if figure.unit == "money" else seconds_unit(most)
