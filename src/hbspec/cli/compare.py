"""`hbspec compare`: specs beside one another, with the differences that are certain."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hbspec.cli.command import Command, MisuseError
from hbspec.cli.foreign import FOREIGN, asked
from hbspec.cli.options import ALLOW_OUTSIDE, AS_OF, CATALOG, FULL, SET, SPECS, format_of
from hbspec.cli.shown import show_json, show_markdown, show_text

if TYPE_CHECKING:
    from hbspec.api import Estimates


def run(
    specs: Sequence[str],
    overrides: Sequence[str],
    as_of: date | None,
    allow_outside: bool,
    catalog: Path | None,
    format: str,  # noqa: A002 - the option's name
    full: bool,
    program: str | None,
    on: str | None,
    beside: Sequence[str],
    region: str | None,
    parallelism: str | None,
) -> int:
    """Print the comparison of all specs that can be estimated; return the exit code.

    Raises:
        MisuseError: there is only one spec, or only one that can be estimated.
    """
    from hbspec.api import Estimates
    from hbspec.cli.several import estimated_each

    if len(specs) < 2:
        raise MisuseError(f"compare takes two specs or more, and {specs[0]} is the only one; name another")
    given = asked(overrides, program=program, on=on, beside=beside, region=region, parallelism=parallelism)
    given |= {"allow_outside": allow_outside, "as_of": as_of, "prices": catalog}
    results, code = estimated_each(specs, **given)
    found = [(spec, result) for spec, result in results if isinstance(result, Estimates)]
    if len(found) < 2:
        sys.stderr.write(
            f"hbspec: {len(found)} of {len(specs)} specs can be estimated, so there is nothing to compare\n"
        )
        return code
    _show(found, format, full=full)
    return code


def _show(found: Sequence[tuple[str, Estimates]], format: str, *, full: bool) -> None:  # noqa: A002 - as in `--format`
    from hbspec.comparison.compared import compare
    from hbspec.render.compared import compared_lines, compared_markdown

    compared = compare([spec for spec, _ in found], [estimates for _, estimates in found])
    if format == "json":
        show_json(compared.to_dict())
    elif format == "markdown":
        show_markdown(compared_markdown(compared))
    else:
        show_text(partial(compared_lines, compared), full=full)


COMMAND = Command(
    "compare",
    "Compare specs: memory, time and cost beside one another, with the differences that are certain.",
    run,
    (SPECS, format_of("text", "json", "markdown"), SET, AS_OF, ALLOW_OUTSIDE, CATALOG, FULL, *FOREIGN),
    "Each spec is compared with the first. A difference is certain if everything that the estimates leave open cannot "
    "undo it. Exit code 0: all specs were compared. 1: a spec has errors that prevent it, and is left out. 2: a file "
    "could not be read, or fewer than two specs are named.",
)
