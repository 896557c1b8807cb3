"""The chapter on cost: the bill, item by item, beside the budget."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from hbspec.estimators.job.cost import Cost
from hbspec.language import phrase, spoken
from hbspec.render.answer import answer
from hbspec.render.memory import words
from hbspec.reporting.chapter import Chapter, Drawing, Listing, Statement
from hbspec.reporting.charts import ROW, bars, layered, limit, whiskers
from hbspec.units import Money, money_text

if TYPE_CHECKING:
    from hbspec.api import Estimates

NEARBY = 3
"""How many times the high end a budget may be at most, to be drawn: a farther one would squeeze the bill."""


def cost_chapter(estimates: Estimates) -> Chapter:
    """The sentence, the chart, the bill, and what is left out of it."""
    said = tuple(answer(estimates))[2]
    blocks: list[Statement | Listing | Drawing] = [Statement(said.text, said.style)]
    cost, budget = estimates.cost, estimates.analysis.spec.budget
    limited = budget.max_cost if budget is not None else None
    none = phrase("The spec sets no budget.")
    blocks.append(Statement(none if limited is None else phrase("The budget is {limit}.", limit=limited)))
    if cost is not None:
        blocks += [_drawing(cost, limited), _bill(cost)]
        blocks += [
            Statement(phrase("Not in the bill: {name} ({reason}).", name=spoken(name), reason=spoken(reason)))
            for name, reason in cost.left_out.items()
        ]
    return Chapter("cost", phrase("Cost"), blocks)


def _lines(cost: Cost) -> Iterator[tuple[str, tuple[Decimal, Decimal, Decimal], str]]:
    """Each item and the total: name, low, expected and high, and how it is calculated."""
    yield from ((words(item.name), (item.low, item.expected, item.high), spoken(item.note)) for item in cost.items)
    yield phrase("total"), (cost.low, cost.expected, cost.high), ""


def _drawing(cost: Cost, budget: Money | None) -> Drawing:
    values = [
        {"name": name, "low": float(low), "expected": float(expected), "high": float(high)}
        for name, (low, expected, high), _ in _lines(cost)
    ]
    near = budget is not None and budget.currency == cost.currency and budget.amount <= NEARBY * cost.high
    line = limit(float(budget.amount), phrase("budget: {limit}", limit=budget)) if near and budget is not None else []
    return Drawing(
        phrase("Cost by item"),
        phrase("A bar for the expected amount of each item. The thin line spans low to high."),
        layered(bars(values, "expected", cost.currency), whiskers(values), *line, height=ROW * len(values)),
    )


def _bill(cost: Cost) -> Listing:
    rows = [(name, *(money_text(amount) for amount in ends), note) for name, ends, note in _lines(cost)]
    headings = ("Item", "Low", "Expected", "High", "How it is calculated")
    return Listing(phrase("The bill in {currency}", currency=cost.currency), tuple(map(spoken, headings)), rows)
