"""The most that a training job can cost: its runtime limit at the on-demand price.

Per instance: the price's high end and the volume's, times the limit and the time for which the instance is kept
afterwards. Left out, as in the estimate: S3, data transfer and logs; and the minutes that a stopped job may save in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from hbspec.catalog import Catalog
from hbspec.catalog.limits import DEFAULT_RUNTIME_SECONDS
from hbspec.catalog.prices import VOLUME_SPREAD, VOLUME_USD_PER_GB_MONTH
from hbspec.diagnostics import Route
from hbspec.policy.read import Policy
from hbspec.policy.request_values import at, number, text
from hbspec.policy.subject import Bill, Said
from hbspec.units import DAYS_PER_MONTH, HOUR, Money, seconds_text

RESOURCES = "ResourceConfig"
PRICED_ELSEWHERE = ("DebugRuleConfigurations", "ProfilerRuleConfigurations")
"""Rules that may run on instances of their own."""
HOURS_PER_MONTH = 24 * DAYS_PER_MONTH


def job_cost(body: Mapping[str, Any], regions: Sequence[Said], catalog: Catalog, _policy: Policy) -> Bill:
    """The bill of a request; not known where a type, a count, a time or a price is not."""
    resources = at(body, (RESOURCES,))
    route: Route = (RESOURCES,)
    seconds = [
        _seconds(at(body, ("StoppingCondition", "MaxRuntimeInSeconds")), DEFAULT_RUNTIME_SECONDS),
        _seconds(at(resources, ("KeepAlivePeriodInSeconds",)), 0),
    ]
    volume = _seconds(at(resources, ("VolumeSizeInGB",)), 0)
    if None in seconds or volume is None:
        return Bill(route, None, "a time or a size is not a whole number")
    if any(isinstance(rules := body.get(name), list) and rules for name in PRICED_ELSEWHERE):
        return Bill(route, None, "rules of the debugger may run on instances of their own")
    total = sum(time for time in seconds if time)
    hours, hourly = Decimal(total) / Decimal(int(HOUR)), Decimal(0)
    disk = volume * VOLUME_USD_PER_GB_MONTH * VOLUME_SPREAD[1] / HOURS_PER_MONTH
    rented = list(_rented(resources))
    for name, count in rented:
        price = _price(name, regions, catalog)
        if price is None or count is None:
            lacking = f"the price of {name or 'an unnamed type'}" if count else "the number of instances"
            return Bill(route, None, f"needs {lacking}")
        hourly += (price + disk) * count
    named = " and ".join(f"{count} x {name}" for name, count in rented)
    return Bill((*route, "InstanceType"), Money(hourly * hours, "USD"), f"{named} for {seconds_text(total)}, on demand")


def _seconds(value: Any, default: int) -> int | None:
    """A whole number, or the default where none is given; 0 is one."""
    return default if value is None or (value == 0 and value is not False) else number(value)


def _rented(resources: Any) -> Iterator[tuple[str | None, int | None]]:
    """Each type with its number of instances."""
    groups = at(resources, ("InstanceGroups",))
    several = groups if isinstance(groups, list) else []
    alone = not several or at(resources, ("InstanceType",)) is not None
    for one in [*several, *([resources] if alone else [])]:
        yield text(at(one, ("InstanceType",))), number(at(one, ("InstanceCount",)))


def _price(name: str | None, regions: Sequence[Said], catalog: Catalog) -> Decimal | None:
    """The highest price of a type in the request's regions; None where one is not known."""
    found = []
    for _, region, _ in regions:
        price = catalog.price(name, region, "training") if name and region else None
        if price is None:
            return None
        found.append(price.usd_per_hour * price.spread[1])
    return max(found, default=None)
