"""The sections on time and cost, line by line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hbspec.estimators.job.cost import Cost, CostItem
from hbspec.estimators.job.time import Time
from hbspec.plan import UnitPrice
from hbspec.render.bill import cost_lines, time_lines
from hbspec.units import Interval, Rate

TODAY = date(2026, 11, 22)
RATE = Rate(Decimal("7.09"), "USD")
READ = UnitPrice(RATE, "read", date(2026, 11, 2), "a price list")


def text(lines):
    return ["".join(part for _, part in line).rstrip() for line in lines]


def test_what_is_not_billed_is_said():
    phases = {"startup": Interval.exact(60), "steps": Interval.exact(3600), "spot_waits": Interval.exact(120)}
    shown = text(time_lines(Time(Interval.exact(12), phases, Interval.exact(466)), None))
    assert shown[1] == "Time: 1.05 h"
    assert [line.split()[0] for line in shown if line.endswith("not billed")] == ["startup", "spot"]
    assert shown[-1].split() == ["billed", "1.00", "h"]


def test_items_price_and_gaps():
    items = (
        CostItem("instances", Decimal(1), Decimal(2), Decimal(3), "hours"),
        CostItem("lost_work", *[Decimal(1)] * 3, "again"),
    )
    bill = Cost("USD", items, READ, {"transfer": "no price of it is known"})
    assert text(cost_lines(bill, READ, TODAY, None))[1:] == [
        "Cost: 2.00 USD to 4.00 USD (expected 3.00 USD)",
        "  instances  1.00 USD to 3.00 USD (expected 2.00 USD)  hours",
        "  lost work  1.00 USD                              again",
        "  price      7.09 USD/h                            read, as of 2026-11-02, 20 days old: a price list",
        "  left out   transfer                              no price of it is known",
    ]


def test_ages_of_prices():
    undated = UnitPrice(RATE, "derived", None, "nobody knows")
    assert text(cost_lines(None, undated, TODAY, None))[-1].endswith("derived, undated: nobody knows")
    own = UnitPrice(RATE, "author", None, "the spec")
    assert text(cost_lines(None, own, TODAY, None))[-1].endswith("author: the spec")


def test_nothing_is_known():
    assert text(time_lines(None, None)) == text(cost_lines(None, None, TODAY, None)) == []
