"""The difference of two jobs' bills: the billed seconds of both at their prices.

The price of one instance type in one region is one unknown, however wide it is, and so are the seconds that both jobs
share (`hbspec.comparison.seconds`). Everything else is unrelated: volumes, warm pools, the discount of spot instances,
and the bill of a job that its limit may stop.
"""

from __future__ import annotations

from decimal import Decimal

from hbspec.comparison.parts import SAME, Difference, between, hull, unrelated
from hbspec.comparison.seconds import Job, cases, same_time
from hbspec.estimators.job.cost import Cost
from hbspec.plan import Plan
from hbspec.units import HOUR, Interval, Money

INSTANCES = "instances"
"""The item of the rented instances."""


def bill_difference(first: Job, one: Cost, other: Job, two: Cost) -> Difference | None:
    """The second bill minus the first; None where they are in two currencies.

    Args:
        first: plan and time of the first job.
        one: its bill.
        other: plan and time of the other job.
        two: its bill.
    """
    if one.currency != two.currency:
        return None
    if one == two and same_time(first, other):
        return SAME
    if any(plan.spot or time.may_be_stopped for plan, time in (first, other)):
        return Difference(unrelated(total(one), total(two)))
    rented = _rented(first, one, other, two)
    return Difference(rented + unrelated(_items(one, rented=False), _items(two, rented=False)))


def total(cost: Cost) -> Interval:
    """The whole bill as an interval, in its currency."""
    return Interval(float(cost.low), float(cost.expected), float(cost.high))


def _rented(first: Job, one: Cost, other: Job, two: Cost) -> Interval:
    """The difference of the rents: of the seconds at two prices, or at one that both pay."""
    (plan, _), (changed, _) = first, other
    together = plan.price is not None and plan.price == changed.price and _region(plan) == _region(changed)
    seconds = cases(first, other, billed=True)
    rates = _per_second(plan), _per_second(changed)
    if together and plan.price is not None:
        least, most = (float(factor) for factor in plan.price.spread)
        low, high = hull(seconds, rates)
        ends = min(low * least, low * most), max(high * least, high * most)
    else:
        ends = hull(seconds, (_spread(plan, rates[0]), _spread(changed, rates[1])))
    return between(ends, _items(one, rented=True), _items(two, rented=True))


def _region(plan: Plan) -> tuple[str | None, str | None]:
    return plan.region, plan.hardware and plan.hardware.name


def _per_second(plan: Plan) -> Interval:
    """The price of a second of all instances, in the bill's currency."""
    if plan.price is None or plan.hardware is None:
        return Interval.exact(0)
    rate = plan.price.rate
    hourly = plan.currencies.convert(Money(rate.per_hour * plan.hardware.instances, rate.currency))
    return Interval.exact(float(hourly.amount / Decimal(HOUR)))


def _spread(plan: Plan, rate: Interval) -> Interval:
    least, most = plan.price.spread if plan.price else (1, 1)
    return Interval(rate.low * float(least), rate.expected, rate.high * float(most))


def _items(cost: Cost, *, rented: bool) -> Interval:
    found = [item for item in cost.items if (item.name == INSTANCES) == rented]
    return total(cost._replace(items=tuple(found)))
