"""`hbspec init`: write a spec to start from."""

from __future__ import annotations

import sys
from pathlib import Path

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import OK

STARTER = Path(__file__).with_name("starter.yaml")


def run(path: str) -> int:
    """Write the starter spec, unless the file exists; return the exit code."""
    from hbspec.cli.whole import write_file

    try:
        write_file(Path(path), STARTER.read_bytes(), replace=False)
    except FileExistsError:
        raise MisuseError(f"{path} already exists; name another file") from None
    from hbspec.render.paint import write

    write(((("path", path),), (("", f"next: hbspec check {path}"),)), sys.stdout)
    return OK


COMMAND = Command(
    "init",
    "Write a commented spec to start from.",
    run,
    (Parameter("path", "The file to write.", metavar="PATH", default="spec.yaml"),),
)
