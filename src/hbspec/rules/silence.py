"""Findings that are not reported: allowed by a comment, or ignored by the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hbspec.configuration import Configuration
from hbspec.configuration.configuration import ALWAYS, OF_A_POLICY
from hbspec.diagnostics import Confidence, Diagnostic
from hbspec.manual.configuration import ALLOWS_NOTHING
from hbspec.manual.page import Page
from hbspec.rules.causes import CREDENTIAL
from hbspec.source import Document
from hbspec.source.allowances import Allowance


class Silence:
    """What silences the findings of one document, and what has silenced none.

    Attributes:
        ignored: how many findings the configuration has silenced, of those asked for.
    """

    def __init__(self, document: Document, configuration: Configuration) -> None:
        self.ignored = 0
        self._document, self._configuration = document, configuration
        self._used: set[tuple[Allowance, str]] = set()
        self._refused: set[tuple[Allowance, str]] = set()

    def kept(self, diagnostic: Diagnostic) -> tuple[Diagnostic, bool]:
        """The diagnostic, and whether it is reported."""
        if not self._configuration.reports(diagnostic.code, diagnostic.name, diagnostic.file):
            self.ignored += 1
            return diagnostic, False
        by = set(self._allowing(diagnostic))
        if _is_loud(diagnostic):
            self._refused |= by
            return diagnostic, True
        self._used |= by
        return diagnostic, not by

    def _allowing(self, diagnostic: Diagnostic) -> Iterator[tuple[Allowance, str]]:
        """The comments that allow it, each with its word.

        What looks like a credential is allowed on its own line only: in a section or a file, it may become one unseen.
        """
        span = diagnostic.span
        anywhere = not ALWAYS.fullmatch(diagnostic.code)
        for allowance in self._document.allowed if span else ():
            here = span and span.file == allowance.span.file and allowance.first <= span.start.line <= allowance.last
            if here and (anywhere or allowance.first == allowance.last):
                yield from ((allowance, word) for word in {diagnostic.code, diagnostic.name} & set(allowance.words))

    def unused(self, skipped: Mapping[str, str]) -> Iterator[Diagnostic]:
        """A diagnostic for each comment that allows a finding that is not there.

        Nothing is said of a code whose rule was skipped, or that the configuration does not report: whether it would
        be found is not known.
        """
        for allowance in self._document.allowed:
            idle = [word for word in allowance.words if (allowance, word) not in self._used]
            if idle:
                yield from self._of_idle(allowance, idle, skipped)

    def _of_idle(self, allowance: Allowance, idle: list[str], skipped: Mapping[str, str]) -> Iterator[Diagnostic]:
        from hbspec.manual import page_of  # which few specs need

        pages = {word: page_of(word) for word in idle}
        wrong = [
            word
            for word, page in pages.items()
            if (page is None and (word.startswith("HB") or not any(page_of(one) for one in allowance.words)))
            or (page and _is_rule(page) and page.code not in skipped and self._reports(*page[:2], allowance))
        ]
        if wrong and self._reports(ALLOWS_NOTHING.code, ALLOWS_NOTHING.name, allowance):
            yield self._diagnostic(allowance, wrong, [word for word in wrong if pages[word] is None])

    def _reports(self, code: str, name: str, allowance: Allowance) -> bool:
        return self._configuration.reports(code, name, allowance.span.file)

    def _diagnostic(self, allowance: Allowance, wrong: list[str], unknown: list[str]) -> Diagnostic:
        named = ", ".join(wrong)
        message = f"{named} is not found here" if not unknown else f"{', '.join(unknown)} is not a code or a name"
        if any((allowance, word) in self._refused for word in wrong if _code_of(word) == CREDENTIAL):
            message = f"a comment does not allow a credential: {named} has no effect"
        elif any(page_code and OF_A_POLICY.fullmatch(page_code) for page_code in map(_code_of, wrong)):
            message = f"a comment does not allow what breaks a policy: {named} has no effect"
        page = ALLOWS_NOTHING
        return Diagnostic(
            code=page.code,
            name=page.name,
            severity=self._configuration.severity_of(page.code, page.name, page.severity),
            confidence=Confidence.CERTAIN,
            file=allowance.span.file,
            route=(),
            span=allowance.span,
            message=message,
            help="`hbspec rules` lists all codes" if unknown else f"delete {named} from the comment",
            excerpt=self._document.excerpt(allowance.span),
        )


def _is_loud(diagnostic: Diagnostic) -> bool:
    """Whether no comment allows it: what breaks a policy, and the published form of a credential."""
    certain = diagnostic.confidence is Confidence.CERTAIN
    return OF_A_POLICY.fullmatch(diagnostic.code) is not None or (diagnostic.code == CREDENTIAL and certain)


def _code_of(word: str) -> str | None:
    """The code that a word stands for; None if it stands for none."""
    from hbspec.manual import page_of  # which few specs need

    page = page_of(word)
    return page and page.code


def _is_rule(page: Page) -> bool:
    """Whether `check` finds what has this page: not, for instance, a folder that `compile` cannot write."""
    return page.code >= "HB100"
