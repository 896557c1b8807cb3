"""Which of several specs to take, in a sentence or two: why, and what helps where none can be taken."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from hbspec.comparison.fairness import letter
from hbspec.comparison.recommendation import CHEAPER, ONLY, Decision, Recommendation
from hbspec.language import apart, phrase, spoken, together
from hbspec.render.differences import apart_text
from hbspec.source.excerpts import printable

LEAST = {
    "cost": "it is certain to be the cheapest",
    "time": "it is certain to be the fastest",
    "endpoint_cost_per_hour": "its endpoint is certain to be the cheapest",
    "endpoint_latency": "its endpoint is certain to be the fastest",
}
"""What is said of the spec whose figure is certain to be the least."""
MORE = {
    "cost": "{spec} costs {difference}",
    "time": "{spec} takes {difference}",
    "endpoint_cost_per_hour": "an hour of the endpoint of {spec} costs {difference}",
    "endpoint_latency": "an answer of {spec} takes {difference}",
}
"""How far another is from it."""


def recommendation_sentences(found: Recommendation, files: Sequence[str]) -> Iterator[str]:
    """The sentences, the decision first.

    Args:
        found: which spec to take.
        files: the name of each spec's file.
    """
    if not found.ready:
        yield phrase("Take none of them as it is: {specs}.", specs=_stand(found, range(len(files))))
        yield _nearest(found, files[found.nearest])
        return
    if not found.alike:
        yield phrase("They do not train the same, and no figure says which result is better.")
    yield from _decision(found)
    if left := _stand(found, [number for number in range(len(files)) if number not in found.ready]):
        yield phrase("Left out: {specs}.", specs=left)


def _decision(found: Recommendation) -> Iterator[str]:
    if found.take is None:
        yield from _neither(found)
        return
    spec = letter(found.take)
    if found.by == ONLY:
        yield phrase("Take {spec}: it alone is certain to fit and to stay within its limits.", spec=spec)
        return
    why, more = spoken(LEAST[found.by]), _more(found.by, found.decisions[found.by])
    if found.alike:
        yield phrase("Take {spec}: {why}; {more}.", spec=spec, why=why, more=more)
    else:
        yield phrase("By these figures, take {spec}: {why}; {more}.", spec=spec, why=why, more=more)
    for name, decision in found.decisions.items():
        if name == found.by or decision.same:
            continue
        if decision.certain and decision.spec != found.take:
            yield phrase(
                "{spec} is certain to be faster: {more}.", spec=letter(decision.spec), more=_more(name, decision)
            )
        elif name in CHEAPER:
            yield phrase("Which is the cheapest is not certain: {more}.", more=_more(name, decision))


def _neither(found: Recommendation) -> Iterator[str]:
    specs = ", ".join(map(letter, found.ready))
    more = [_more(name, decision) for name, decision in found.decisions.items() if not decision.same]
    if not more:
        yield phrase("{specs} fit within their limits, and no figure known of each decides between them.", specs=specs)
        return
    yield phrase(
        "{specs} fit within their limits, and none is certain to be cheaper or faster: {more}. Take any, or run "
        "`hbspec measure` on the GPUs first, which narrows it.",
        specs=specs,
        more=apart(more),
    )


def _more(name: str, decision: Decision) -> str:
    """How far the nearest of the others is from the least, in words."""
    other, first = decision.nearest, letter(decision.spec)
    return phrase(MORE[name], spec=letter(other), difference=apart_text(decision.figures[other], 1, first))


def _stand(found: Recommendation, numbers: Sequence[int]) -> str:
    """What is against some specs or open, those of which the same is said together."""
    said: dict[tuple[str, ...], list[str]] = {}
    for number in numbers:
        stands = found.standings[number]
        said.setdefault((*stands.against, *stands.open), []).append(letter(number))
    return apart([phrase("{specs} {stand}", specs=", ".join(who), stand=_listed(what)) for what, who in said.items()])


def _listed(texts: Sequence[str]) -> str:
    return together(*[part for text in texts for part in (", ", spoken(text))][1:])


def _nearest(found: Recommendation, file: str) -> str:
    spec, path = letter(found.nearest), shlex.quote(printable(file))
    search = f"hbspec optimize {path}{' --deployment' if found.standings[found.nearest].of_endpoint else ''}"
    return phrase(
        "Nearest is {spec}: `hbspec check {path}` says what to change, and `{search}` looks for what passes.",
        spec=spec,
        path=path,
        search=search,
    )
