"""How often each code is in a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from hbspec.diagnostics import Report


def counts(report: Report) -> list[dict[str, Any]]:
    """The codes of a report with their names, severities and numbers, the most frequent first."""
    found = Counter((entry.code, entry.name, entry.severity.value) for entry in report.diagnostics)
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [
        {"code": code, "name": name, "severity": severity, "count": count} for (code, name, severity), count in ranked
    ]


def statistics_lines(report: Report) -> Iterator[str]:
    """One line per code: number, code, severity and name."""
    found = counts(report)
    width = max((len(str(entry["count"])) for entry in found), default=0)
    for entry in found:
        yield f"{entry['count']:>{width}}  {entry['code']}  {entry['severity']:<7}  {entry['name']}\n"
