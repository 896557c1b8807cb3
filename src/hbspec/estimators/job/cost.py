"""The bill of a job, item by item: an interval as wide as the job's time and the catalog's price."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from hbspec.catalog import InstanceType
from hbspec.catalog.prices import VOLUME_AS_OF, VOLUME_REGION, VOLUME_SPREAD, VOLUME_USD_PER_GB_MONTH
from hbspec.diagnostics import Missing, NotKnownError, known
from hbspec.estimators.constants import INTERRUPTIONS_PER_HOUR, SPOT_SHARE
from hbspec.estimators.job.interruptions import LOST, RESTARTS
from hbspec.estimators.job.storage import DEFAULT_VOLUME
from hbspec.estimators.job.time import GRACE, Time
from hbspec.language import day_text, phrase, spoken
from hbspec.plan import Plan, UnitPrice
from hbspec.units import (
    DAY,
    DAYS_PER_MONTH,
    GB,
    HOUR,
    Interval,
    Money,
    Worded,
    cents,
    seconds_text,
    short_text,
    whole_text,
)

Ends = tuple[Decimal, Decimal, Decimal]
"""Low, expected and high of an amount."""

INTERRUPTED = {
    LOST: "work repeated after spot interruptions",
    RESTARTS: "image, weights and loading repeated after spot interruptions",
}
RUNNING = "instances"
"""The item of the job's instances."""
UNPRICED = "prices of S3, data transfer and logs are not known"


class CostItem(NamedTuple):
    """One line of the bill, in the bill's currency; `note` says how it is calculated."""

    name: str
    low: Decimal
    expected: Decimal
    high: Decimal
    note: str

    def to_dict(self) -> dict[str, str]:
        """The item with its amounts as decimal strings, rounded to cents."""
        return {"name": self.name, **_cents(self.low, self.expected, self.high), "note": self.note}


class Cost(NamedTuple):
    """The bill of a job.

    Attributes:
        price: the on-demand price of one instance.
        left_out: by name, the reason why an item is not in the bill.
    """

    currency: str
    items: tuple[CostItem, ...]
    price: UnitPrice | None = None
    left_out: Mapping[str, str] = {}

    @property
    def low(self) -> Decimal:
        """Sum of the items' low ends."""
        return sum((item.low for item in self.items), Decimal(0))

    @property
    def expected(self) -> Decimal:
        """Sum of the items' expected amounts."""
        return sum((item.expected for item in self.items), Decimal(0))

    @property
    def high(self) -> Decimal:
        """Sum of the items' high ends."""
        return sum((item.high for item in self.items), Decimal(0))

    def amounts(self) -> dict[str, str]:
        """The sums with their currency, as decimal strings, rounded to cents here only."""
        return {"currency": self.currency, **_cents(self.low, self.expected, self.high)}

    def to_dict(self) -> dict[str, Any]:
        """The `cost` of `hbspec estimate --format json`."""
        return {
            **self.amounts(),
            "items": [item.to_dict() for item in self.items],
            "price": self.price and self.price.to_dict(),
            "left_out": dict(self.left_out),
        }


def cost(plan: Plan, time: Time) -> Cost:
    """The bill of a plan, in the budget's currency if there is a budget, else in the price's currency.

    Every second from start to end is billed for every instance (see `hbspec.estimators.job.time`), whatever runs on it.
    The runtime limit caps the time; where the limit may be reached, interruptions are not a separate item, since their
    share of the time before the limit is not known. Managed spot is assumed to cost `SPOT_SHARE` of the on-demand bill,
    with interruptions as items.

    Raises:
        NotKnownError: the price, the hardware or the price's exchange rate is not known.
    """
    price = _priced(plan)[0]
    currency = plan.currencies.convert(Money(Decimal(0), price.rate.currency)).currency
    interrupted = () if time.may_be_stopped else tuple(_interrupted(plan, time))
    found = [_running(plan, time), *interrupted, *_warm_pool(plan)]
    items = [CostItem(name, *_converted(plan, ends, price.rate.currency), note) for name, ends, note in found]
    left_out = {"storage and transfer": UNPRICED}
    if _has_volume(plan):
        try:
            name, ends, note = _volume(plan, time)
            items.append(CostItem(name, *_converted(plan, ends, "USD", currency), note))
        except NotKnownError as reason:
            left_out["volume"] = f"needs {reason}"
    return Cost(currency, tuple(items), price, left_out)


def most_it_can_cost(plan: Plan) -> Money:
    """The largest cost within the runtime limit: max_runtime x price x instances, on demand.

    Raises:
        NotKnownError: the limit, the price, the hardware or an exchange rate is not known.
    """
    price, instances = _priced(plan)
    limit = known(plan.max_runtime, "instance.max_runtime")
    return plan.currencies.convert(Money(hours(limit) * price.rate.per_hour * instances, price.rate.currency))


def affordable_seconds(plan: Plan, budget: Money) -> Decimal:
    """The longest runtime limit that a budget pays for, on demand.

    Raises:
        NotKnownError: the price, the hardware or an exchange rate is not known.
    """
    return budget.amount * Decimal(str(HOUR)) / most_it_can_cost(plan._replace(max_runtime=HOUR)).amount


def hours(seconds: float) -> Decimal:
    """Seconds as hours, as a decimal number."""
    return Decimal(str(seconds)) / Decimal(str(HOUR))


