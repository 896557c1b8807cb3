"""The faults found while a spec is read: collected, then raised together."""

from __future__ import annotations

from collections.abc import Iterable

from hbspec.diagnostics import Confidence, Diagnostic, Fix, Position, Route, Severity, Span
from hbspec.manual import Page
from hbspec.manual import text as pages
from hbspec.showing import printable, shown
from hbspec.showing.secrets import redact_route
from hbspec.source.excerpts import excerpt
from hbspec.source.limits import MAX_FAULTS


class SourceError(Exception):
    """A spec that cannot be read, with every reason, ordered by file and line.

    `unreadable` distinguishes a file that could not be read at all (exit code 2) from one with errors (exit code 1).
    """

    def __init__(self, diagnostics: Iterable[Diagnostic], *, unreadable: bool = False) -> None:
        self.diagnostics = tuple(sorted(diagnostics, key=lambda diagnostic: diagnostic.sort_key))
        self.unreadable = unreadable
        super().__init__("\n".join(map(_line, self.diagnostics)))


def _line(diagnostic: Diagnostic) -> str:
    start = diagnostic.span.start if diagnostic.span else Position(1, 1)
    return f"{printable(diagnostic.file)}:{start.line}:{start.column}: {diagnostic.code} {diagnostic.message}"


class Problems:
    """Collects diagnostics, and the texts read so far for their excerpts."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.diagnostics: list[Diagnostic] = []
        self._unlisted = 0

    def add(
        self,
        defect: Page,
        place: Span | str,
        message: str,
        help: str,  # noqa: A002 - the diagnostic's own name for it
        *,
        route: Route = (),
        fixes: tuple[Fix, ...] = (),
    ) -> None:
        """Add one fault at a span, or for a whole file given by its name."""
        if len(self.diagnostics) >= MAX_FAULTS:
            self._unlisted += 1
            return
        span = place if isinstance(place, Span) else None
        file = place.file if isinstance(place, Span) else place
        self.diagnostics.append(
            Diagnostic(
                code=defect.code,
                name=defect.name,
                severity=Severity.ERROR,
                confidence=Confidence.CERTAIN,
                file=file,
                route=redact_route(route),
                span=span,
                message=shown(message),
                help=shown(help),
                fixes=tuple(fix._replace(route=redact_route(fix.route)) for fix in fixes),
                excerpt=excerpt(self.texts[file], span) if span and file in self.texts else None,
            )
        )

    def forgive(self, defect: Page, below: Route) -> None:
        """Take back faults of one kind, at or below a route."""
        kept = [entry for entry in self.diagnostics if entry.code != defect.code or entry.route[: len(below)] != below]
        self.diagnostics[:] = kept

    def raise_any(self) -> None:
        """Raise `SourceError` if any fault was added."""
        if self.diagnostics:
            raise self.error()

    def error(self, *, unreadable: bool = False) -> SourceError:
        """All faults added so far as one error."""
        if not self._unlisted:
            return SourceError(self.diagnostics, unreadable=unreadable)
        summary = Problems()
        message = f"the spec has {self._unlisted:,} more faults than the {MAX_FAULTS:,} listed"
        help_ = f"fix the {MAX_FAULTS:,} listed, then check the spec again"
        summary.add(pages.OVER_LIMIT, self.diagnostics[0].file, message, help_)
        return SourceError(self.diagnostics + summary.diagnostics, unreadable=unreadable)
