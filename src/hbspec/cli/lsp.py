"""`hbspec lsp`: the language server, which an editor starts."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from hbspec.cli.command import Command, MisuseError
from hbspec.cli.exit_codes import OK


def run() -> int:
    """Serve the editor until it says that it is done; return the exit code.

    Raises:
        MisuseError: pygls is missing, or nobody is there to talk with.
    """
    if find_spec("pygls") is None:
        raise MisuseError("the language server needs pygls: pip install 'hbspec[lsp]'")
    from hbspec.lsp.server import server

    if sys.__stdin__ is None or sys.__stdout__ is None:
        raise MisuseError("an editor starts this command, and talks with it over standard input and output")
    # an outlet takes text, and would star out what a fix puts back; what is shown is made safe in `hbspec.lsp`
    # pygls closes what it is given
    with (
        os.fdopen(os.dup(sys.__stdin__.fileno()), "rb") as given,
        os.fdopen(os.dup(sys.__stdout__.fileno()), "wb") as out,
    ):
        server().start_io(given, out)
    return OK


COMMAND = Command(
    "lsp",
    "Serve an editor that speaks the language server protocol.",
    run,
    (),
    "An editor starts this command and talks with it over standard input and output. Findings are shown while a spec "
    "is typed, as `hbspec check` would report them; keys have hover texts, completion, fixes and links. Needs the "
    "extra `lsp`.",
)
