"""The findings that were there before: a file of them, whose entries are counted and not reported.

It is JSON, made by `hbspec check --update-baseline`: how often each code is found at each key of each file, and how
severe it was. A finding that has become more severe is new; one that has become less so is still known. Paths are
relative to the file's own folder. What is always reported (`ALWAYS`) never goes in, and an update only removes.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hbspec.configuration.configuration import ALWAYS, ConfigurationError
from hbspec.configuration.place import LARGEST
from hbspec.diagnostics import (
    SEVERITY_ORDER,
    Confidence,
    Diagnostic,
    Position,
    Report,
    Severity,
    Span,
    file_and_cell,
    route_text,
)
from hbspec.manual.configuration import UNUSABLE
from hbspec.showing import shown

FORMAT_VERSION = 2
"""Version 1 did not hold severities: a warning that became an error stayed hidden."""
AGAIN = "delete it, and run `hbspec check --update-baseline`"
FIELDS = {"file": str, "code": str, "route": str, "severity": str, "count": int}


class BaselineKey(NamedTuple):
    """Where a code is found: the file relative to the baseline's folder, the code, the key; and how severe it is.

    A finding that is listed with another has the severity of that one.
    """

    file: str
    code: str
    route: str
    severity: str


class KnownFindings(NamedTuple):
    """The known findings: how many there are of each, and the folder of the file."""

    folder: Path
    counts: Counter[BaselineKey]

    def without(self, report: Report) -> Report:
        """The report without known findings, which it counts.

        A finding is known if those listed with it are, too. Of several at one place, as many are known as were.
        """
        left, new = Counter(self.counts), []
        for entry in report.diagnostics:
            known = list(_known(left, list(keys_of(entry, self.folder))))
            if known:
                left.subtract(known)
            else:
                new.append(entry)
        gone = len(report.diagnostics) - len(new)
        return report._replace(diagnostics=tuple(new), baselined=report.baselined + gone)

    def shrunk(self, report: Report) -> KnownFindings:
        """The baseline without what is no longer found in the files of a report, or whose file is gone.

        What has become less severe is known as that from now on.
        """
        checked = {_relative(file, self.folder) for file in report.files}
        there = {key.file: (self.folder / key.file).exists() for key in self.counts}
        left, kept = Counter(self.counts), Counter[BaselineKey]()
        for key, number in self.counts.items():
            if key.file not in checked and there[key.file]:
                kept[key] = number
        for key in counted(report, self.folder).elements():
            for known in _known(left, [key]):
                left[known] -= 1
                kept[key] += 1
        return KnownFindings(self.folder, kept)

    def text(self) -> str:
        """The file."""
        entries = [{**key._asdict(), "count": number} for key, number in sorted(self.counts.items())]
        return json.dumps({"format_version": FORMAT_VERSION, "findings": entries}, indent=2) + "\n"


def _known(left: Counter[BaselineKey], keys: Sequence[BaselineKey]) -> Iterator[BaselineKey]:
    """What a baseline holds of some findings, each as severe as it is now, or worse; nothing unless it holds all."""
    taken = Counter[BaselineKey]()
    for key in keys:
        as_bad = [*SEVERITY_ORDER][SEVERITY_ORDER[Severity(key.severity)] :: -1]  # its own severity, then the worse
        known = (key._replace(severity=severity.value) for severity in as_bad)
        found = next((one for one in known if left[one] > taken[one]), None)
        if found is None:
            return
        taken[found] += 1
    yield from taken.elements()


def counted(report: Report, folder: Path) -> Counter[BaselineKey]:
    """How often what may be known is in a report."""
    return Counter(key for entry in report.diagnostics for key in keys_of(entry, folder))


def keys_of(entry: Diagnostic, folder: Path) -> Iterator[BaselineKey]:
    """The keys of a finding and of those listed with it; none if one of them is always reported."""
    found = [(entry.code, entry.route), *entry.also]
    if not any(ALWAYS.fullmatch(code) for code, _ in found):
        place, severity = _relative(file_and_cell(entry.file)[0], folder), entry.severity.value
        yield from (BaselineKey(place, code, route_text(route), severity) for code, route in found)


def _relative(file: str, folder: Path) -> str:
    return Path(os.path.relpath(os.path.realpath(file), folder)).as_posix()


def read_baseline(file: Path) -> KnownFindings:
    """The baseline that a file holds.

    Raises:
        ConfigurationError: the file cannot be read, or is not a baseline of this version.
    """
    try:
        with file.open("rb") as opened:
            values: Any = json.loads(opened.read(16 * LARGEST))
    except OSError as reason:
        raise _refused(file, f"cannot be read: {reason.strerror}", "make it with --update-baseline") from None
    except json.JSONDecodeError as reason:
        raise _refused(file, f"is not JSON: {reason.msg}", AGAIN, Position(reason.lineno, reason.colno)) from None
    except (ValueError, RecursionError):
        raise _refused(file, "is not JSON in UTF-8", AGAIN) from None
    version = values.get("format_version") if isinstance(values, dict) else None
    if version != FORMAT_VERSION:
        raise _refused(file, f"has the format version {version}, not {FORMAT_VERSION}", AGAIN)
    entries = values.get("findings")
    if not isinstance(entries, list) or not all(map(_is_entry, entries)):
        raise _refused(file, "has findings that are not a list of file, code, route, severity and count", AGAIN)
    counts = Counter({BaselineKey(*(one[name] for name in BaselineKey._fields)): one["count"] for one in entries})
    always = next((key.code for key in counts if ALWAYS.fullmatch(key.code)), None)
    if always is not None:
        raise _refused(file, f"lists {always}, which is always reported", "delete the entry")
    return KnownFindings(Path(os.path.realpath(file)).parent, counts)


def _is_entry(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and all(type(value.get(name)) is kind for name, kind in FIELDS.items())
        and value["severity"] in list(Severity)
        and value["count"] > 0
    )


def _refused(file: Path, what: str, action: str, at: Position | None = None) -> ConfigurationError:
    span = Span(str(file), at, at._replace(column=at.column + 1)) if at else None
    page, message = UNUSABLE, shown(f"{file} {what}")
    entry = Diagnostic(
        page.code, page.name, Severity.ERROR, Confidence.CERTAIN, shown(str(file)), (), span, message, action
    )
    return ConfigurationError((entry,))
