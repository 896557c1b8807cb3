"""The whole pipeline, a line a stage. Stable: `check`, `estimate`, `compile_spec`, and what they return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from hbspec.analysis import Analysis, analyse
from hbspec.catalog import catalog
from hbspec.claims import Claim, verify
from hbspec.diagnostics import NotKnownError, Report
from hbspec.estimators.job.cost import Cost
from hbspec.estimators.job.host import Host
from hbspec.estimators.job.storage import Storage
from hbspec.estimators.job.time import Time
from hbspec.estimators.serving.endpoint import Serving
from hbspec.estimators.training.memory import Memory
from hbspec.plan import Assumption, Plan
from hbspec.rules.engine import judge, place
from hbspec.showing.secrets import redact
from hbspec.source import Document, SourceError, load, load_mapping
from hbspec.spec import Spec, read
from hbspec.targets import DEFAULT, target_of
from hbspec.targets.lowering.artifact import Artifact
from hbspec.targets.lowering.needs import TargetError

if TYPE_CHECKING:
    from hbspec.search.advice import Advice
    from hbspec.search.software import Dependence

NEVER_FORCED = frozenset({"HB605"})
"""Errors that `force` does not get past: what is compiled is uploaded, and a credential in it would be given away."""

SpecLike = str | Path | Mapping[str, Any]
"""A path (`-` for standard input) or the spec itself as a mapping."""


class InvalidSpecError(ValueError):
    """A spec that cannot be estimated or compiled; `report` holds every reason."""

    def __init__(self, report: Report) -> None:
        super().__init__("; ".join(f"{entry.code} {entry.message}" for entry in report.diagnostics[:3]))
        self.report = report


@dataclass(frozen=True, eq=False)
class Estimates:
    """What a job needs, takes and costs. A part that cannot be known is None, and `unknown` says why.

    `advice` and `dependences` plan other specs, dozens to hundreds of them, on first use.
    """

    plan: Plan
    memory: Memory | None
    time: Time | None
    cost: Cost | None
    serving: Serving | None
    claims: tuple[Claim, ...]
    assumed: tuple[Assumption, ...]
    unknown: Mapping[str, str]
    host: Host | None
    storage: Storage | None
    analysis: Analysis = field(repr=False)

    @property
    def as_of(self) -> date:
        """The day that ages are counted from."""
        return self.analysis.as_of

    @cached_property
    def advice(self) -> Advice | None:
        """The cheapest changes that make the job fit, or the best uses of memory left over; None if not known.

        None of them has an error that the spec has not, but for claims that were made of the spec as it is.
        """
        from hbspec.search.advice import advise

        try:
            return advise(self.analysis)
        except NotKnownError:
            return None

    @cached_property
    def dependences(self) -> tuple[Dependence, ...]:
        """What the memory owes to the trainer and to versions."""
        from hbspec.search.software import dependences

        try:
            return dependences(self.analysis)
        except NotKnownError:
            return ()

    def to_dict(self) -> dict[str, Any]:
        """The document that `hbspec estimate --format json` prints."""
        return {
            "format_version": 1,
            "plan": self.plan.to_dict(),
            "memory": self.memory.to_dict() if self.memory else {"verdict": "unknown", "devices": []},
            "changes": [outcome.to_dict() for outcome in self.advice.outcomes] if self.advice else [],
            "software": [dependence.to_dict() for dependence in self.dependences],
            "host": {
                "memory": self.host and self.host.to_dict(),
                "disk": self.storage and self.storage.to_dict(),
            },
            "time": self.time and self.time.to_dict(),
            "cost": self.cost and self.cost.to_dict(),
            "serving": self.serving and self.serving.to_dict(),
            "claims": [claim.to_dict() for claim in self.claims],
            "assumed": [
                {"route": list(entry.route), "value": entry.value, "source": entry.source} for entry in self.assumed
            ],
            "unknown": dict(self.unknown),
        }


def check(
    spec: SpecLike,
    *,
    overrides: Sequence[str] = (),
    allow_outside: bool = False,
    as_of: date | None = None,
    stdin: TextIO | None = None,
) -> Report:
    """Everything that is wrong with a spec.

    Args:
        spec: a path, `-`, or a mapping.
        overrides: `key.path=value` texts, as after `--set`.
        allow_outside: let the spec name files outside its project.
        as_of: the day that ages are counted from; today if absent.
        stdin: what `-` is read from; standard input if absent.
    """
    try:
        analysis = _analyse(spec, overrides, allow_outside, as_of, stdin)
    except SourceError as invalid:
        return Report(files=(_named(spec),), diagnostics=invalid.diagnostics)
    except InvalidSpecError as invalid:
        return invalid.report
    return judge(analysis)


def estimate(
    spec: SpecLike,
    *,
    overrides: Sequence[str] = (),
    allow_outside: bool = False,
    as_of: date | None = None,
    stdin: TextIO | None = None,
) -> Estimates:
    """What the job needs, takes and costs, each with its interval.

    Raises:
        InvalidSpecError: the text or its shape is wrong; a spec that is merely unwise is estimated.
    """
    analysis = _strict(spec, overrides, allow_outside, as_of, stdin)
    unknown: dict[str, str] = {}

    def part(name: str) -> Any:
        try:
            return getattr(analysis, name)
        except NotKnownError as reason:
            unknown[name] = redact(str(reason))
            return None

    return Estimates(
        plan=analysis.plan,
        memory=part("memory"),
        time=part("time"),
        cost=part("cost"),
        serving=part("serving") if analysis.spec.deployment else None,
        claims=verify(analysis),
        assumed=analysis.assumptions,
        unknown=unknown,
        host=part("host"),
        storage=part("storage"),
        analysis=analysis,
    )


def compile_spec(
    spec: SpecLike,
    target: str = DEFAULT,
    *,
    overrides: Sequence[str] = (),
    allow_outside: bool = False,
    force: bool = False,
    stdin: TextIO | None = None,
) -> list[Artifact]:
    """The files of one target; nothing is written. The `artifacts` of `compilation`, which raises the same."""
    return compilation(
        spec, target, overrides=overrides, allow_outside=allow_outside, force=force, stdin=stdin
    ).artifacts


class Compilation(NamedTuple):
    """A spec that was judged and compiled.

    Attributes:
        report: everything that is wrong with it, which did not stop it.
        artifacts: the files of the target, by path.
        spec: what was compiled.
    """

    report: Report
    artifacts: list[Artifact]
    spec: Spec


def compilation(
    spec: SpecLike,
    target: str = DEFAULT,
    *,
    overrides: Sequence[str] = (),
    allow_outside: bool = False,
    force: bool = False,
    stdin: TextIO | None = None,
) -> Compilation:
    """Judge a spec and compile it, in one reading of its files; nothing is written.

    What is emitted never depends on the day; the day only decides which warnings are given.

    Raises:
        InvalidSpecError: the spec has errors (and `force` is not set, or they are of `NEVER_FORCED`), or lacks what
            the target needs.
        ValueError: no target has this name.
    """
    chosen = target_of(target)
    analysis = _strict(spec, overrides, allow_outside, None, stdin)
    report = judge(analysis)
    secret = any(entry.code in NEVER_FORCED for entry in report.diagnostics)
    if secret or not (report.ok or force):
        raise InvalidSpecError(report)
    try:
        return Compilation(report, chosen.compiled(analysis, forced=not report.ok), analysis.spec)
    except TargetError as refused:
        raise InvalidSpecError(place(analysis.document, refused.findings)) from refused


def _named(spec: SpecLike) -> str:
    """A spec as reports name it."""
    return "<mapping>" if isinstance(spec, Mapping) else str(spec)


def _strict(
    spec: SpecLike, overrides: Sequence[str], allow_outside: bool, as_of: date | None, stdin: TextIO | None
) -> Analysis:
    try:
        return _analyse(spec, overrides, allow_outside, as_of, stdin)
    except SourceError as invalid:
        raise InvalidSpecError(Report(files=(_named(spec),), diagnostics=invalid.diagnostics)) from invalid


def _analyse(
    spec: SpecLike, overrides: Sequence[str], allow_outside: bool, as_of: date | None, stdin: TextIO | None
) -> Analysis:
    document = _document(spec, overrides, allow_outside, stdin)
    typed = read(document)
    if isinstance(typed, list):
        raise InvalidSpecError(place(document, typed))
    return analyse(document, typed, catalog(), as_of or date.today())  # noqa: DTZ011 - a calendar day, where the user is


def _document(spec: SpecLike, overrides: Sequence[str], allow_outside: bool, stdin: TextIO | None) -> Document:
    if isinstance(spec, Mapping):
        return load_mapping(spec, overrides=overrides, allow_outside=allow_outside)
    return load(spec, overrides=overrides, allow_outside=allow_outside, stdin=stdin)
