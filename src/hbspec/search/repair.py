"""The smallest change after which a spec with errors passes: the fewest settings, of those the lowest bound of cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.analysis.change import Change, Settings
from hbspec.analysis.fixed import READ
from hbspec.diagnostics import NotKnownError, Renamed, Severity
from hbspec.rules.engine import findings_again
from hbspec.rules.follow import CLAIM_CONTRADICTED
from hbspec.search.choice import Choice
from hbspec.search.floors import Floors
from hbspec.search.front import Front, Progress
from hbspec.search.gates import Gates
from hbspec.search.judging import MEMORY, UNKNOWN, Judge, NotRecommendedError, Recommended
from hbspec.search.optimize import Optimum, current, is_of_no_plan, unmeasured
from hbspec.search.request import Request
from hbspec.search.space import Space
from hbspec.search.variants import variants
from hbspec.spec.changed import with_value


class _Candidate(NamedTuple):
    settings: int
    amount: float
    order: tuple[Any, ...]
    choice: Choice


def repair(analysis: Analysis, request: Request, progress: Progress = lambda _done, _all: None) -> Optimum:
    """The smallest change of the plan, and of what rules say how to fix, after which no rule has an error.

    The repaired spec trains the same and is certain to fit, as every plan that is recommended. Fixes that read other
    files are left out.

    Args:
        analysis: a spec with errors.
        request: what may be changed.
        progress: is told how far the search is.

    Raises:
        NotKnownError: as `hbspec.search.optimize.optimize`.
    """
    estimated = unmeasured(analysis)
    now, here = current(estimated), analysis.spec.instance.region
    regions = request.regions or ((here,) if here else ())
    fixes, fixed = _fixed(estimated)
    rejected, plans = Counter[str](), tuple[Recommended, ...]()
    space = Space(fixed, request, variants(fixed, request))
    hopeless = [code for code in current(fixed).errors if is_of_no_plan(code)]
    if hopeless:
        rejected[hopeless[0]], tried = space.plans(), 0
    else:
        found, tried = _smallest(space, rejected, progress)
        if found is not None:
            whole = Change("repair", {**fixes, **found.change.settings}, found.change.remark)
            plans = (found._replace(change=whole),)
    counted = {"plans": space.plans(), "estimated": tried, "judged": tried}
    return Optimum(now, Front(plans, dict(sorted(rejected.items())), counted), request, regions)


def _fixed(analysis: Analysis) -> tuple[Settings, Analysis]:
    """What rules say how to fix, and the spec with it; claims are not among it, since a plan may make them true."""
    settings, spec = Settings(), analysis.spec
    for finding in findings_again(analysis)[0]:
        if finding.severity is not Severity.ERROR or finding.code == CLAIM_CONTRADICTED or not finding.fixes:
            continue
        fix = finding.fixes[0]
        if fix.route in READ or fix.route in settings or isinstance(fix.value, Renamed):
            continue
        try:
            spec = with_value(spec, fix.route, fix.value)
        except ValueError:
            continue
        settings[fix.route] = fix.value
    return settings, replace(analysis, spec=spec)


def _smallest(space: Space, rejected: Counter[str], progress: Progress) -> tuple[Recommended | None, int]:
    """The first acceptable plan, by the number of its settings and the bound of its cost; and how many were tried."""
    floors, judge = Floors(space), Judge(space)
    candidates = sorted(_candidates(space, floors, rejected), key=lambda one: one[:3])
    for number, candidate in enumerate(candidates):
        progress(number, len(candidates))
        try:
            return judge.recommended(candidate.choice), number + 1
        except NotRecommendedError as refused:
            rejected[str(refused)] += 1
    return None, len(candidates)


def _candidates(space: Space, floors: Floors, rejected: Counter[str]) -> Iterator[_Candidate]:
    gates = Gates(space, floors)
    for group in gates.groups():
        for batch in group.batches:
            try:
                fits = "tight" in space.request.allow or floors.headroom(group, batch) >= 0
                amounts = [floors.least(group, (batch,), (place,)).amount for place in group.machine.places]
            except NotKnownError:
                rejected[UNKNOWN] += len(group.machine.places)
                continue
            if not fits:
                rejected[MEMORY] += len(group.machine.places)
                continue
            for place, amount in zip(group.machine.places, amounts, strict=True):
                choice = Choice(group, batch, place)
                settings = space.change(choice).to_dict()
                order = tuple(sorted((key, str(value)) for key, value in settings.items()))
                yield _Candidate(len(settings), amount, order, choice)
    rejected.update(gates.rejected)
