"""`hbspec evaluate`: ask a trained model every item of the spec's suites, score the answers, and write the record."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.options import ALLOW_OUTSIDE, SET, SPEC, format_of, positive

if TYPE_CHECKING:
    from hbspec.analysis import Analysis
    from hbspec.plan.suites import PlannedSuite

SUFFIX = ".record.json"


def run(
    spec: str,
    against: str,
    suites: Sequence[str],
    items: int | None,
    seed: int | None,
    model: str | None,
    key_variable: str | None,
    other_model: bool,
    output: Path | None,
    concurrency: int,
    timeout: int,
    format: str,  # noqa: A002 - the option's name
    overrides: Sequence[str],
    allow_outside: bool,
    force: bool,
) -> int:
    """Evaluate, print the scores, and write the record; return the exit code."""
    from hbspec.api import InvalidSpecError, estimate
    from hbspec.cli.outcome import refuse
    from hbspec.evaluation.harness import harness
    from hbspec.render.plain_json import json_text

    try:
        analysis = estimate(spec, overrides=overrides, allow_outside=allow_outside).analysis
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    place = _place(output, analysis.spec.name, force=force)
    key = _key(key_variable)
    evaluate = harness()
    wanted = _wanted(analysis, suites, items, seed)
    _refuse_beyond_window(analysis, wanted)
    region = analysis.spec.deployment and analysis.spec.deployment.region
    way = evaluate.Way(against, model, key, region or analysis.spec.instance.region, float(timeout))
    try:
        with _progress() as progress:
            found = evaluate.evaluated(
                _job(analysis, other=other_model),
                wanted,
                evaluate.asked_of(way),
                place,
                concurrency=concurrency,
                progress=progress,
            )
    except (evaluate.EvaluationError, evaluate.DeniedError) as reason:
        raise MisuseError(str(reason)) from None
    record = evaluate.signed(json.loads(json_text(found)))  # what looks like a credential is not in a file
    _finish(record, place, format, force=force)
    return OK if record["verdict"] == "passed" else ERRORS


def _wanted(analysis: Analysis, names: Sequence[str], items: int | None, seed: int | None) -> list[Any]:
    """The suites that are asked, with their items."""
    from hbspec.analysis.suite_data import data_place
    from hbspec.evaluation.harness import wanted_suite

    try:
        return [
            wanted_suite(
                suite._replace(items=items or suite.items, seed=suite.seed if seed is None else seed),
                data_place(analysis, index, suite),
            )
            for index, suite in _chosen(analysis, names)
        ]
    except ImportError as missing:
        raise MisuseError(f"the suites cannot be loaded: {missing}") from None
    except ValueError as reason:
        raise MisuseError(str(reason)) from None


def _refuse_beyond_window(analysis: Analysis, wanted: Sequence[Any]) -> None:
    """Nothing, if the endpoint's window holds every answer; whether the prompt fits beside it, the endpoint says."""
    window = analysis.spec.deployment and analysis.spec.deployment.max_model_len
    for one in wanted:
        longest = max(item.max_tokens for item in one.items)
        if window is not None and longest >= window:
            raise MisuseError(
                f"{one.suite.name} lets an answer have {longest:,} tokens, but deployment.max_model_len is {window:,}, "
                "prompt included: raise it, or leave out the suite"
            )


def _chosen(analysis: Analysis, names: Sequence[str]) -> Iterator[tuple[int, PlannedSuite]]:
    from hbspec.cli.command import did_you_mean
    from hbspec.plan.suites import planned_suites

    planned = planned_suites(analysis.spec)
    known = [suite.name for suite in planned]
    if not planned:
        raise MisuseError("the spec names no suite: add evaluation")
    for name in names:
        if name not in known:
            raise MisuseError(f"--suite {name} is not in evaluation{did_you_mean(name, known)}")
    yield from ((index, suite) for index, suite in enumerate(planned) if not names or suite.name in names)


def _job(analysis: Analysis, *, other: bool) -> Mapping[str, Any]:
    """What the record says of the training; no name where another model is asked, which lets out no deployment."""
    from hbspec.targets.release.trained import trained_name

    text = json.dumps(analysis.document.values, sort_keys=True)
    return {
        "name": None if other else trained_name(analysis),
        "spec": sha256(text.encode()).hexdigest(),
        "data": analysis.profile.digest if analysis.profile else None,
    }


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = os.environ.get(variable)
    if not key:
        raise MisuseError(f"--key-variable {variable}: this environment variable is not set, or empty")
    return key


def _place(output: Path | None, name: str, *, force: bool) -> Path:
    """Where the record goes; whatever is wrong with that is said before anything is asked."""
    from hbspec.cli.places import default_folder

    place = output or Path(f"{default_folder(name, 'evaluate').parent.name}{SUFFIX}")
    if place.exists() and not force:
        raise MisuseError(f"{place} exists; give --force to replace it, or --output another name")
    if place.is_dir() or not place.parent.is_dir():
        raise MisuseError(f"{place} is a folder, or the folder that it is to be in does not exist")
    return place


def _progress() -> Any:
    """A bar on a terminal; nothing elsewhere."""
    from hbspec.render.evaluated import progress

    return progress(sys.stderr, drawn=sys.stderr.isatty())


def _finish(record: Mapping[str, Any], place: Path, format: str, *, force: bool) -> None:  # noqa: A002 - as in `--format`
    """Write the record, whole or not at all, and print the scores."""
    from hbspec.cli.whole import write_file

    text = json.dumps(record, indent=2) + "\n"
    write_file(place, text.encode(), replace=force)
    if format == "json":
        sys.stdout.write(text)
        return
    from hbspec.render.evaluated import evaluated_lines
    from hbspec.render.paint import columns, write

    write(evaluated_lines(record, columns()), sys.stdout)
    write(((), (("", f"{place}: the record"),)), sys.stdout)


COMMAND = Command(
    "evaluate",
    "Ask a trained model the items of the spec's suites, score its answers, and write the record.",
    run,
    (
        SPEC,
        Parameter(
            "against",
            "The model: the URL of an endpoint as OpenAI's, sagemaker:ENDPOINT, or the folder of a checkpoint.",
            ("--against",),
            "MODEL",
            required=True,
        ),
        Parameter("suites", "Only this suite. Can be repeated.", ("--suite",), "NAME", repeated=True),
        Parameter("items", "Items of each suite, instead of the spec's.", ("--items",), "N", convert=positive),
        Parameter("seed", "The seed of the items, instead of the spec's.", ("--seed",), "N", convert=int),
        Parameter("model", "The model of the requests; the first that the endpoint lists.", ("--model",), "NAME"),
        Parameter(
            "key_variable", "The environment variable that holds the endpoint's key.", ("--key-variable",), "NAME"
        ),
        Parameter(
            "other_model",
            "The model is not this spec's but one to compare with: its record lets out no deployment.",
            ("--other-model",),
            switch=True,
        ),
        Parameter("output", f"The record to write; NAME{SUFFIX} by default.", ("--output", "-o"), "FILE", convert=Path),
        Parameter("concurrency", "Requests at once.", ("--concurrency",), "N", "8", positive),
        Parameter("timeout", "Seconds that one request may take.", ("--timeout",), "N", "120", positive),
        format_of("text", "json"),
        SET,
        ALLOW_OUTSIDE,
        Parameter("force", "Replace the record if it exists.", ("--force",), switch=True),
    ),
    "Answers are kept beside the record as they come, so that a run that was ended goes on where it was. Exit code 0: "
    "every suite passed; 1: one failed, or is not decided; 2: the model cannot be asked, or a suite is broken.",
)
