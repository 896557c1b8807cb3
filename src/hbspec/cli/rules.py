"""`hbspec rules`: the list of all codes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hbspec.cli.command import Command, Parameter
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.options import format_of
from hbspec.showing import shown

if TYPE_CHECKING:
    from hbspec.manual import Page


def run(format: str, search: str | None) -> int:  # noqa: A002 - the option's name
    """Print one line per code, or the pages as JSON; return the exit code."""
    from hbspec.manual import pages

    found = [page for page in pages() if search is None or _has(page, search)]
    if search is not None and not found:
        sys.stderr.write(f"hbspec: no page has {shown(search)!r}; `hbspec rules` lists all codes\n")
        return ERRORS
    if format == "json":
        from hbspec.render.plain_json import json_text

        entries = sorted(found, key=lambda page: page.code)
        sys.stdout.write(json_text({"format_version": 1, "rules": [page.to_dict() for page in entries]}))
    else:
        from hbspec.render.manual_page import index_lines
        from hbspec.render.paint import columns, write

        write(index_lines(found, columns()), sys.stdout)
    return OK


def _has(page: Page, search: str) -> bool:
    """Whether a page has every word of a search, in any case and anywhere but in its references."""
    text = " ".join((page.code, page.name, page.summary, page.why, page.example, page.instead)).lower()
    return all(word in text for word in search.lower().split())


COMMAND = Command(
    "rules",
    "List every code with its severity, name and summary.",
    run,
    (
        format_of("text", "json"),
        Parameter("search", "List the codes whose page has these words.", ("--search",), "WORDS"),
    ),
    "Exit code 0: listed; 1: no page has the words.",
)
