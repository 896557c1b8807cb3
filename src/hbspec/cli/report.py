"""`hbspec report`: one page with charts for those who pay for a job, and those who check it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import OK
from hbspec.cli.options import ALLOW_OUTSIDE, AS_OF, CATALOG, SET, SPECS

if TYPE_CHECKING:
    from hbspec.api import Estimates
    from hbspec.diagnostics import Report
    from hbspec.reporting.contents import Contents
    from hbspec.search.optimize import Optimum

ENDINGS = {"html": (".html", ".htm"), "markdown": (".md", ".markdown"), "pdf": (".pdf",)}
"""The endings of files by their format; the first is that of a file without a name."""
ENGLISH = "en"
LANGUAGES = (ENGLISH, "fr")
"""Of which each beside English has a catalogue in `hbspec/reporting/phrases`."""
HEAD_BYTES = 4096
"""How much of a file is read to see whether hbspec wrote it."""


def run(
    specs: Sequence[str],
    output: Path | None,
    overrides: Sequence[str],
    as_of: date | None,
    allow_outside: bool,
    catalog: Path | None,
    format: str | None,  # noqa: A002 - the option's name
    plans: bool,
    lang: str,
) -> int:
    """Write the report of all specs that can be estimated; return the exit code.

    Raises:
        MisuseError: vl-convert, babel or, for a PDF, Chromium is missing, or the file is there and is not a report.
        OSError: the file cannot be written; what was there is unchanged.
    """
    from hbspec.api import InvalidSpecError, estimate
    from hbspec.cli.outcome import refuse
    from hbspec.cli.print_page import browser

    form = format or next((each for each, ends in ENDINGS.items() if output and output.suffix.lower() in ends), "html")
    if form != "markdown" and find_spec("vl_convert") is None:
        raise MisuseError("report draws its charts with vl-convert: pip install 'hbspec[report]', or --format markdown")
    if lang != ENGLISH and find_spec("babel") is None:
        raise MisuseError(f"report --lang {lang} writes numbers and days with babel: pip install 'hbspec[report]'")
    if form == "pdf":
        browser()
    place = output or Path(f"report{ENDINGS[form][0]}")
    _refuse_another_file(place)
    given: dict[str, Any] = {"allow_outside": allow_outside, "as_of": as_of, "prices": catalog}
    found: list[tuple[str, Estimates]] = []
    refused: list[tuple[str, Report]] = []
    code = OK
    for spec in specs:
        try:
            found.append((spec, estimate(spec, overrides=overrides, **given)))
        except InvalidSpecError as invalid:
            refused.append((spec, invalid.report))
            code = max(code, refuse(invalid.report))
    if found:
        _write(place, _contents(found, refused, plans=plans, lang=lang), form)
    return code


def _contents(
    found: Sequence[tuple[str, Estimates]], refused: Sequence[tuple[str, Report]], *, plans: bool, lang: str
) -> Contents:
    from hbspec.comparison.compared import compare
    from hbspec.reporting.contents import contents
    from hbspec.reporting.translation import translation

    compared = compare([spec for spec, _ in found], [estimates for _, estimates in found])
    searched = [_searched(estimates) for _, estimates in found] if plans else ()
    return contents(compared, searched, refused, translation(lang))


def _searched(estimates: Estimates) -> Optimum | str:
    """The best plans, or what keeps them from being searched."""
    from hbspec.cli.search_progress import SearchProgress
    from hbspec.diagnostics import NotKnownError
    from hbspec.search.optimize import optimize
    from hbspec.search.request import Request

    try:
        with SearchProgress() as progress:
            return optimize(estimates.analysis, Request(), progress)
    except NotKnownError as reason:
        return str(reason)


def _write(place: Path, report: Contents, format: str) -> None:  # noqa: A002 - as in `--format`
    from hbspec.cli.whole import write_file

    write_file(place, _content(report, format), replace=True)
    sys.stderr.write(f"{place}: written\n")


def _content(report: Contents, format: str) -> bytes:  # noqa: A002 - as in `--format`
    if format == "markdown":
        from hbspec.reporting.markdown import markdown

        return markdown(report).encode(errors="replace")
    from hbspec.cli.print_page import printed
    from hbspec.reporting.page import page

    text = page(report)
    return printed(text) if format == "pdf" else text.encode(errors="replace")


def _refuse_another_file(place: Path) -> None:
    """Keep a file that hbspec did not write: a spec named after `-o` by mistake would be lost.

    Raises:
        MisuseError: the place holds such a file.
        OSError: the place is a folder, or cannot be read.
    """
    from hbspec.cli.print_page import is_printed
    from hbspec.cli.whole import is_device
    from hbspec.reporting.marks import MARKS

    if str(place) == "-":
        raise MisuseError("a report is a file: name one with -o, such as report.html")
    if is_device(place):  # nothing of it would be lost, and a pipe would be waited for
        return
    try:
        with place.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except FileNotFoundError:
        return
    if head and not is_printed(head) and not any(mark.encode() in head for mark in MARKS):
        raise MisuseError(f"{place} is not a report of hbspec, and is kept: name another file with -o")


COMMAND = Command(
    "report",
    "Write one page about specs: the answer, charts with their tables, and the source of every fact.",
    run,
    (
        SPECS,
        Parameter(
            "output",
            "The file to write; report.html, report.md or report.pdf by default.",
            ("--output", "-o"),
            "FILE",
            convert=Path,
        ),
        Parameter(
            "format",
            "The format of the page; by default that of the file's ending, or html.",
            ("--format",),
            choices=tuple(ENDINGS),
        ),
        Parameter(
            "lang",
            "The language of the page, of its numbers and days; findings stay English.",
            ("--lang",),
            choices=LANGUAGES,
            default=ENGLISH,
        ),
        Parameter(
            "plans", "Search the best plans, too; this takes as long as `hbspec optimize`.", ("--plans",), switch=True
        ),
        SET,
        AS_OF,
        ALLOW_OUTSIDE,
        CATALOG,
    ),
    "The page needs no script and no network, and can be mailed or printed. A report that is there is replaced; any "
    "other file is kept. Exit code 0: the report is written. 1: a spec has errors that prevent estimates; the report "
    "of the others is written and names it. 2: a file could not be read or written.",
)
