"""`hbspec import`: a file of another program, written as a spec."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import OK
from hbspec.cli.foreign import FOREIGN, asked
from hbspec.cli.options import ALLOW_OUTSIDE, SET

if TYPE_CHECKING:
    from hbspec.source import Document

PATHS = (("instance", "deepspeed"), ("model", "config"), ("data", "profile"), ("calibration", "record"))
"""Values that are paths, relative to the file that they are in."""


def run(
    file: str,
    output: Path | None,
    overrides: Sequence[str],
    allow_outside: bool,
    program: str | None,
    on: str | None,
    beside: Sequence[str],
    region: str | None,
    parallelism: str | None,
) -> int:
    """Write the spec, or every reason why there is none; return the exit code.

    Raises:
        MisuseError: the file is a spec already, or the place of the output is taken.
    """
    from hbspec.api import InvalidSpecError, imported
    from hbspec.cli.outcome import refuse
    from hbspec.render.spec_text import spec_text

    given = asked(overrides, program=program, on=on, beside=beside, region=region, parallelism=parallelism)
    try:
        document = imported(file, allow_outside=allow_outside, **given)
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    if document.translated is None:
        raise MisuseError(f"{file} is read as a spec already; if another program wrote it, name that program with --as")
    defaults = {route: source for route, source in document.translated.defaults.items() if route not in document.spans}
    values = _moved(document, (output or Path("spec.yaml")).parent)
    _write(spec_text(values, defaults, _head(document)), output)
    return OK


def _write(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    from hbspec.cli.whole import write_file

    try:
        write_file(output, text.encode(), replace=False)
    except FileExistsError:
        raise MisuseError(f"{output} exists: name another file with -o, or delete it") from None


def _head(document: Document) -> Iterator[str]:
    """Where the spec comes from, and what is not in it."""
    translated = document.translated
    if translated is None:
        return
    yield f"Made of {Path(document.file).name}, a file of {translated.program}. A value with a comment is not in that"
    yield "file: it is the default that the comment names."
    for finding in translated.findings:
        yield f"{finding.code} {finding.message}"


def _moved(document: Document, folder: Path) -> dict[str, Any]:
    """The values in the order of a spec, with paths relative to another folder."""
    from hbspec.spec import section_keys

    order = section_keys(()) or ()
    values = {key: document.values[key] for key in order if key in document.values}
    for section, key in PATHS:
        part = values.get(section)
        if isinstance(part, dict) and isinstance(part.get(key), str):
            path = os.path.relpath(document.origin((section, key)) / part[key], folder.absolute())
            values[section] = {**part, key: path}
    return values


COMMAND = Command(
    "import",
    "Write a file or a command line of another training program as a spec.",
    run,
    (
        Parameter("file", "The file, or `-` for standard input.", metavar="FILE", required=True),
        Parameter(
            "output", "Where the spec is written; standard output by default.", ("--output", "-o"), "FILE", convert=Path
        ),
        SET,
        ALLOW_OUTSIDE,
        *FOREIGN,
    ),
    "A comment names the source of each value that the file leaves to its program, and the first lines say what of the "
    "file is not estimated. Existing files are never overwritten. Exit code 0: written. 1: the file cannot be read as "
    "a spec. 2: the file could not be read.",
)
