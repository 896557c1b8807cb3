"""`hbspec data merge`: one profile from the profiles of parts."""

from __future__ import annotations

import os
from collections.abc import Sequence

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.data_files import OUTPUT, PART, document_of, refuse_other_files
from hbspec.cli.data_profile import write
from hbspec.cli.exit_codes import OK

PARTS = Parameter(
    "parts", "Profiles written by `hbspec data profile --part`.", metavar="PART", repeated=True, required=True
)


def run(parts: Sequence[str], output: str | None, part: bool) -> int:
    """Write the profile that `hbspec data profile` would have written for all the data at once."""
    from hbspec.dataset.files import named_twice
    from hbspec.dataset.merging import merge, read_part

    refuse_other_files(output)
    if output is not None and any(_same(output, name) for name in parts):
        raise MisuseError(f"{output} is one of the parts, which would be lost: name another file")
    twice = named_twice(parts)
    if twice is not None:
        raise MisuseError(f"{twice} is named twice; its examples would be counted twice")
    read = []
    for name in parts:
        try:
            read.append(read_part(document_of(name)))
        except ValueError as reason:
            raise MisuseError(f"{name}: {reason}") from None
    try:
        whole = merge(read)
    except ValueError as reason:
        raise MisuseError(str(reason)) from None
    write(whole if part else whole.whole(), output)
    return OK


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


COMMAND = Command(
    "data merge",
    "Merge the profiles of parts into one.",
    run,
    (PARTS, OUTPUT, PART),
    "The result equals the profile of the whole data byte for byte, whatever the order of the parts. With --part it "
    "can be merged again.",
)
