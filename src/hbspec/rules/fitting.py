"""The first change, in an order of preference, after which a job is certain to fit on its GPUs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from math import inf

from hbspec.analysis import Analysis
from hbspec.analysis.chains import chains, known_fullness
from hbspec.analysis.change import Change
from hbspec.analysis.changes import elsewhere, leaner, trains_otherwise
from hbspec.analysis.pairs import following
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.verdict import Verdict
from hbspec.rules.within_limits import within_limits

PREFERENCE = (
    *("evaluation", "generation", "reduction", "gathering", "checkpointing", "micro-batch", "attention", "loss"),
    *("length", "optimizer", "parallelism", "quantisation", "method", "offload", "instances", "instance"),
)
"""Kinds of change, the most welcome first: what keeps the training the same, what rounds or shares it, what trains
something else or takes longer, and what has to be rented."""

JUDGED = 5
"""Changes of one sort that fit and are judged by all rules: where so many bring an error, others will too."""

NOTHING = Change("", {})

Predicate = Callable[[Analysis], bool]


def change_that_fits(
    analysis: Analysis, acceptable: Predicate, wanted: Predicate = lambda _changed: True
) -> Change | None:
    """A change after which the job is certain to fit; None where none of those tried is.

    Single changes on the same instance type, then pairs of them, then several that keep the training the same, then
    other instance types by price; after all of them those that train adapters instead of all weights. Types that
    compute otherwise come after the others.

    Args:
        analysis: the job.
        acceptable: whether a changed spec may be recommended; called last, as it takes the longest.
        wanted: what else has to be true of the changed spec; called first.
    """
    spoilt: list[Change] = []
    within = within_limits(analysis)
    sorts: tuple[Callable[[Analysis], Iterable[Change]], ...] = (_single, _pairs, _chained, _elsewhere, _training_less)
    for sort in sorts:
        judged = 0
        for change in sort(analysis):
            if judged == JUDGED:
                break
            if any(one.settings.items() <= change.settings.items() for one in spoilt):
                continue
            changed = replace(analysis, spec=change.applied(analysis.spec))
            if not (wanted(changed) and _fits(change, changed) and within(changed)):
                continue
            if acceptable(changed):
                return change
            spoilt.append(change)
            judged += 1
    return None


def _single(analysis: Analysis) -> list[Change]:
    return [change for change in _alone(analysis) if not trains_otherwise(change, analysis.plan)]


def _pairs(analysis: Analysis) -> list[Change]:
    return [change for change in _twos(analysis) if not trains_otherwise(change, analysis.plan)]


def _chained(analysis: Analysis) -> Iterator[Change]:
    return chains(analysis, lambda changed: _fits(NOTHING, changed))


def _training_less(analysis: Analysis) -> list[Change]:
    found = (*_alone(analysis), *(_twos(analysis) if analysis.plan.training.method == "full" else ()))
    return [change for change in found if trains_otherwise(change, analysis.plan)]


def _alone(analysis: Analysis) -> list[Change]:
    return _preferred(leaner(analysis.spec, analysis.plan))


def _twos(analysis: Analysis) -> list[Change]:
    """Pairs of which the first saves memory by itself."""
    pairs: list[Change] = []
    for first in leaner(analysis.spec, analysis.plan):
        changed = replace(analysis, spec=first.applied(analysis.spec))
        if known_fullness(changed) < known_fullness(analysis):
            pairs += following(first, changed.spec, changed.plan)
    return _preferred(pairs)


def _elsewhere(analysis: Analysis) -> list[Change]:
    """Other instance types, the cheapest first, those without a price last; of one type the fewest settings first.

    Those that compute in float16 instead of bfloat16 come after all others.
    """

    def rank(change: Change) -> tuple[bool, float, int]:
        name, region = change.settings["instance", "type"], str(analysis.spec.instance.region)
        price = analysis.catalog.price(name, region, "training")
        otherwise = trains_otherwise(change, analysis.plan)
        return otherwise, float(price.usd_per_hour) if price else inf, len(change.settings)

    return sorted(elsewhere(analysis.spec, analysis.plan, analysis.catalog, priced=False), key=rank)


def _preferred(changes: Iterable[Change]) -> list[Change]:
    """By the less welcome of their kinds, then by the other; of one kind those without a remark first."""
    return sorted(changes, key=lambda change: (_reluctance(change), bool(change.remark)))


def _reluctance(change: Change) -> list[int]:
    return sorted((PREFERENCE.index(kind) for kind in change.kind.split("+")), reverse=True)


def _fits(change: Change, changed: Analysis) -> bool:
    """Whether the job is certain to fit, and the host can hold what is moved to it."""
    try:
        if changed.memory_verdict is not Verdict.FITS:
            return False
        moves = {"offload", "instance"} & set(change.kind.split("+"))
        return not moves or changed.host.verdict is not Verdict.DOES_NOT_FIT
    except NotKnownError:
        return False
