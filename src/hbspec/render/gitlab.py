"""A report for GitLab's code quality widget.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from typing import Any

from hbspec.diagnostics import Report, Severity
from hbspec.render.fingerprints import fingerprints
from hbspec.showing import shown

LEVELS = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


def gitlab(report: Report) -> list[dict[str, Any]]:
    """One entry per diagnostic; its fingerprint stays where lines move."""
    entries = (entry.of_file for entry in report.diagnostics)
    return [
        {
            "check_name": f"{entry.code} {entry.name}",
            "description": shown(f"{entry.message} -- {entry.help}"),
            "fingerprint": fingerprint,
            "severity": LEVELS[entry.severity],
            "location": {"path": shown(entry.file), "lines": {"begin": entry.span.start.line if entry.span else 1}},
        }
        for entry, fingerprint in zip(entries, fingerprints(report), strict=True)
    ]
