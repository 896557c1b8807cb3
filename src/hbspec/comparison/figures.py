"""The figures of several specs beside one another, each with its difference from the first spec's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from hbspec.comparison.bills import bill_difference, total
from hbspec.comparison.gpu_memory import memory_difference
from hbspec.comparison.parts import SAME, Difference, unrelated
from hbspec.comparison.seconds import time_difference
from hbspec.plan import UnitPrice
from hbspec.units import Interval, cents

if TYPE_CHECKING:
    from hbspec.api import Estimates


class Figure(NamedTuple):
    """One figure of every spec.

    Attributes:
        name: its name, as in `gpu_memory`.
        unit: "bytes", "seconds", "money" or "number".
        values: the figure of each spec, None where it is not known.
        differences: from the first spec's, for each spec; None for the first, and where they cannot be compared.
        limits: what each figure is out of, in its unit: the usable memory of a GPU; None where it has no limit.
        currencies: of each amount of money; empty for others.
        cut: which costs are those up to `max_runtime`, which may stop the job before it ends; empty for others.
        absent: which specs have nothing that the figure could be of, as one without an endpoint; empty for none.
    """

    name: str
    unit: str
    values: tuple[Interval | None, ...]
    differences: tuple[Difference | None, ...]
    limits: tuple[float | None, ...] = ()
    currencies: tuple[str | None, ...] = ()
    absent: tuple[bool, ...] = ()
    cut: tuple[bool, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """One of the `figures` of `hbspec compare --format json`; money as decimal strings, rounded to cents."""
        return {
            "name": self.name,
            "unit": self.unit,
            "values": [value and self._ends(value) for value in self.values],
            "differences": [
                found and {**self._ends(found.interval), "certain": found.certain, "same": found.same}
                for found in self.differences
            ],
            "limits": list(self.limits or (None,) * len(self.values)),
            "currencies": list(self.currencies or (None,) * len(self.values)),
            **({"cut_at_max_runtime": list(self.cut)} if self.cut else {}),
        }

    def _ends(self, interval: Interval) -> dict[str, Any]:
        ends = interval.to_dict()
        return {name: cents(Decimal(repr(end))) for name, end in ends.items()} if self.unit == "money" else dict(ends)


def figures(found: Sequence[Estimates]) -> Iterator[Figure]:
    """Every figure that is known of at least one spec, in the order in which they are shown."""
    none = tuple(one.analysis.spec.deployment is None for one in found)
    endpoint = (figure._replace(absent=none) for figure in _endpoint(found))
    every = (_gpu_memory(found), _time(found), _cost(found), *_counts(found), *endpoint)
    return (figure for figure in every if any(value is not None for value in figure.values))


def _gpu_memory(found: Sequence[Estimates]) -> Figure:
    def differs(one: Estimates, two: Estimates) -> Difference | None:
        return memory_difference((one.plan, one.memory), (two.plan, two.memory)) if one.memory and two.memory else None

    values = [one.memory and one.memory.fullest.process for one in found]
    limits = tuple(one.memory and one.memory.fullest.usable for one in found)
    return Figure("gpu_memory", "bytes", tuple(values), _to_first(found, differs), limits)


def _time(found: Sequence[Estimates]) -> Figure:
    def differs(one: Estimates, two: Estimates) -> Difference | None:
        return time_difference((one.plan, one.time), (two.plan, two.time)) if one.time and two.time else None

    values = tuple(one.time and one.time.total_seconds for one in found)
    return Figure("time", "seconds", values, _to_first(found, differs))


def _cost(found: Sequence[Estimates]) -> Figure:
    def differs(one: Estimates, two: Estimates) -> Difference | None:
        if not (one.time and two.time and one.cost and two.cost):
            return None
        return bill_difference((one.plan, one.time), one.cost, (two.plan, two.time), two.cost)

    values = tuple(one.cost and total(one.cost) for one in found)
    currencies = tuple(one.cost and one.cost.currency for one in found)
    cut = tuple(one.time is not None and one.time.may_be_stopped for one in found)
    return Figure("cost", "money", values, _to_first(found, differs), currencies=currencies, cut=cut)


def _counts(found: Sequence[Estimates]) -> Iterator[Figure]:
    """Counts of the plan: exact, but for those that follow from packed rows of lengths that are not known."""
    first = found[0].plan
    alike = [(one.plan.counts, one.plan.loops) == (first.counts, first.loops) for one in found]
    for name, count in (("updates", "optimizer_steps"), ("epochs", "epochs"), ("examples", "examples_processed")):
        yield _free(name, "number", [one.plan.counts and one.plan.counted(count) for one in found], alike)
    exact: dict[str, Callable[[Estimates], float | None]] = {
        "effective_batch_size": lambda one: one.plan.effective_batch_size,
        "trainable_parameters": lambda one: one.plan.trainable_parameters,
    }
    for name, number in exact.items():
        known = [number(one) for one in found]
        values = [None if value is None else Interval.exact(value) for value in known]
        yield _free(name, "number", values, [False] * len(values))


def _endpoint(found: Sequence[Estimates]) -> Iterator[Figure]:
    """Figures of the endpoints: the same for one plan, else taken to share nothing but a price."""
    served = [one.serving for one in found]
    plans = [one.analysis.serving_plan if one.serving else None for one in found]
    alike = [plan == plans[0] for plan in plans]
    memory = _free("endpoint_memory", "bytes", [one and one.memory for one in served], alike)
    yield memory._replace(limits=tuple(one and one.usable for one in served))
    yield _free("endpoint_latency", "seconds", [one and one.latency_seconds for one in served], alike)
    hourly = [one.charges.hourly if one and one.charges else None for one in served]
    priced = [(one, plan and plan.price) for one, plan in zip(hourly, plans, strict=True)]
    amounts = [None if one is None else _with_spread(float(one.amount), price) for one, price in priced]
    currencies = tuple(None if one is None else one.currency for one in hourly)
    yield _free("endpoint_cost_per_hour", "money", amounts, [one == priced[0] for one in priced], currencies)


def _with_spread(amount: float, price: UnitPrice | None) -> Interval:
    """An hourly cost with what is not known of its price."""
    least, most = price.spread if price else (1, 1)
    return Interval(amount * float(least), amount, amount * float(most))


def _free(
    name: str,
    unit: str,
    values: Sequence[Interval | None],
    alike: Sequence[bool],
    currencies: tuple[str | None, ...] = (),
) -> Figure:
    """A figure of which the specs share nothing, unless they are the same as the first: `alike` says which are."""
    first = values[0]
    differences: list[Difference | None] = [None]
    for number, value in enumerate(values[1:], 1):
        comparable = not currencies or currencies[0] == currencies[number]
        if first is None or value is None or not comparable:
            differences.append(None)
        else:
            same = first == value and (alike[number] or first.is_exact)
            differences.append(SAME if same else Difference(unrelated(first, value)))
    return Figure(name, unit, tuple(values), tuple(differences), currencies=currencies)


def _to_first(
    found: Sequence[Estimates], differs: Callable[[Estimates, Estimates], Difference | None]
) -> tuple[Difference | None, ...]:
    return (None, *(differs(found[0], one) for one in found[1:]))
