"""What identifies a diagnostic from one run to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256

from hbspec.diagnostics import Report, route_text


def fingerprints(report: Report) -> Iterator[str]:
    """A hash for each diagnostic, which stays where lines move: of file, code and key, and its number among equals."""
    seen: Counter[str] = Counter()
    for entry in report.diagnostics:
        key = f"{entry.file} {entry.code} {route_text(entry.route)}"
        seen[key] += 1
        yield sha256(f"{key} {seen[key]}".encode(errors="surrogatepass")).hexdigest()
