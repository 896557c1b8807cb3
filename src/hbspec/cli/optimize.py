"""`hbspec optimize`: the best plans for a spec, searched among all that train the same."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import Command, MisuseError, Parameter, did_you_mean
from hbspec.cli.edited_spec import refuse_without_a_file, write_edited
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.foreign import AS, ON, PARALLELISM, REGION, WITH, asked
from hbspec.cli.options import ALLOW_OUTSIDE, AS_OF, CATALOG, FULL, SET, SPEC, format_of, positive, region_of
from hbspec.cli.shown import show_json, show_text

if TYPE_CHECKING:
    from hbspec.analysis import Analysis
    from hbspec.analysis.change import Change
    from hbspec.cli.search_progress import SearchProgress
    from hbspec.search.best_endpoints import BestEndpoints
    from hbspec.search.optimize import Optimum
    from hbspec.search.request import Request
    from hbspec.source import Document
    from hbspec.units import Money

OBJECTIVES = ("cost", "time", "headroom")
ALLOWED = ("precision", "optimizer", "quantization", "length", "tight")


def run(
    spec: str,
    overrides: Sequence[str],
    as_of: date | None,
    allow_outside: bool,
    catalog: Path | None,
    format: str,  # noqa: A002 - the option's name
    objective: str,
    confidence: str,
    max_cost: Money | None,
    max_time: float | None,
    regions: tuple[str, ...] | None,
    keep: Sequence[str],
    allow: Sequence[str],
    most_instances: int,
    deployment: bool,
    repair: bool,
    apply: bool,
    full: bool,
    program: str | None,
    on: str | None,
    beside: Sequence[str],
    parallelism: str | None,
    region: str | None,
) -> int:
    """Print the best plans, or why there are none; return the exit code."""
    from hbspec.api import InvalidSpecError, estimate
    from hbspec.cli.outcome import refuse
    from hbspec.cli.search_progress import SearchProgress
    from hbspec.diagnostics import NotKnownError
    from hbspec.search.request import Request

    given = asked(overrides, program=program, on=on, beside=beside, region=region, parallelism=parallelism)
    if apply:
        refuse_without_a_file("--apply", spec, (*given["overrides"], *beside))
    _refuse_unfit(keep, allow, deployment=deployment, repair=repair)
    kept, allowed = frozenset(keep), frozenset(allow)
    request = Request(objective, confidence, regions or (), kept, allowed, max_cost, max_time, most_instances)
    read: dict[str, Any] = {"allow_outside": allow_outside, "as_of": as_of, "prices": catalog}
    try:
        analysis = estimate(spec, **given, **read).analysis
        if apply and analysis.document.translated is not None:
            raise MisuseError(f"--apply writes into a spec, and {spec} is not one: import it first")
        with SearchProgress() as progress:
            best = _searched(analysis, request, progress, deployment=deployment, repair=repair)
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    except NotKnownError as reason:
        raise MisuseError(f"{spec}: no plan can be compared without {reason}") from None
    except ValueError as reason:
        raise MisuseError(f"--max-cost {max_cost}: {reason}") from None
    _print(best, format, full=full)
    if not best.plans:
        return ERRORS
    return _applied(analysis.document, best.plans[0].change, read) if apply else OK


def _refuse_unfit(keep: Sequence[str], allow: Sequence[str], *, deployment: bool, repair: bool) -> None:
    """Nothing, where every option has a meaning in this search.

    Raises:
        MisuseError: an option is that of the other search.
    """
    from hbspec.search.request import ALLOWED_AT_ENDPOINTS, AXES, ENDPOINT_AXES

    if deployment and repair:
        raise MisuseError("--repair is a search among plans of the training; leave out --deployment")
    axes, when = (ENDPOINT_AXES, "with") if deployment else (AXES, "without")
    for key in keep:
        if key not in axes:
            raise MisuseError(f"--keep {key} is not one of {', '.join(axes)}, the keys {when} --deployment")
    for kind in allow:
        if deployment and kind not in ALLOWED_AT_ENDPOINTS:
            raise MisuseError(f"--allow {kind} does not change an endpoint; give {', '.join(ALLOWED_AT_ENDPOINTS)}")


def _searched(
    analysis: Analysis, request: Request, progress: SearchProgress, *, deployment: bool, repair: bool
) -> Optimum | BestEndpoints:
    """The best plans or endpoints, or the smallest change of a spec that has errors.

    Raises:
        MisuseError: the spec has no errors to repair.
    """
    if deployment:
        from hbspec.search.endpoints import optimize_endpoint

        return optimize_endpoint(analysis, request, progress)
    from hbspec.search import optimize
    from hbspec.search import repair as repairing

    if not repair:
        return optimize.optimize(analysis, request, progress)
    if not optimize.current(analysis).errors:
        raise MisuseError("--repair: the spec has no errors; leave the option out to search for better plans")
    return repairing.repair(analysis, request, progress)


def _applied(document: Document, change: Change, read: dict[str, Any]) -> int:
    """Write the best plan into the spec, and say so on standard error."""
    from hbspec.cli.outcome import exit_code, refuse
    from hbspec.search.written import written

    if not change.settings:
        sys.stderr.write(f"{document.file} is the best plan already: nothing was changed\n")
        return OK
    report = write_edited(document, written(change), **read)
    if not report.ok:
        sys.stderr.write(f"{document.file} was not changed: the changed spec has errors\n")
        return refuse(report)
    sys.stderr.write(f"{document.file} was changed to the first plan; its check has no errors\n")
    return exit_code(report)


def _print(best: Optimum | BestEndpoints, format: str, *, full: bool) -> None:  # noqa: A002 - as in `--format`
    from hbspec.render.best_endpoints import best_endpoints_lines
    from hbspec.render.optimum import optimum_lines
    from hbspec.search.best_endpoints import BestEndpoints

    if format == "json":
        show_json(best.to_dict())
    elif isinstance(best, BestEndpoints):
        show_text(partial(best_endpoints_lines, best), full=full)
    else:
        show_text(partial(optimum_lines, best), full=full)


def _key(word: str) -> str:
    """A key that the search can keep.

    Raises:
        MisuseError: the search does not change it.
    """
    from hbspec.search.request import AXES, ENDPOINT_AXES

    known = (*AXES, *ENDPOINT_AXES)
    if word not in known:
        raise MisuseError(f"--keep {word} is not one of {', '.join(known)}{did_you_mean(word, known)}")
    return word


def _regions(words: str) -> tuple[str, ...]:
    """The regions of a list with commas.

    Raises:
        MisuseError: the catalog does not know one of them.
    """
    named = tuple(filter(None, (word.strip() for word in words.split(","))))
    for region in named:
        region_of(region, "--regions")
    return named


def _money(text: str) -> Any:
    from hbspec.parsing import parse_money

    return parse_money(text)


def _seconds(text: str) -> Any:
    from hbspec.parsing import parse_seconds

    return parse_seconds(text)


COMMAND = Command(
    "optimize",
    "Search every plan that trains the same for the best in cost, time and memory.",
    run,
    (
        SPEC,
        Parameter(
            "objective", "What plans are ordered by.", ("--objective",), choices=OBJECTIVES, default=OBJECTIVES[0]
        ),
        Parameter(
            "confidence",
            "Compare the expected time and cost, or the high ends.",
            ("--confidence",),
            choices=("expected", "certain"),
            default="expected",
        ),
        Parameter("max_cost", "The most that a plan may cost: 25 CAD.", ("--max-cost",), "AMOUNT", convert=_money),
        Parameter("max_time", "The longest that a plan may take: 2h.", ("--max-time",), "TIME", convert=_seconds),
        Parameter(
            "regions", "The regions to rent in: ca-central-1,us-east-1.", ("--regions",), "R,…", convert=_regions
        ),
        Parameter(
            "keep", "A key that keeps its value. Can be repeated.", ("--keep",), "FIELD", convert=_key, repeated=True
        ),
        Parameter(
            "allow",
            "What may differ from the same training, certain to fit. Can be repeated.",
            ("--allow",),
            choices=ALLOWED,
            repeated=True,
        ),
        Parameter(
            "most_instances",
            "The largest number of instances tried.",
            ("--most-instances",),
            "N",
            default="8",
            convert=positive,
        ),
        Parameter(
            "deployment",
            "Search for the best endpoint: the cost is that of an hour, the time that of a typical answer, and the "
            "headroom is how many requests it holds.",
            ("--deployment",),
            switch=True,
        ),
        Parameter(
            "repair",
            "Of a spec with errors: print the smallest change after which it passes.",
            ("--repair",),
            switch=True,
        ),
        Parameter(
            "apply", "Write the first plan into the spec, if the changed spec has no errors.", ("--apply",), switch=True
        ),
        format_of("text", "json"),
        SET,
        AS_OF,
        ALLOW_OUTSIDE,
        CATALOG,
        FULL,
        AS,
        ON,
        WITH,
        REGION,
        PARALLELISM,
    ),
)
