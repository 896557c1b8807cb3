"""`hbspec data profile`: how many examples there are and how long they are, for `data.profile` in a spec."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.data_check import FILES, at_line
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.diagnostics import Report


def run(files: Sequence[str], output: str | None) -> int:
    """Write the profile of one split; the lines that it leaves out go to standard error, and make the exit code 1."""
    from hbspec.cli.outcome import refuse
    from hbspec.dataset import profile_files
    from hbspec.render.plain_json import json_text

    try:
        profile, broken = profile_files([Path(file) for file in files])
    except ValueError as reason:
        raise MisuseError(f"{', '.join(files)}: {reason}") from None
    text = json_text(profile.to_dict())
    if output is None:
        sys.stdout.write(text)
    else:
        _replace(Path(output), text)
        sys.stdout.write(f"{output}\n")
    if broken:
        name = {Path(file).name: file for file in files}
        diagnostics = tuple(at_line(name[str(finding.route[0])], finding) for finding in broken)
        refuse(Report(files=tuple(files), diagnostics=diagnostics))
    return ERRORS if broken else OK


def _replace(path: Path, text: str) -> None:
    """Write a file anew, whole or not at all, and only over another profile."""
    from hbspec.plan import read_profile

    if path.exists():
        try:
            read_profile(json.loads(path.read_bytes()))
        except (OSError, ValueError, RecursionError):
            raise MisuseError(f"{path} is already there, and is no profile; name another file") from None
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


COMMAND = Command(
    "data profile",
    "Count and measure the examples of one split.",
    run,
    (FILES, Parameter("output", "The file to write; standard output if absent.", ("--output", "-o"), "OUT")),
    "Name the profile in a spec as data.profile: time and cost follow the true lengths.",
)
