"""What a spec is in two versions: its keys, its figures, its findings, and whether it is still the same job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hbspec.comparison.fairness import unfair
from hbspec.comparison.figures import Figure, figures
from hbspec.comparison.inputs import differ
from hbspec.comparison.keys import ChangedKey, changed_keys
from hbspec.comparison.version import SpecVersion
from hbspec.diagnostics import SEVERITY_ORDER, Diagnostic, Report, Route, Severity, route_text


@dataclass(frozen=True, eq=False)
class SpecChange:
    """A spec in two versions, of which it may be in one only.

    Attributes:
        file: its name.
        old: the old version; None where the spec was added.
        new: the new version; None where it was removed.
        contents: the keys that name files whose content changed, each with the file.
    """

    file: str
    old: SpecVersion | None
    new: SpecVersion | None
    contents: tuple[tuple[str, str], ...] = ()

    @property
    def status(self) -> str:
        """One of "added", "removed" and "changed"."""
        return "added" if self.old is None else "removed" if self.new is None else "changed"

    @cached_property
    def keys(self) -> tuple[ChangedKey, ...]:
        """The keys that differ; none where one of the versions could not be read."""
        old, new = self.old and self.old.document, self.new and self.new.document
        return changed_keys(old, new) if old and new else ()

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """The figures of both versions, with their differences, or of the one that can be estimated."""
        found = [one.estimates for one in (self.old, self.new) if one and one.estimates]
        return tuple(figures(found)) if found else ()

    @property
    def both(self) -> bool:
        """Whether both versions can be estimated."""
        return all(one and one.estimates for one in (self.old, self.new))

    @cached_property
    def unfair(self) -> tuple[str, ...]:
        """What makes the comparison of the figures unfair; the old version is A, and the new one B."""
        found = [one.estimates for one in (self.old, self.new) if one and one.estimates]
        return unfair(found) if self.both else ()

    @cached_property
    def appeared(self) -> tuple[Diagnostic, ...]:
        """The findings of the new version that the old one does not have, or has less severe; one for each cause."""
        return _beyond(self.new, self.old)

    @cached_property
    def gone(self) -> tuple[Diagnostic, ...]:
        """The findings of the old version that the new one does not have; none that the new one was not judged for."""
        if self.new is None or self.new.estimates is None:
            return ()
        skipped = self.new.found.skipped
        return tuple(entry for entry in _beyond(self.old, self.new) if entry.code not in skipped)

    @property
    def new_errors(self) -> int:
        """The number of errors that only the new version has."""
        return sum(entry.severity is Severity.ERROR for entry in self.appeared)

    @property
    def jobs(self) -> tuple[str | None, str | None]:
        """The names of the old and the new job at SageMaker."""
        return self.old.job if self.old else None, self.new.job if self.new else None

    @property
    def resumes(self) -> bool | None:
        """Whether the new job finds the checkpoints of the old one; None where one of them is not a SageMaker job."""
        old, new = self.jobs
        return None if old is None or new is None else old == new

    @property
    def differs(self) -> bool:
        """Whether there is anything to tell."""
        return self.status != "changed" or bool(
            self.keys
            or self.contents
            or self.appeared
            or self.gone
            or self.resumes is False
            or any(found is not None and not found.same for figure in self.figures for found in figure.differences)
        )

    def to_dict(self) -> dict[str, Any]:
        """One of the `specs` of `hbspec diff --format json`."""
        old, new = self.jobs
        return {
            "file": self.file,
            "status": self.status,
            "estimated": {"old": _estimated(self.old), "new": _estimated(self.new)},
            "keys": [key.to_dict() for key in self.keys],
            "contents": [{"key": key, "file": file} for key, file in self.contents],
            "unfair": list(self.unfair),
            "figures": [figure.to_dict() for figure in self.figures],
            "findings": {
                "new": [entry.to_dict() for entry in self.appeared],
                "gone": [entry.to_dict() for entry in self.gone],
            },
            "job": {"old": old, "new": new, "resumes": self.resumes},
        }


def change_of(file: str, old: tuple[SpecVersion, Path], new: tuple[SpecVersion, Path]) -> SpecChange:
    """A spec that both versions have, each with its version's folder."""
    (before, one), (after, two) = old, new
    was = {key: path for path, key in before.inputs.items() if key}
    now = {key: path for path, key in after.inputs.items() if key}
    found = SpecChange(file, before, after)
    renamed = {route_text(key.route) for key in found.keys}
    both = [key for key in now if key in was and key not in renamed]
    contents = tuple((key, now[key]) for key in both if differ((one, was[key]), (two, now[key])))
    return SpecChange(file, before, after, contents)


def _estimated(found: SpecVersion | None) -> bool:
    return found is not None and found.estimates is not None


def _beyond(one: SpecVersion | None, other: SpecVersion | None) -> tuple[Diagnostic, ...]:
    """The findings of one version beyond those of another.

    By cause only where there are any: that takes much longer than to find that both versions have the same.
    """
    if one is None:
        return ()
    if other is None:
        return one.report.diagnostics
    return tuple(_more(one.report, other.report)) if any(_more(one.found, other.found)) else ()


def _more(report: Report, other: Report) -> Iterator[Diagnostic]:
    """The findings of a report that another has not at the same key, or has there with a lesser severity."""
    there: dict[tuple[str, Route], int] = {}
    for entry in other.diagnostics:
        for identity in ((entry.code, entry.route), *entry.also):
            rank = SEVERITY_ORDER[entry.severity]
            there[identity] = min(rank, there.get(identity, rank))
    for entry in report.diagnostics:
        if there.get((entry.code, entry.route), len(SEVERITY_ORDER)) > SEVERITY_ORDER[entry.severity]:
            yield entry
