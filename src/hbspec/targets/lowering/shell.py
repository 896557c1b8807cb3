"""How every compiled shell script begins."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.targets.lowering.artifact import comment


def opening(about: str, *notes: str) -> Iterator[str]:
    """The first lines of a bash script: it stops at the first failure, and `cd` goes nowhere but where it is told.

    Args:
        about: what the script does, a sentence.
        notes: further lines of comment, verbatim.
    """
    yield "#!/usr/bin/env bash"
    yield comment(about)
    yield from notes
    yield "set -euo pipefail"
    yield "unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went"
