"""Fixes applied to the text of a spec.

A fix is kept if its finding is gone afterwards and no other has come. What could not be judged before (the text
was not a spec, a name was not known) has not come from the fix. All are tried together first, since a judgement
takes longer than an edit; one after the other only where that does not do. What is fixed is judged again, so that a fix
that a first one makes possible is applied, too, until nothing is left to fix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from hbspec.diagnostics import Diagnostic, Fix, Report, Route
from hbspec.source import Document, SourceError
from hbspec.source.edited import EditError
from hbspec.source.edited_document import edited_document

MOST_ROUNDS = 20
"""Rounds after which what is left is left: no chain of fixes is nearly as long."""

UNREAD = re.compile("HB0[0-2].")
"""Codes of what cannot be read or validated; no rule is asked about it."""

Place = tuple[str, Route]


class AppliedFix(NamedTuple):
    """A finding that was fixed, and how."""

    finding: Diagnostic
    fix: Fix


class Left(NamedTuple):
    """A finding that has a fix which was not applied, and why."""

    finding: Diagnostic
    reason: str


class Fixed(NamedTuple):
    """A spec with its fixes.

    Attributes:
        before: the text as it was.
        after: the text with the fixes; `before` where none was applied.
        applied: what was fixed, in order.
        left: what was tried and not kept.
        report: what is still found.
    """

    before: str
    after: str
    applied: tuple[AppliedFix, ...]
    left: tuple[Left, ...]
    report: Report


def fixed(text: str, read: Callable[[], Document], judge: Callable[[str], Report], *, unsafe: bool = False) -> Fixed:
    """The spec with every fix that can be kept. One with nothing to fix is judged once, and not read beyond that.

    A finding with several fixes is the author's to decide, and left.

    Args:
        text: the spec as it is in its file.
        read: the document of that text, without overrides; it may raise `SourceError`.
        judge: the report on a text of that file.
        unsafe: whether fixes are applied that change the job: what is meant is then a guess.
    """
    work = FixingWork(text, read, judge)
    for _ in range(MOST_ROUNDS):
        if not work.round(unsafe=unsafe):
            break
    return Fixed(text, work.text, tuple(work.applied), tuple(work.left), work.report)


class FixingWork:
    """A spec while it is fixed."""

    def __init__(self, text: str, read: Callable[[], Document], judge: Callable[[str], Report]) -> None:
        self.text, self.judge = text, judge
        self.report = judge(text)
        self._read = read
        self._document: Document | None = None
        self.applied: list[AppliedFix] = []
        self.left: list[Left] = []
        self.tried: set[tuple[Place, str]] = set()

    def round(self, *, unsafe: bool) -> bool:
        """Apply what can be fixed now; whether anything was."""
        wanted = [one for one in _fixable(self.report, unsafe=unsafe) if self._key(one) not in self.tried]
        if not wanted:
            return False
        self.tried |= {self._key(one) for one in wanted}
        if len(wanted) > 1 and self._keep(wanted) is None:
            return True
        kept = False
        for one in wanted:
            if (one.finding.code, one.finding.route) not in set(_places(self.report.diagnostics)):
                continue
            reason = self._keep([one])
            kept |= reason is None
            if reason is not None:
                self.left.append(Left(one.finding, reason))
        return kept

    def _keep(self, wanted: list[AppliedFix]) -> str | None:
        """Apply fixes, unless they do not do what they say; the reason why not."""
        settings = {one.fix.route: one.fix.value for one in wanted}
        if len(settings) < len(wanted):
            return "two fixes set one key"
        try:
            self._document = self._document or self._read()
            document = edited_document(self._document, settings)
        except EditError as reason:
            return str(reason)
        except SourceError:
            return "the text is not YAML that can be edited"
        text = document.texts[document.file]
        report = self.judge(text)
        before, after = set(_places(self.report.diagnostics)), set(_places(report.diagnostics))
        stayed = after & set(_places(one.finding for one in wanted))
        hidden = any(UNREAD.fullmatch(code) for code, _ in before)
        come = {
            (code, route)
            for code, route in after - before
            if UNREAD.fullmatch(code) or not (hidden or code in self.report.skipped)
        }
        if stayed or come:
            code, _ = min(stayed or come, key=str)
            return f"{code} {'stays' if stayed else 'would come'}"
        self.text, self._document, self.report = text, document, report
        self.applied += wanted
        return None

    @staticmethod
    def _key(one: AppliedFix) -> tuple[Place, str]:
        return (one.finding.code, one.finding.route), repr(one.fix)


def _fixable(report: Report, *, unsafe: bool) -> Iterator[AppliedFix]:
    """The findings that have one fix, each with it."""
    for finding in report.diagnostics:
        if len(finding.fixes) == 1 and (unsafe or finding.fixes[0].safe):
            yield AppliedFix(finding, finding.fixes[0])


def _places(diagnostics: Iterable[Diagnostic]) -> Iterator[Place]:
    """The places of findings, and of those that are listed with them."""
    for entry in diagnostics:
        yield entry.code, entry.route
        yield from entry.also
