"""Several changes at once that make a job fit and keep its training the same, where one or two do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf

from hbspec.analysis.analysis import Analysis
from hbspec.analysis.change import Change
from hbspec.analysis.changes import leaner
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.training.memory import fullness

SPARED = ("checkpointing", "reduction", "loss", "attention", "gathering", "evaluation")
"""Kinds of change that are left out again where the job fits without; none changes what another one sets."""
SAME = frozenset((*SPARED, "parallelism", "micro-batch"))
"""Kinds of change that keep the training the same."""
LONGEST = 8
"""The most changes that are tried one after the other."""


def chains(analysis: Analysis, fits: Callable[[Analysis], bool]) -> Iterator[Change]:
    """Changes after which a job fits: none or one of how the GPUs share the work, then others.

    Of those, each is the one that saves the most memory after what comes before it. What rounds a number, moves tensors
    to the host or lets GPUs wait is not among them.

    Args:
        analysis: a job that does not fit.
        fits: whether a changed job does.
    """
    ways = [change for change in _leaner(analysis) if change.kind == "parallelism"]
    for first in ([], *([way] for way in ways)):
        links = _links(analysis, first, fits)
        if links:
            yield _as_one(links)


def _links(analysis: Analysis, first: list[Change], fits: Callable[[Analysis], bool]) -> list[Change]:
    """The changes after the first one with which the job fits; none where it does not."""
    links, changed = [*first], _applied(first, analysis)
    while not fits(changed):
        tried = [(link, _applied([link], changed)) for link in _leaner(changed) if link.kind != "parallelism"]
        link, after = min(tried, key=lambda pair: known_fullness(pair[1]), default=(None, changed))
        if link is None or len(links) == LONGEST or known_fullness(after) >= known_fullness(changed):
            return []
        links.append(link)
        changed = after
    for kind in SPARED:
        fewer = [link for link in links if link.kind != kind]
        if len(fewer) < len(links) and fits(_applied(fewer, analysis)):
            links = fewer
    return links


def _leaner(analysis: Analysis) -> list[Change]:
    """Changes that save memory and keep the training the same; a remark says what else they do."""
    found = leaner(analysis.spec, analysis.plan)
    return [change for change in found if change.kind in SAME and (not change.remark or change.kind == "reduction")]


def _as_one(links: list[Change]) -> Change:
    one = links[0]
    for link in links[1:]:
        kinds = one.kind.split("+")
        one = replace(link.after(one), kind=one.kind if link.kind in kinds else f"{one.kind}+{link.kind}")
    return one


def _applied(links: list[Change], analysis: Analysis) -> Analysis:
    return replace(analysis, spec=_as_one(links).applied(analysis.spec)) if links else analysis


def known_fullness(analysis: Analysis) -> float:
    """The share of a GPU that its tensors may take; infinite where it is not known."""
    try:
        return fullness(analysis.plan)
    except NotKnownError:
        return inf
