"""The analysis of a spec with one finding fixed: any other finding that disappears has the same cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hbspec.analysis.analysis import Analysis, analyse
from hbspec.diagnostics import Finding, Route
from hbspec.spec.changed import with_value

READ: tuple[Route, ...] = (("model", "id"), ("model", "config"), ("data", "profile"), ("data", "chat_template"))
"""Keys for which an analysis reads a file or a row of the catalog."""


def fixed(analysis: Analysis, finding: Finding) -> Iterator[Analysis]:
    """The analysis under each change that would fix a finding, where the spec allows the value."""
    others = tuple(other for other in analysis.findings if other != finding)
    for fix in (*finding.fixes, *finding.instead):
        try:
            spec = with_value(analysis.spec, fix.route, fix.value)
        except ValueError:
            continue
        if fix.route in READ:
            yield analyse(analysis.document, spec, analysis.catalog, analysis.as_of)
        else:
            yield replace(analysis, spec=spec, findings=others)
