"""The best endpoints for a spec: in the cost of an hour, the time of an answer, and the requests that they hold."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from decimal import Decimal
from typing import Any

from hbspec.analysis import Analysis
from hbspec.analysis.change import Change, Settings
from hbspec.diagnostics import NotKnownError, Severity, known
from hbspec.estimators.serving.cost import Charge
from hbspec.estimators.serving.room import UNKNOWN_MEMORY, rooms
from hbspec.estimators.verdict import Verdict
from hbspec.search.best_endpoints import BestEndpoints, CurrentEndpoint, EndpointBurdens, RecommendedEndpoint
from hbspec.search.burden import Steps, no_better
from hbspec.search.claims_given_up import TRAINING, ClaimsGivenUp, known_of, share
from hbspec.search.endpoint_space import EndpointChoice, EndpointSpace
from hbspec.search.front import BEATEN, Progress
from hbspec.search.gates import PRICE
from hbspec.search.judging import MAX_COST, MAX_TIME, MEMORY, TIGHT, UNKNOWN, NotRecommendedError, codes_of
from hbspec.search.request import ENDS, Request
from hbspec.units import Money

OTHERWISE = "served_otherwise"

UNCERTAIN = frozenset({"HB501", "HB502", "HB505"})
"""Rules that warn where an endpoint may not start, or not hold what is asked of it."""


def optimize_endpoint(
    analysis: Analysis, request: Request, progress: Progress = lambda _done, _all: None
) -> BestEndpoints:
    """The endpoints that no other is better than in the cost of an hour, the time of an answer, and what they hold.

    Args:
        analysis: a spec with a deployment.
        request: what is asked: `max_cost` is that of an hour, and `max_seconds` that of an answer.
        progress: is told how far the search is.

    Raises:
        NotKnownError: the spec has no deployment, or the length of its answers is not known.
        ValueError: `max_cost` is in another currency than the bill.
    """
    space = EndpointSpace(analysis, request)
    known(analysis.serving_plan.output_tokens, "deployment.typical_output_tokens")
    hunt = _EndpointHunt(space)
    now, here = hunt.current(), analysis.serving_plan.region
    if request.max_cost and now.burdens and request.max_cost.currency != now.burdens.hourly.currency:
        raise ValueError(f"the bill is in {now.burdens.hourly.currency}, not in {request.max_cost.currency}")
    plans = hunt.front(progress)
    regions = request.regions or ((here,) if here else ())
    nearest = None if plans else _nearest(analysis, request, progress)
    return BestEndpoints(now, plans, dict(sorted(hunt.rejected.items())), hunt.searched, request, regions, nearest)


def _nearest(analysis: Analysis, request: Request, progress: Progress) -> tuple[str, RecommendedEndpoint] | None:
    """What would do: without the limits, or else without the keys that are kept, or else what is tight."""
    unlimited = request._replace(max_cost=None, max_seconds=None, confidence="certain")
    free = unlimited._replace(keep=frozenset())
    tight = free._replace(allow=request.allow | {"tight"})
    ways = {"--max-cost and --max-time": unlimited, "these and --keep": free, "being certain to fit": tight}
    for without, easier in ways.items():
        if easier != request and (found := _EndpointHunt(EndpointSpace(analysis, easier)).front(progress)):
            return without, found[0]
    return None


class _EndpointHunt:
    """Calculates what every endpoint takes, and judges the best of them, the best first."""

    def __init__(self, space: EndpointSpace) -> None:
        self.space, self.request, self.end = space, space.request, ENDS[space.request.confidence]
        self.claims, self.rejected = ClaimsGivenUp(space.analysis), Counter[str]()
        self.searched = {"plans": 0, "estimated": 0, "judged": 0}

    def current(self) -> CurrentEndpoint:
        analysis, verdict, taken = self.space.analysis, Verdict.UNKNOWN, None
        with suppress(NotKnownError, NotRecommendedError):  # what does not fit, or has no price, takes nothing
            verdict = analysis.serving.verdict
            taken = self._burdens(analysis, self.space.now)
        codes = codes_of(analysis)
        return CurrentEndpoint(verdict, taken, codes[Severity.ERROR], codes[Severity.WARNING])

    def front(self, progress: Progress) -> tuple[RecommendedEndpoint, ...]:
        candidates = []
        for choice in self.space.choices():
            self.searched["plans"] += 1
            try:
                analysis = self._shared(choice)
                taken = self._burdens(analysis, choice)
                self._holds(analysis, taken)
            except NotRecommendedError as reason:
                self.rejected[str(reason)] += 1
            except NotKnownError:
                self.rejected[UNKNOWN] += 1
            else:
                steps = taken.steps(self.end)
                candidates.append((self._rank(steps), self._tie(choice, taken), steps, choice, taken))
        self.searched["estimated"] = len(candidates)
        best: list[tuple[Steps, RecommendedEndpoint]] = []
        for number, (_, _, steps, choice, taken) in enumerate(sorted(candidates, key=lambda one: one[:2])):
            progress(number, len(candidates))
            if any(no_better(steps, other) for other, _ in best):
                self.rejected[BEATEN] += 1
                continue
            self.searched["judged"] += 1
            try:
                best.append((steps, self._recommended(choice, taken)))
            except NotRecommendedError as reason:
                self.rejected[str(reason)] += 1
        return tuple(plan for _, plan in best)

    def _shared(self, choice: EndpointChoice) -> Analysis:
        """The spec with an endpoint: its training, which no endpoint changes, is that of the spec."""
        analysis = self.space.planned(choice)
        _ = self.space.analysis.plan
        share(known_of(self.space.analysis, TRAINING), analysis)
        return analysis

    def _burdens(self, analysis: Analysis, choice: EndpointChoice) -> EndpointBurdens:
        plan, length = analysis.serving_plan, self.space.analysis.serving_plan.max_model_len
        held = known(rooms(plan._replace(max_model_len=length)), UNKNOWN_MEMORY).sure.longest or 0
        load = analysis.serving.load
        if load is None:
            raise NotRecommendedError(MEMORY) if not held else NotKnownError(analysis.serving.unknown["load"])
        return EndpointBurdens(self._hourly(analysis), load.latency_seconds, choice.number * held)

    def _hourly(self, analysis: Analysis) -> Charge:
        """The cost of an hour, over the spread of the price.

        Raises:
            NotRecommendedError: the price is not known in the currency of the bill.
        """
        charges, price = analysis.serving.charges, analysis.serving_plan.price
        if charges is None or price is None:
            raise NotRecommendedError(PRICE)
        beside = charges.baseline.amount if charges.baseline else Decimal(0)
        rented = charges.hourly.amount - beside
        ends = [rented * spread + beside for spread in (price.spread[0], Decimal(1), price.spread[1])]
        try:
            found = [self._billed(Money(amount, charges.hourly.currency)) for amount in ends]
        except NotKnownError:
            raise NotRecommendedError(PRICE) from None
        return Charge(found[0].amount, found[1].amount, found[2].amount, found[1].currency)

    def _billed(self, money: Money) -> Money:
        """An amount in the currency of the spec's own endpoint, where the budget's exchange rate leads there."""
        own = self.space.analysis.serving_plan.price
        currency = own.rate.currency if own else money.currency
        found = money if money.currency == currency else self.space.analysis.plan.currencies.convert(money)
        if found.currency != currency:
            raise NotKnownError(f"an exchange rate from {found.currency} to {currency}")
        return found

    def _holds(self, analysis: Analysis, taken: EndpointBurdens) -> None:
        """Refuse what serves otherwise, does not certainly hold what is asked for, or is above the limits."""
        now, then = self.space.analysis.serving_plan, analysis.serving_plan
        if then.dtype != now.dtype and "precision" not in self.request.allow:
            raise NotRecommendedError(OTHERWISE)
        tight = "tight" in self.request.allow
        verdict = analysis.serving.verdict
        if verdict is Verdict.DOES_NOT_FIT or (not tight and taken.holds < 1):
            raise NotRecommendedError(MEMORY)
        if verdict is not Verdict.FITS and not (tight and verdict is Verdict.TIGHT):
            raise NotRecommendedError(TIGHT)
        most, longest = self.request.max_cost, self.request.max_seconds
        if most is not None and taken.hourly.high > most.amount:
            raise NotRecommendedError(MAX_COST)
        if longest is not None and taken.latency.high > longest:
            raise NotRecommendedError(MAX_TIME)

    def _recommended(self, choice: EndpointChoice, taken: EndpointBurdens) -> RecommendedEndpoint:
        analysis, change = self._shared(choice), self.space.change(choice)
        without, claims = self.claims.without(analysis)
        deleted: Settings = {("expect", claim): None for claim in claims}
        codes = codes_of(without)
        uncertain = UNCERTAIN.intersection(codes[Severity.WARNING]) if "tight" not in self.request.allow else ()
        for code in (*codes[Severity.ERROR], *sorted(uncertain)):
            raise NotRecommendedError(code)
        whole = Change(change.kind, {**change.settings, **deleted}, change.remark)
        return RecommendedEndpoint(whole, without, taken, codes[Severity.WARNING], claims)

    def _tie(self, choice: EndpointChoice, taken: EndpointBurdens) -> tuple[Any, ...]:
        settings = tuple(sorted((key, str(value)) for key, value in self.space.change(choice).to_dict().items()))
        return len(settings), taken.hourly.expected, taken.latency.expected, -taken.holds, settings

    def _rank(self, steps: Steps) -> Steps:
        """The steps in the order of the objective."""
        cost, time, held = steps
        return {"cost": (cost, time, held), "time": (time, cost, held), "headroom": (held, cost, time)}[
            self.request.objective
        ]