def _running(plan: Plan, time: Time) -> tuple[str, Ends, str]:
    """The item of the job's instances: without interruptions, or up to the runtime limit."""
    price, instances = _priced(plan)
    basis = spoken(price.basis)
    note = phrase("billed hours x {rate} ({basis}) x {instances}", rate=price.rate, basis=basis, instances=instances)
    if plan.spot:
        said = "{note}, managed spot assumed at {low} to {high} of that (expected {expected})"
        note = phrase(said, note=note, **_worded(SPOT_SHARE))
    if time.may_be_stopped and time.limit is not None:
        limit, save = Worded(time.limit, seconds_text), Worded(GRACE.high, seconds_text)
        said = "{note}, stopped by max_runtime ({limit}, plus {save} to save and the upload)"
        note = phrase(said, note=note, limit=limit, save=save)
        billed = time.billed_seconds
    else:
        phases = {name: took for name, took in time.phases.items() if name not in INTERRUPTED}
        billed = time._replace(phases=phases).billed_seconds
    return RUNNING, _rented(plan, (billed,), SPOT_SHARE if plan.spot else Interval.exact(1)), note


def _interrupted(plan: Plan, time: Time) -> Iterable[tuple[str, Ends, str]]:
    """The items of lost work and of repeated starts."""
    said = "{why}, assumed at {low} to {high} per hour (expected {expected})"
    for name, why in INTERRUPTED.items():
        if name in time.phases:
            note = phrase(said, why=why, **_worded(INTERRUPTIONS_PER_HOUR))
            yield name, _rented(plan, (time.phases[name],), SPOT_SHARE), note


def _worded(interval: Interval) -> dict[str, Worded]:
    return {name: Worded(value, short_text) for name, value in interval.to_dict().items()}


def _warm_pool(plan: Plan) -> Iterable[tuple[str, Ends, str]]:
    """The item of instances kept for another job: billed like training, until one starts or `keep_alive` ends.

    API reference, WarmPoolStatus: `ResourceRetainedBillableTimeInSeconds` x instances.
    """
    if plan.keep_alive:
        kept = Interval(0, plan.keep_alive, plan.keep_alive)
        kept_for = Worded(plan.keep_alive, seconds_text)
        note = phrase("kept for {time} after the job, or until another job starts on them", time=kept_for)
        yield "warm_pool", _rented(plan, (kept,), Interval.exact(1)), note


def _volume(plan: Plan, time: Time) -> tuple[str, Ends, str]:
    """The item of the instances' volumes for as long as they are kept, in USD; a month is 30 days."""
    instances = _priced(plan)[1]
    gigabytes = Decimal(plan.volume or DEFAULT_VOLUME) / GB
    kept = time.billed_seconds + Interval(0, plan.keep_alive or 0, plan.keep_alive or 0)
    month = hours(DAYS_PER_MONTH * DAY)
    least, most = (Decimal(1), Decimal(1)) if plan.region == VOLUME_REGION else VOLUME_SPREAD
    low, expected, high = (
        hours(seconds) / month * gigabytes * instances * VOLUME_USD_PER_GB_MONTH * spread
        for seconds, spread in ((kept.low, least), (kept.expected, Decimal(1)), (kept.high, most))
    )
    instance = _instance(plan)
    certain = instance is not None and instance.nvme_bytes == 0
    note = phrase(
        "{size} GB x {price} USD per month x {instances}, {region}, {day}",
        size=Worded(float(gigabytes), whole_text),
        price=Worded(float(VOLUME_USD_PER_GB_MONTH), short_text),
        instances=instances,
        region=VOLUME_REGION,
        day=Worded(VOLUME_AS_OF, day_text),
    )
    return "volume", (low if certain else Decimal(0), expected, high), note


def _has_volume(plan: Plan) -> bool:
    """Whether SageMaker attaches a volume to each instance; True also if it is not known whether it has local disks."""
    instance = _instance(plan)
    return instance is not None and not instance.nvme_bytes


def _instance(plan: Plan) -> InstanceType | None:
    return plan.hardware.instance if plan.hardware else None


def _rented(plan: Plan, seconds: Iterable[Interval], share: Interval) -> Ends:
    """The cost of all instances for `seconds` at a share of the price, in its currency, with the price's spread."""
    price, instances = _priced(plan)
    least, most = price.spread
    took = sum(seconds, Interval.exact(0))
    low, expected, high = (hours(end) * price.rate.per_hour * instances for end in (took.low, took.expected, took.high))
    low_share, expected_share, high_share = (Decimal(str(end)) for end in (share.low, share.expected, share.high))
    return low * low_share * least, expected * expected_share, high * high_share * most


def _priced(plan: Plan) -> tuple[UnitPrice, int]:
    hardware = plan.require("hardware")
    if plan.price is None:
        where = plan.region or "an unnamed region"
        raise NotKnownError(Missing(f"the price of {hardware.name} in {where}", ("instance",)))
    return plan.price, hardware.instances


def _converted(plan: Plan, ends: Ends, currency: str, wanted: str | None = None) -> Ends:
    """The amounts in the budget's currency.

    Raises:
        NotKnownError: the budget has no exchange rate, or the spec has none and the currency is not `wanted`.
    """
    low, expected, high = (plan.currencies.convert(Money(amount, currency)) for amount in ends)
    if wanted is not None and expected.currency != wanted:
        raise NotKnownError(f"a budget with an exchange rate from {currency} to {wanted}")
    return low.amount, expected.amount, high.amount


def _cents(low: Decimal, expected: Decimal, high: Decimal) -> dict[str, str]:
    ends = {"low": low, "expected": expected, "high": high}
    return {name: cents(amount) for name, amount in ends.items()}
