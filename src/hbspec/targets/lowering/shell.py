"""The beginning of every compiled shell script."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.targets.lowering.artifact import comment


def opening(about: str, *notes: str) -> Iterator[str]:
    """The first lines of a bash script, which stops at the first failure and ignores CDPATH.

    Args:
        about: a sentence that says what the script does.
        notes: further comment lines, verbatim.
    """
    yield "#!/usr/bin/env bash"
    yield comment(about)
    yield from notes
    yield "set -euo pipefail"
    yield "unset CDPATH  # with it, cd may find another folder of the same name, and prints where it went"
