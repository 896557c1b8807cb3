"""A report as text: place, message, excerpt with carets, help; then one summary line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import PurePath

from hbspec.diagnostics import Confidence, Diagnostic, Report, Severity, route_text
from hbspec.language import number_text, phrase
from hbspec.render.lines import Line, Segment, cells, wrapped
from hbspec.source.excerpts import printable, underline
from hbspec.units import counted

INDENT = 4
ELLIPSIS = "…"
FILES_NAMED = 5
_ONE_IGNORED = ("does not look like a spec", "is hidden or does not look like a spec")
_SEVERAL_IGNORED = ("do not look like specs", "are hidden or do not look like specs")


def report_lines(report: Report, width: int | None = None, *, quiet: bool = False) -> Iterator[Line]:
    """Every diagnostic and the summary.

    Args:
        report: the result of a check.
        width: columns to fold at; None folds nothing.
        quiet: errors only, without the summary.
    """
    for diagnostic in report.diagnostics:
        if quiet and diagnostic.severity is not Severity.ERROR:
            continue
        yield from diagnostic_lines(diagnostic, width)
        yield ()
    if not quiet:
        yield from closing_lines(report, width)


def closing_lines(report: Report, width: int | None = None) -> Iterator[Line]:
    """What was not judged, and the summary."""
    yield from _not_judged(report, width)
    yield from _passed_over(report, width)
    yield from wrapped(_summary(report), width)


def concise_lines(report: Report, *, quiet: bool = False) -> Iterator[Line]:
    """One line per diagnostic: its place and message, and nothing else."""
    for diagnostic in report.diagnostics:
        if not quiet or diagnostic.severity is Severity.ERROR:
            yield headline(diagnostic)


def diagnostic_lines(diagnostic: Diagnostic, width: int | None = None) -> Iterator[Line]:
    """One diagnostic: its place and message, the excerpt, the help."""
    yield from wrapped(headline(diagnostic), width, INDENT)
    gutter = 2
    if diagnostic.span and diagnostic.excerpt is not None:
        gutter = len(str(diagnostic.span.start.line)) + 1
        yield from _excerpt(diagnostic, gutter, width)
    yield from help_lines(diagnostic, width, gutter)


def help_lines(diagnostic: Diagnostic, width: int | None, gutter: int) -> Iterator[Line]:
    """What to do, and what else follows from the same cause."""
    help_ = (("", " " * gutter), ("gutter", "="), ("help", " help: "), ("", printable(diagnostic.help)))
    yield from wrapped(help_, width, gutter + INDENT)
    if diagnostic.also:
        also = (("", " " * gutter), ("gutter", "="), ("help", " also: "), ("", printable(diagnostic.also_text)))
        yield from wrapped(also, width, gutter + INDENT)


def headline(diagnostic: Diagnostic) -> Line:
    """The place of a diagnostic, its code and its message."""
    place = printable(diagnostic.file)
    if diagnostic.span:
        place += f":{diagnostic.span.start.line}:{diagnostic.span.start.column}"
    elif diagnostic.route:
        place += f": {route_text(diagnostic.route)}"
    severity = diagnostic.severity.value
    likely = " (likely)" if diagnostic.confidence is Confidence.LIKELY else ""
    return (
        ("path", f"{place}:"),
        ("", " "),
        (severity, f"{severity}[{diagnostic.code}]"),
        ("", f" {diagnostic.name}{likely}: {printable(diagnostic.message)}"),
    )


def _excerpt(diagnostic: Diagnostic, gutter: int, width: int | None) -> Iterator[Line]:
    span, shown = diagnostic.span, diagnostic.excerpt
    if span is None or shown is None:
        return
    before, marked = underline(shown, span)
    if width is not None:
        shown, before, marked = clipped(shown, before, marked, max(width - gutter - 2, 8))
    edge: Segment = ("gutter", f"{'':{gutter}}|")
    yield (edge,)
    yield (("gutter", f"{span.start.line:<{gutter}}|"), ("", f" {shown}"))
    carets = "^" * cells(shown[before : before + marked] or " ")
    yield (edge, ("", " " * (1 + cells(shown[:before]))), (diagnostic.severity.value, carets))


def clipped(shown: str, before: int, marked: int, width: int) -> tuple[str, int, int]:
    """An excerpt cut to `width` characters around the marked part, with `…` for the text cut off at either side.

    >>> clipped("  parallelism: pipeline", 15, 8, 16)
    ('…elism: pipeline', 8, 8)
    """
    if cells(shown) <= width:
        return shown, before, marked
    first = 0 if before + marked < width else max(0, min(before - 1, before + marked - width))
    piece = shown[first : first + width]
    if first:
        piece = ELLIPSIS + piece[1:]
    if first + width < len(shown):
        piece = piece[:-1] + ELLIPSIS
    return piece, before - first, max(1, min(marked, len(piece) - (before - first)))


def _not_judged(report: Report, width: int | None) -> Iterator[Line]:
    by_reason = sorted((reason, code) for code, reason in report.skipped.items())
    for reason, pairs in groupby(by_reason, key=lambda pair: pair[0]):
        codes = ", ".join(code for _, code in pairs)
        yield from wrapped((("faint", "skipped: "), ("", f"{codes} ({printable(reason)})")), width, INDENT)


def _passed_over(report: Report, width: int | None) -> Iterator[Line]:
    files = report.passed_over
    if files:
        named = [printable(file) for file in files[:FILES_NAMED]]
        more = [f"{len(files) - FILES_NAMED:,} more; --format json lists them all"] if len(files) > FILES_NAMED else []
        is_hidden = any(PurePath(file).name.startswith(".") for file in files)
        kind = _ONE_IGNORED if len(files) == 1 else _SEVERAL_IGNORED
        said = f"{counted(len(files), 'file')} that {kind[is_hidden]} ({', '.join([*named, *more])})"
        yield from wrapped((("faint", "ignored: "), ("", said)), width, INDENT)


def summary_text(report: Report) -> str:
    """How many errors, warnings and notes there are, and in how many files."""
    return "".join(text for _, text in _summary(report))


def _summary(report: Report) -> Line:
    parts: list[Segment] = []
    for severity in Severity:
        count = report.count(severity)
        if count or severity is Severity.ERROR:
            style = severity.value if count else "good"
            parts += [("", ", "), (style, counted(count, severity.value) if count else phrase("no errors"))]
    beside = [phrase("{number} allowed", number=_whole(report.allowed))] if report.allowed else []
    beside += [phrase("{number} ignored", number=_whole(report.ignored))] if report.ignored else []
    beside += [phrase("{number} in the baseline", number=_whole(report.baselined))] if report.baselined else []
    beside += [phrase("{rules} skipped", rules=counted(len(report.skipped), "rule"))] if report.skipped else []
    files = len(report.files)
    where = phrase(" in {files}", files=counted(files, "file")) if files != 1 else ""
    return (*parts[1:], ("", where + (f" ({', '.join(beside)})" if beside else "")))


def _whole(number: int) -> str:
    return number_text(f"{number:,}")
