"""The best plans by brute force: every plan is estimated and judged, and the best are kept."""

from hbspec.api import estimate
from hbspec.search.burden import burdens, no_better
from hbspec.search.choice import Arrangement, Choice
from hbspec.search.floors import Floors
from hbspec.search.front import tie
from hbspec.search.judging import Judge, NotRecommendedError
from hbspec.search.optimize import unmeasured
from hbspec.search.request import ENDS
from hbspec.search.space import Space
from hbspec.search.variants import variants


def space_of(spec, request, overrides=()):
    analysis = unmeasured(estimate(spec, overrides=overrides).analysis)
    return Space(analysis, request, variants(analysis, request))


def choices(space):
    """Every plan of a space, including those without a price."""
    for variant in range(len(space.variants)):
        for machine in space.machines():
            for way in space.ways(machine):
                batches = space.batches(machine, way)
                for attention in space.kernels(machine):
                    for checkpointing in space.recomputed():
                        group = Arrangement(variant, machine, way, checkpointing, attention, batches)
                        yield from (Choice(group, batch, place) for batch in batches for place in machine.places)


def judged(space):
    """Each acceptable plan with its steps and its place among equals."""
    judge, end = Judge(space), ENDS[space.request.confidence]
    for choice in choices(space):
        try:
            plan = judge.recommended(choice)
        except NotRecommendedError:
            continue
        yield plan.burdens.steps(end), tie(space, choice, plan.burdens), plan


def front_by_hand(space):
    """The settings of the best plans, in order of cost, time and headroom."""
    found = []
    for steps, _, plan in sorted(judged(space), key=lambda one: one[:2]):
        if not any(no_better(steps, other) for other, _ in found):
            found.append((steps, plan))
    return [(steps, plan.change.to_dict()) for steps, plan in found]


def front_found(found, end="expected"):
    return [(plan.burdens.steps(end), plan.change.to_dict()) for plan in found.plans]


__all__ = ["Floors", "burdens", "choices", "front_by_hand", "front_found", "judged", "space_of"]
