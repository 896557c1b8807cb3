"""One version of a spec: its estimates, its findings, and the name of its job at SageMaker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.comparison.inputs import inputs
from hbspec.diagnostics import NotKnownError, Report
from hbspec.rules.engine import findings_of, place
from hbspec.rules.judge import judge
from hbspec.source import SourceError, load
from hbspec.source.load import STDIN
from hbspec.targets.lowering.needs import LoweringError
from hbspec.targets.sagemaker import lower

if TYPE_CHECKING:
    from hbspec.api import Estimates
    from hbspec.source import Document


@dataclass(frozen=True, eq=False)
class SpecVersion:
    """A spec as it is in one version of a project.

    Attributes:
        estimates: None where the spec cannot be estimated.
        found: everything that is wrong with it, not yet by cause.
        document: the spec as read; None where it could not be.
        job: the name of its training job, with the digest of everything that decides the trained model; None where the
            spec does not describe a job at SageMaker.
        inputs: the files that it is made of, as `hbspec.comparison.inputs.inputs` finds them.
        named: the folder of the version, and what findings call it; None where it is the user's own.
    """

    estimates: Estimates | None
    found: Report
    document: Document | None
    job: str | None
    inputs: Mapping[str, str]
    named: tuple[Path, str] | None = None

    @cached_property
    def report(self) -> Report:
        """The report on the spec, one finding per cause, which takes longer than to find them all."""
        if self.estimates is None:
            return self.found
        return _renamed(judge(self.estimates.analysis), self.named)


def version(file: str, root: Path, called: str | None = None, **given: Any) -> SpecVersion:
    """A spec as it is in the working folder.

    Args:
        file: its name there, or `-`.
        root: the folder of the version.
        called: what findings call that folder; None where it is the user's own.
        given: the day, the catalog and the rest, as for `hbspec.api.estimate`.
    """
    from hbspec.api import InvalidSpecError, estimate

    named = (root, called) if called else None
    try:
        estimates = estimate(file, **given)
    except InvalidSpecError as invalid:
        return SpecVersion(None, _renamed(invalid.report, named), _read(file, **given), None, {}, named)
    document = estimates.analysis.document
    found = place(document, *findings_of(estimates.analysis))
    return SpecVersion(estimates, found, document, _job(estimates), inputs(document, root), named)


def _read(file: str, *, allow_outside: bool = False, **_: Any) -> Document | None:
    """A spec that is not valid, as far as it can be read; not from standard input, which is at its end."""
    if file == STDIN:
        return None
    try:
        return load(file, allow_outside=allow_outside)
    except SourceError:
        return None


def _job(estimates: Estimates) -> str | None:
    try:
        return lower(estimates.analysis).name
    except (LoweringError, NotKnownError):
        return None


def _renamed(report: Report, named: tuple[Path, str] | None) -> Report:
    """The report with the name of a version in the place of the folder in which it was put for a while."""
    if named is None:
        return report
    root, called = named

    def said(text: str) -> str:
        return text.replace(str(root), called)

    entries = (entry._replace(message=said(entry.message), help=said(entry.help)) for entry in report.diagnostics)
    return report._replace(diagnostics=tuple(entries))
