"""`hbspec explain`: the manual page of a code."""

from __future__ import annotations

import sys

from hbspec.cli.command import Command, MisuseError, Parameter, did_you_mean
from hbspec.cli.exit_codes import OK


def run(code: str) -> int:
    """Print the manual page of a code or name, and return the exit code."""
    from hbspec.manual import page_of, words
    from hbspec.render.manual_page import page_lines
    from hbspec.render.paint import columns, write

    page = page_of(code)
    if page is None:
        known = words()
        guess = did_you_mean(code, known) or did_you_mean(code.upper(), known)
        raise MisuseError(f"{code} is neither a code nor the name of one (`hbspec rules` lists them){guess}")
    write(page_lines(page, columns()), sys.stdout)
    return OK


COMMAND = Command(
    "explain",
    "Explain a code: why it matters, an example, and the correction.",
    run,
    (Parameter("code", "A code or its name: HB101, idle-gpus.", metavar="CODE", required=True),),
)
