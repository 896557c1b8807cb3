"""What a report holds: the answer, the chapters of each spec, and of several specs the comparison first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from hbspec.comparison.compared import Compared
from hbspec.comparison.fairness import letter
from hbspec.diagnostics import Report
from hbspec.language import Language, day_text, english, phrase, speaking, together
from hbspec.render.answer import answer
from hbspec.render.estimates import placed_text
from hbspec.reporting.chapter import Chapter, Listing, Statement, untranslated
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
        language: in which all of it is said; None is English.
    """

    title: str
    made: str
    lead: Sequence[Statement]
    chapters: Sequence[Chapter]
    language: Language | None = None


def contents(
    compared: Compared,
    plans: Sequence[Optimum | str] = (),
    refused: Sequence[tuple[str, Report]] = (),
    language: Language | None = None,
) -> Contents:
    """The report of at least one spec.

    Args:
        compared: the specs that could be estimated.
        plans: of each spec, the best plans or why none could be searched; empty where they are not asked for.
        refused: specs that could not be estimated, with the reasons.
        language: in which everything but the texts of findings and of sources is said; None is English.
    """
    with speaking(language):
        return _contents(compared, plans, refused)._replace(language=language)


def _contents(compared: Compared, plans: Sequence[Optimum | str], refused: Sequence[tuple[str, Report]]) -> Contents:
    from hbspec import __version__

    day = compared.estimates[0].as_of
    made = phrase(
        "Made by hbspec {version} with the facts and ages of {day}. The figures are estimates unless measured.",
        version=__version__,
        day=day_text(day),
    )
    missing = [_refused(refused)] if refused else []
    if len(compared.files) == 1:
        found = compared.estimates[0]
        chapters = _chapters(found, compared.reports[0], plans[0] if plans else None)
        return Contents(
            found.plan.name, made, _lead(found, compared.reports[0], compared.files[0]), [*missing, *chapters]
        )
    if len(compared.files) > MOST_SPECS:
        return _many(compared, made, missing)
    names = _told_apart(compared)
    several = [
        Chapter(
            f"spec-{letter(number).lower()}",
            phrase("{letter}: {name}", letter=letter(number), name=name),
            _lead(found, report, file),
            _chapters(found, report, plans[number] if plans else None),
        )
        for number, (name, file, found, report) in enumerate(
            zip(names, compared.files, compared.estimates, compared.reports, strict=True)
        )
    ]
    chapters = [comparison_chapter(compared), *missing, *several]
    title = phrase("{number} specs compared", number=len(several))
    return Contents(title, made, [Statement(", ".join(names))], chapters)


def _told_apart(compared: Compared) -> list[str]:
    """What each spec is called among the others: its name, or its file where another spec has the same name."""
    names = [found.plan.name for found in compared.estimates]
    return [file if names.count(name) > 1 else name for file, name in zip(compared.files, names, strict=True)]


def _many(compared: Compared, made: str, missing: Sequence[Chapter]) -> Contents:
    """More specs than a page can hold chapters of: a row of the comparison for each."""
    number = len(compared.files)
    why = phrase(
        "A page holds the chapters of at most {most} specs: these are {number}, compared in one table. "
        "Write a report of the ones that matter.",
        most=MOST_SPECS,
        number=number,
    )
    said = Statement(why, "open")
    return Contents(phrase("{number} specs compared", number=number), made, [said], [many_chapter(compared), *missing])


def _lead(found: Estimates, report: Report, file: str) -> list[Statement]:
    """The verdict, what is trained on what, and the answer."""
    said = [Statement(one.text, one.style) for one in answer(found)]
    return [
        verdict(found, report),
        Statement(together(placed_text(found.plan), f" ({file})")),
        *said,
        findings_statement(report),
    ]


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
        (file, english(f"{entry.code} {entry.name}: {entry.message}"), english(entry.help))
        for file, report in refused
        for entry in report.diagnostics
    ]
    said = Statement(phrase("{number} of the specs could not be estimated.", number=len(refused)), "bad")
    headings = (phrase("File"), phrase("Finding"), phrase("What to do"))
    return Chapter("refused", phrase("Not estimated"), [said, *untranslated(), Listing(phrase("Why"), headings, rows)])
