"""The estimates of several specs, of which one that has errors does not keep the others from theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hbspec.cli.exit_codes import OK

if TYPE_CHECKING:
    from hbspec.api import Estimates
    from hbspec.diagnostics import Report


def estimated_each(specs: Sequence[str], **given: Any) -> tuple[list[tuple[str, Estimates | Report]], int]:
    """Each spec with its estimates, or with the report that is printed about it; and the exit code.

    Args:
        specs: the files.
        given: as for `hbspec.api.estimate`.
    """
    from hbspec.api import InvalidSpecError, estimate
    from hbspec.cli.outcome import refuse

    found: list[tuple[str, Estimates | Report]] = []
    code = OK
    for spec in specs:
        try:
            found.append((spec, estimate(spec, **given)))
        except InvalidSpecError as invalid:
            found.append((spec, invalid.report))
            code = max(code, refuse(invalid.report))
    return found, code
