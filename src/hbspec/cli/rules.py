"""`hbspec rules`: the list of all codes."""

from __future__ import annotations

import sys

from hbspec.cli.command import Command
from hbspec.cli.exit_codes import OK
from hbspec.cli.options import format_of


def run(format: str) -> int:  # noqa: A002 - the option's name
    """Print one line per code, or all pages as JSON; return the exit code."""
    from hbspec.manual import pages

    if format == "json":
        from hbspec.render.plain_json import json_text

        entries = sorted(pages(), key=lambda page: page.code)
        sys.stdout.write(json_text({"format_version": 1, "rules": [page.to_dict() for page in entries]}))
    else:
        from hbspec.render.manual_page import index_lines
        from hbspec.render.paint import columns, write

        write(index_lines(pages(), columns()), sys.stdout)
    return OK


COMMAND = Command("rules", "List every code with its severity, name and summary.", run, (format_of("text", "json"),))
