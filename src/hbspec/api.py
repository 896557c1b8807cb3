"""The whole pipeline, one line per stage. Stable: `check`, `estimate`, `compile_spec`, and their results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from hbspec.analysis import Analysis, analyse
from hbspec.analysis.release import Release
from hbspec.catalog import catalog_with
from hbspec.claims import verify
from hbspec.configuration import EVERYTHING, Configuration
from hbspec.configuration.configuration import NEVER_FORCED
from hbspec.diagnostics import Diagnostic, NotKnownError, Report
from hbspec.estimates import Estimates as Estimates  # part of what is stable here
from hbspec.opened import InvalidSpecError as InvalidSpecError
from hbspec.opened import SpecLike as SpecLike
from hbspec.opened import analysed, day_of, document_of, strict
from hbspec.opened import imported as imported
from hbspec.rules.engine import merge, place
from hbspec.rules.judge import judge
from hbspec.showing.secrets import redact
from hbspec.source import Document, SourceError
from hbspec.source.load import NOTHING
from hbspec.spec import Spec, read
from hbspec.targets import DEFAULT, target_of
from hbspec.targets.lowering.artifact import Artifact
from hbspec.targets.lowering.needs import LoweringError

if TYPE_CHECKING:
    from hbspec.policy import Policy


def check(
    spec: SpecLike,
    *,
    overrides: Sequence[str] = (),
    allow_outside: bool = False,
    as_of: date | None = None,
    stdin: TextIO | None = None,
    prices: Path | None = None,
    configuration: Configuration = EVERYTHING,
    text: str | None = None,
    policy: Policy | None = None,
    unsaved: Mapping[Path, str] = NOTHING,
    program: str | None = None,
    beside: Sequence[str] = (),
) -> Report:
    """Check a spec, and report everything that is wrong with it.

    Args:
        spec: a path, `-`, or a mapping.
        overrides: strings `key.path=value`, as after `--set`.
        allow_outside: let the spec name files outside its project.
        as_of: the day from which the ages of prices and rates are counted; today by default.
        stdin: the stream that `-` stands for; standard input by default.
        prices: a file that `hbspec catalog refresh prices` wrote, whose prices stand beside the shipped ones.
        configuration: which findings are reported, and how severe they are; no file is read for it.
        text: what the file at the path holds, instead of its content on the disk: an edited state of it.
        policy: what the organisation allows; with it, the spec may also be a body of CreateTrainingJob.
        unsaved: the same of files that it may extend, by their real paths.
        program: whose file it is, by the name of a front end; by default its content says so.
        beside: files with more of the job, which count above it: a part of a spec, accelerate's or DeepSpeed's.

    Raises:
        PriceFileError: the file of prices is not as it was written.
    """
    given: dict[str, Any] = {"overrides": overrides, "allow_outside": allow_outside, "as_of": as_of, "stdin": stdin}
    given |= {"prices": prices, "configuration": configuration, "text": text, "policy": policy, "unsaved": unsaved}
    given |= {"program": program, "beside": beside}
    return judgement(spec, **given).report


class Judgement(NamedTuple):
    """What was judged, and the report on it; of a spec that cannot be read or validated there is only the report."""

    report: Report
    analysis: Analysis | None


def judgement(
    spec: SpecLike,
    *,
    overrides: Sequence[str] = (),
    allow_outside: bool = False,
    as_of: date | None = None,
    stdin: TextIO | None = None,
    prices: Path | None = None,
    configuration: Configuration = EVERYTHING,
    text: str | None = None,
    policy: Policy | None = None,
    unsaved: Mapping[Path, str] = NOTHING,
    program: str | None = None,
    beside: Sequence[str] = (),
) -> Judgement:
    """The report that `check` returns, with what was judged; the same arguments and errors."""
    try:
        document = document_of(spec, overrides, allow_outside, stdin, text, unsaved, program, beside)
        if policy is not None and (judged := _as_request(document, prices, policy)):
            return Judgement(judged, None)
    except SourceError as invalid:
        return Judgement(
            Report(files=("<mapping>" if isinstance(spec, Mapping) else str(spec),), diagnostics=invalid.diagnostics),
            None,
        )
    try:
        analysis = analysed(document, as_of, prices)
    except InvalidSpecError as invalid:
        return Judgement(_judged_as_meant(document, as_of, prices, configuration, policy) or invalid.report, None)
    return Judgement(_judge(analysis, configuration, policy), analysis)


def _judged_as_meant(
    document: Document, as_of: date | None, prices: Path | None, configuration: Configuration, policy: Policy | None
) -> Report | None:
    """The report on a document with misspelt keys or words, judged as what they mean; None where that is not known.

    What is found beside them has no fixes, since its routes are not those of the text.
    """
    from hbspec.spec.meant import meant  # which no valid spec needs

    typed = read(document)
    if document.translated or isinstance(typed, Spec) or (found := meant(document, typed)) is None:
        return None
    analysis = analyse(found.document, found.spec, catalog_with(prices), day_of(as_of))
    report = _judge(analysis, configuration, policy)
    diagnostics = [entry._replace(fixes=()) for entry in report.diagnostics]
    return merge([place(found.document, found.findings), report._replace(files=(), diagnostics=tuple(diagnostics))])


def estimate(
    spec: SpecLike,
    *,
    overrides: Sequence[str] = (),
    allow_outside: bool = False,
    as_of: date | None = None,
    stdin: TextIO | None = None,
    prices: Path | None = None,
    program: str | None = None,
    beside: Sequence[str] = (),
) -> Estimates:
    """Estimate a job's memory, time and cost, as intervals.

    Raises:
        InvalidSpecError: the spec cannot be read or validated; other errors do not prevent estimates.
    """
    analysis = strict(spec, overrides, allow_outside, as_of, stdin, prices, program, beside)
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
        evaluation=part("evaluation") if analysis.spec.evaluation else None,
    )


def compile_spec(
    spec: SpecLike,
    target: str = DEFAULT,
    *,
    overrides: Sequence[str] = (),
    allow_outside: bool = False,
    force: bool = False,
    stdin: TextIO | None = None,
    prices: Path | None = None,
    release: Release | None = None,
) -> list[Artifact]:
    """The files of one target, in memory: the `artifacts` of `compilation`, with the same arguments and errors."""
    return compilation(
        spec,
        target,
        overrides=overrides,
        allow_outside=allow_outside,
        force=force,
        stdin=stdin,
        prices=prices,
        release=release,
    ).artifacts


class Compilation(NamedTuple):
    """The result of checking and compiling a spec.

    Attributes:
        report: the report of the check; its errors, if any, were forced.
        artifacts: the files of the target, by path.
        spec: the compiled spec.
        analysis: what was judged.
    """

    report: Report
    artifacts: list[Artifact]
    spec: Spec
    analysis: Analysis


def compilation(
    spec: SpecLike,
    target: str = DEFAULT,
    *,
    overrides: Sequence[str] = (),
    allow_outside: bool = False,
    force: bool = False,
    stdin: TextIO | None = None,
    prices: Path | None = None,
    configuration: Configuration = EVERYTHING,
    release: Release | None = None,
    policy: Policy | None = None,
    program: str | None = None,
    beside: Sequence[str] = (),
) -> Compilation:
    """Check and compile a spec in one reading of its files; nothing is written to disk.

    The files never depend on the day, which decides only which warnings are given. `release` is what a deployment is
    let out by, where the spec has an evaluation; `force` does not stand for it, nor for what breaks the `policy`.

    Raises:
        InvalidSpecError: the spec has errors (and `force` is not set, or they are in `NEVER_FORCED`), or lacks a key
            that the target needs.
        ValueError: no target has this name.
    """
    chosen = target_of(target)
    analysis = replace(strict(spec, overrides, allow_outside, None, stdin, prices, program, beside), release=release)
    report = _judge(analysis, configuration, policy)
    kept = any(NEVER_FORCED.fullmatch(code) for entry in report.diagnostics for code in _codes(entry))
    if kept or not (report.ok or force):
        raise InvalidSpecError(report)
    try:
        artifacts = chosen.compiled(analysis, forced=not report.ok)
        return Compilation(report, artifacts, analysis.spec, analysis)
    except LoweringError as refused:
        raise InvalidSpecError(place(analysis.document, refused.findings)) from refused


def _codes(entry: Diagnostic) -> Iterator[str]:
    """The codes of a finding and of those that are listed with it."""
    yield entry.code
    yield from (code for code, _ in entry.also)


def _judge(analysis: Analysis, configuration: Configuration, policy: Policy | None) -> Report:
    """The report of all rules, and of the policy's lines."""
    if policy is None:
        return judge(analysis, configuration)
    from hbspec.policy.judge import with_policy  # which few checks need

    return with_policy(judge(analysis, configuration), analysis, policy)


def _as_request(document: Document, prices: Path | None, policy: Policy) -> Report | None:
    """The report on a body of CreateTrainingJob; None if the document is meant as a spec."""
    from hbspec.policy.judge import is_request, judged_request  # which few checks need

    return judged_request(document, catalog_with(prices), policy) if is_request(document) else None
