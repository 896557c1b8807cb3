"""`hbspec data convert`: JSON lines of the type that a job reads, from Alpaca, ShareGPT, or files of other kinds."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.data_files import FILES, GIVE, files_of
from hbspec.cli.data_layout import COLUMN, TYPE
from hbspec.cli.exit_codes import ERRORS, OK, UNUSABLE
from hbspec.diagnostics import Report
from hbspec.units import counted

if TYPE_CHECKING:
    from hbspec.dataset.convert import Conversion

TO = Parameter("output", "The file to write, which ends in .jsonl.", ("--output", "-o"), "OUT")
APART = ".rejected"
"""Ends the name of the file of what was not converted: no job takes it for data."""


def run(files: Sequence[str], output: str | None, kind: str | None, columns: Sequence[tuple[str, str]]) -> int:
    """Write the converted examples, and beside them what was kept apart; neither if a file cannot be read to its end.

    What was kept apart is reported on standard error, and makes the exit code 1.
    """
    from hbspec.cli.data_progress import Progress
    from hbspec.cli.outcome import refuse
    from hbspec.dataset.convert import Conversion
    from hbspec.dataset.files import lacking
    from hbspec.dataset.folders import SHARD

    place, apart = _places(output)
    split = files_of(files)
    missing = None if SHARD.fullmatch(place.name) else lacking(split)
    if missing is not None:
        raise MisuseError(f"{missing}; give all of them, or name the output as a shard to convert one alone")
    with Progress(split) as watch:
        conversion = Conversion(split, kind, dict(columns), watch)
        written = _write(conversion, place, apart)
    counts = conversion.counts
    tallies = [tally.diagnostic(counts.written) for tally in counts.tallies]
    if tallies:
        refuse(Report(files=tuple(file.name for file in split), diagnostics=tuple(tallies)))
    if not written:
        if not tallies:
            raise MisuseError(f"{', '.join(files)}: no examples found; {GIVE}")
        return UNUSABLE
    sys.stdout.write(_said(conversion, place, apart))
    return ERRORS if counts.kept else OK


def _places(output: str | None) -> tuple[Path, Path]:
    """Where the two files go.

    Raises:
        MisuseError: no name is given, or not one of JSON lines, or something is there.
    """
    if output is None or not output.lower().endswith(".jsonl"):
        raise MisuseError("name the file to write with -o; its name ends in .jsonl")
    place = Path(output)
    if not place.parent.is_dir():
        raise MisuseError(f"{output}: the folder {place.parent} does not exist; create it, or name another file")
    for path in (place, apart := place.with_name(f"{place.name}{APART}")):
        if os.path.lexists(path):
            raise MisuseError(f"{path} already exists; name another file")
    return place, apart


def _write(conversion: Conversion, place: Path, apart: Path) -> bool:
    """Write both files completely or not at all; return whether there was anything to write, read to its end.

    Raises:
        OSError: a file cannot be read, or written.
    """
    from hbspec.cli.whole import alone_in, aside, clear, move_to_free_place, sync_folder

    unfinished = [aside(place), aside(apart)]
    with alone_in(place.parent):
        try:
            with ExitStack() as stack:
                for path in unfinished:
                    clear(path)
                rest, lines = (stack.enter_context(path.open("xb")) for path in reversed(unfinished))
                for is_example, line in conversion:
                    (lines if is_example else rest).write(line)
                for stream in (rest, lines):
                    _finish(stream)
            counts = conversion.counts
            if not counts.whole or not counts.written:
                return False
            if counts.kept:
                move_to_free_place(unfinished[1], apart)
            move_to_free_place(unfinished[0], place)
        except OSError as reason:
            if reason.filename in (None, *map(str, unfinished)):  # the user has named another
                reason.filename = str(place)
            raise
        finally:
            for path in unfinished:
                path.unlink(missing_ok=True)
    sync_folder(place.parent)
    return True


def _finish(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _said(conversion: Conversion, place: Path, apart: Path) -> str:
    from hbspec.dataset.layouts import said
    from hbspec.showing import shown

    counts, layout = conversion.counts, conversion.layout
    read = said(layout) if layout is not None else ""
    to = "" if layout is None or layout.format else ", converted to messages"
    lines = [f"{counted(counts.written, 'example')} of {read}{to}: {place}"]
    if counts.kept:
        lines.append(f"{counted(counts.kept, 'example')} kept apart: {apart}")
    return "".join(f"{shown(line)}\n" for line in lines)


COMMAND = Command(
    "data convert",
    "Convert training data to JSON lines that a job reads.",
    run,
    (FILES, TO, TYPE, COLUMN),
    "Alpaca and ShareGPT become conversations; examples of TRL's dataset types stay what they are, and --column "
    "renames their columns. What cannot be converted is counted and written to OUT.rejected with the reason. Existing "
    "files are never overwritten.",
)
