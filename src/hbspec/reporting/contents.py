"""What a report holds: the answer, the chapters of each spec, and of several specs the comparison first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from hbspec.comparison.compared import Compared
from hbspec.comparison.fairness import letter
from hbspec.diagnostics import Report
from hbspec.render.answer import answer
from hbspec.render.estimates import head_lines
from hbspec.reporting.chapter import Chapter, Listing, Statement
from hbspec.reporting.comparison import comparison_chapter, many_chapter
from hbspec.reporting.cost import cost_chapter
from hbspec.reporting.endpoint import endpoint_chapter
from hbspec.reporting.judged import claims_chapter, findings_chapter, findings_statement, measured_chapter
from hbspec.reporting.lengths import lengths_chapter
from hbspec.reporting.memory import memory_chapter
from hbspec.reporting.plans import plans_chapter
from hbspec.reporting.sources import sources_chapter
from hbspec.reporting.time import time_chapter
from hbspec.reporting.verdict import verdict

if TYPE_CHECKING:
    from hbspec.api import Estimates
    from hbspec.search.optimize import Optimum


MOST_SPECS = 8
"""Specs of which a page holds all chapters: each takes about 120 kB and half a second."""


class Contents(NamedTuple):
    """A whole report.

    Attributes:
        title: of the page.
        made: with which version, and as of which day.
        lead: what is said before the first heading.
        chapters: the rest, in order.
    """

    title: str
    made: str
    lead: Sequence[Statement]
    chapters: Sequence[Chapter]


def contents(
    compared: Compared, plans: Sequence[Optimum | str] = (), refused: Sequence[tuple[str, Report]] = ()
) -> Contents:
    """The report of at least one spec.

    Args:
        compared: the specs that could be estimated.
        plans: of each spec, the best plans or why none could be searched; empty where they are not asked for.
        refused: specs that could not be estimated, with the reasons.
    """
    from hbspec import __version__

    day = compared.estimates[0].as_of
    made = f"Made by hbspec {__version__} with the facts and ages of {day}. The figures are estimates unless measured."
    missing = [_refused(refused)] if refused else []
    if len(compared.files) == 1:
        found = compared.estimates[0]
        chapters = _chapters(found, compared.reports[0], plans[0] if plans else None)
        return Contents(
            found.plan.name, made, _lead(found, compared.reports[0], compared.files[0]), [*missing, *chapters]
        )
    if len(compared.files) > MOST_SPECS:
        return _many(compared, made, missing)
    several = [
        Chapter(
            f"spec-{letter(number).lower()}",
            f"{letter(number)}: {found.plan.name}",
            _lead(found, report, file),
            _chapters(found, report, plans[number] if plans else None),
        )
        for number, (file, found, report) in enumerate(
            zip(compared.files, compared.estimates, compared.reports, strict=True)
        )
    ]
    names = ", ".join(found.plan.name for found in compared.estimates)
    chapters = [comparison_chapter(compared), *missing, *several]
    return Contents(f"{len(several)} specs compared", made, [Statement(names)], chapters)


def _many(compared: Compared, made: str, missing: Sequence[Chapter]) -> Contents:
    """More specs than a page can hold chapters of: a row of the comparison for each."""
    number = len(compared.files)
    why = f"A page holds the chapters of at most {MOST_SPECS} specs: these are {number}, compared in one table."
    said = Statement(f"{why} Write a report of the ones that matter.", "open")
    return Contents(f"{number} specs compared", made, [said], [many_chapter(compared), *missing])


def _lead(found: Estimates, report: Report, file: str) -> list[Statement]:
    """The verdict, what is trained on what, and the answer."""
    head = "".join(text for line in list(head_lines(found.plan, None))[1:] for _, text in line)
    said = [Statement(one.text, one.style) for one in answer(found)]
    return [verdict(found, report), Statement(f"{head} ({file})"), *said, findings_statement(report)]


def _chapters(found: Estimates, report: Report, plans: Optimum | str | None) -> list[Chapter]:
    return [
        claims_chapter(found.claims),
        memory_chapter(found),
        time_chapter(found),
        cost_chapter(found),
        endpoint_chapter(found),
        plans_chapter(plans),
        lengths_chapter(found),
        measured_chapter(found),
        findings_chapter(report),
        sources_chapter(found),
    ]


def _refused(refused: Sequence[tuple[str, Report]]) -> Chapter:
    """The specs without a chapter of their own, and why."""
    rows = [
        (file, f"{entry.code} {entry.name}: {entry.message}", entry.help)
        for file, report in refused
        for entry in report.diagnostics
    ]
    said = Statement(f"{len(refused)} of the specs could not be estimated.", "bad")
    return Chapter("refused", "Not estimated", [said, Listing("Why", ("File", "Finding", "What to do"), rows)])
