"""The gate: a spec with an evaluation is deployed only with a record that passes, or with a reason in its tags.

The record has to be of the same trained model by its name, which has a digest of the job, and of every suite with the
spec's seed and at least as many items. The suites that can be made here, which are all but those whose cases lie in S3,
have to have the record's digests and items. Whether a suite passes is calculated anew from the outcomes of its items,
by the spec's `min_score`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hbspec.analysis import Analysis
from hbspec.analysis.release import ItemOutcome, Release
from hbspec.analysis.suite_data import data_place
from hbspec.diagnostics import Finding, Route
from hbspec.plan.suites import PlannedSuite, planned_suites
from hbspec.plan.training_job import IN_S3
from hbspec.showing.secrets import looks_secret
from hbspec.significance import PASSED, items_needed, share, verdict
from hbspec.targets.lowering.needs import LoweringError, refusal
from hbspec.targets.release.trained import trained_name

EVALUATION, WITHOUT = "hbspec:evaluation", "hbspec:without-evaluation"
"""Keys of the tags on everything that a deployment makes: the digest of the record, or why there is none."""
SECTION: Route = ("evaluation",)
RIGHT, SAGEMAKER = "right", "sagemaker"
"""Words of a record: of an answer, and of a model that was asked by its endpoint's name."""
OR_REASON = "or compile with --without-evaluation REASON"
MOST_REASON, ALLOWED = 256, " _.:/=+-@"
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Tag.html"""


def released(analysis: Analysis) -> Mapping[str, str]:
    """The tags that say by what a deployment was let out; none where the spec has no evaluation.

    Raises:
        LoweringError: nothing lets it out; the findings say why.
    """
    suites, release = planned_suites(analysis.spec), analysis.release
    if not suites:
        if release is None:
            return {}
        message = "the spec has no evaluation that a record or a reason could be for"
        raise LoweringError([_refused(SECTION, message, "leave out --record and --without-evaluation")])
    if release is None:
        number = f"{len(suites)} suite{'s have' if len(suites) > 1 else ' has'}"
        message = f"the spec's {number} to pass before a deployment, and no record says so"
        action = "compile with --record FILE, which hbspec evaluate writes, or with --without-evaluation REASON"
        raise LoweringError([_refused(SECTION, message, action)])
    if release.record is None:
        return {WITHOUT: _reason(release.reason or "")}
    if findings := [*_other_model(analysis, release, release.record), *_suites(analysis, release, release.record)]:
        raise LoweringError(findings)
    return {EVALUATION: str(release.record["digest"])}


def standing(analysis: Analysis) -> str:
    """What a script says to whom starts the model where no gate keeps it; empty where the spec has no evaluation.

    Raises:
        LoweringError: a record or a reason is given that would not let a deployment out.
    """
    if analysis.release is None:
        named = ", ".join(suite.name for suite in planned_suites(analysis.spec))
        return named and f"This model is not shown to pass {named}: evaluate it here before others use it."
    tags = released(analysis)
    if EVALUATION in tags:
        return f"This model passed its evaluation, by the record {tags[EVALUATION]}."
    return f"This model is served without an evaluation: {tags[WITHOUT]}"


def _reason(reason: str) -> str:
    """The reason, if a tag can hold it."""
    text = " ".join(reason.split())
    if not text or len(text) > MOST_REASON or not all(sign.isalnum() or sign in ALLOWED for sign in text):
        message = f"the reason is a tag, which has 1 to {MOST_REASON} letters, digits, spaces and any of {ALLOWED[1:]}"
        raise LoweringError([_refused(SECTION, message, "write the reason in other words")])
    if looks_secret(text):
        message = "the reason appears to contain a secret, and tags are not secret"
        raise LoweringError([_refused(SECTION, message, "write the reason without it")])
    return text


def _other_model(analysis: Analysis, release: Release, record: Mapping[str, Any]) -> Iterator[Finding]:
    """Findings where the record is of another model than the one that is deployed."""
    name, evaluated, model = trained_name(analysis), record["job"]["name"], record["model"]
    action = "evaluate the model of this spec, and compile with its record"
    if evaluated != name:
        what = "a model beside the spec's (--other-model)" if evaluated is None else evaluated
        yield _refused(SECTION, f"{release.named} evaluates {what}, but this spec trains {name}", action)
    places = model.get("serves") or ()
    if model["kind"] == SAGEMAKER and not places:
        message = f"{release.named} does not say which model {model['against']} served, as its configuration names none"
        yield _refused(SECTION, message, f"evaluate a variant or component that names its model, {OR_REASON}")
    if others := [place for place in places if name not in place]:
        message = f"{release.named}: {model['against']} served {', '.join(others)}, which is not of {name}"
        yield _refused(SECTION, message, action)


def _suites(analysis: Analysis, release: Release, record: Mapping[str, Any]) -> Iterator[Finding]:
    """Findings for suites that the record lacks, that were asked otherwise, or that do not pass."""
    found = {suite["suite"]: suite for suite in record["suites"]}
    for index, suite in enumerate(planned_suites(analysis.spec)):
        route, scored = (*SECTION, index), found.get(suite.name)
        action = f"evaluate {suite.name} anew, and compile with its record"
        if scored is None:
            yield _refused((*route, "suite"), f"{release.named} has no scores of {suite.name}", action)
        elif scored["seed"] != suite.seed:
            message = f"{release.named} has {suite.name} with seed {scored['seed']}, but the spec's is {suite.seed}"
            yield _refused(route, message, action)
        elif scored["wanted"] < suite.items:
            message = (
                f"{release.named} has {scored['wanted']:,} items of {suite.name}, but the spec asks {suite.items:,}"
            )
            yield _refused(route, message, action)
        elif said := _asked_otherwise(analysis, index, suite, scored):
            yield _refused(route, f"{release.named}: {said}", action)
        else:
            yield from _score((*route, "min_score"), suite, release, _outcomes(scored))


def _asked_otherwise(analysis: Analysis, index: int, planned: PlannedSuite, scored: Mapping[str, Any]) -> str | None:
    """How the record's suite differs from that of this spec; None where it does not, or its cases lie in S3.

    Of a task of lm-evaluation-harness, the files are compared: the library that makes its items is not run here.
    """
    if planned.data is not None and planned.data.startswith(IN_S3):
        return None
    from hbspec.suites import suite  # which few specs need

    try:
        made = suite(planned.name, data_place(analysis, index, planned))
    except ValueError as reason:
        return f"{planned.name} cannot be compared with the spec's: {reason}"
    if planned.is_task:
        other = scored["source"] != getattr(made, "source", None)
        return f"{planned.name} was of other files than those in {planned.data}" if other else None
    if scored["digest"] != made.digest:
        digests = f"its digest is {scored['digest'][:12]}, but this spec's is {made.digest[:12]}"
        return f"{planned.name} was another suite: {digests}"
    asked = [(item.id, item.template) for item in made.items(planned.seed, scored["wanted"])]
    if asked != [(one.item, one.template) for one in _outcomes(scored)]:
        return f"{planned.name} has other items than those of seed {planned.seed}"
    return None


def _outcomes(scored: Mapping[str, Any]) -> list[ItemOutcome]:
    return [ItemOutcome(*found) for found in scored["outcomes"]]


def _score(route: Route, suite: PlannedSuite, release: Release, outcomes: list[ItemOutcome]) -> Iterator[Finding]:
    right, templates = [one.kind == RIGHT for one in outcomes], [one.template for one in outcomes]
    ends = share(right, templates).ends
    said = verdict(ends, suite.least)
    if said == PASSED:
        return
    needed = items_needed(right, templates, suite.least) if ends.high >= suite.least else None
    action = f"set items to about {needed:,} and evaluate again" if needed else "train a better model"
    message = (
        f"{release.named}: {suite.name} {'is' if ends.high >= suite.least else 'has'} {said}: its score is "
        f"{ends.low:.3g} to {ends.high:.3g}, but min_score is {suite.least:g}"
    )
    yield _refused(route, message, f"{action}, {OR_REASON}")


def _refused(route: Route, message: str, action: str) -> Finding:
    return refusal("HB541", route, message, action)
