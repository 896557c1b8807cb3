"""The files that a check reads: none of them is written over by its report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hbspec.cli.command import MisuseError

if TYPE_CHECKING:
    from hbspec.source import Document


def refuse_read_file(place: Path, specs: Sequence[str], beside: Sequence[Path | None], *, allow_outside: bool) -> None:
    """Nothing, where a report takes the place of no file that is read.

    Args:
        place: the report's.
        specs: their files, which may name others.
        beside: the files of options.
        allow_outside: as for `check`.

    Raises:
        MisuseError: it would.
    """
    from hbspec.source import SourceError, load

    if not place.is_file():
        return
    real = os.path.realpath(place)
    options = (str(file) for file in beside if file is not None)
    if any(os.path.realpath(file) == real for file in (*specs, *options)):
        raise MisuseError(f"--output-file {place} is one of the files that are read: name another")
    for spec in specs:
        if spec == "-":
            continue  # it is read once
        try:
            document = load(spec, allow_outside=allow_outside)
        except SourceError:
            continue  # the report says why
        if any(os.path.realpath(named) == real for named in _named(document)):
            raise MisuseError(f"--output-file {place} is one of the files that {spec} names: name another")


def _named(document: Document) -> Iterator[Path]:
    """The files that a spec extends, and whatever its values could name."""
    yield from map(Path, document.texts)
    for route, text in document.spellings.items():
        if "\0" not in text:
            yield document.origin(route) / text
