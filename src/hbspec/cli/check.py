"""`hbspec check`: every error, warning and note about specs."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.configured import CONFIG, IGNORE, NO_CONFIG, POLICY, POLICY_DIGEST, SELECT, chosen, configured, policed
from hbspec.cli.exit_codes import ERRORS, OK, UNUSABLE
from hbspec.cli.foreign import FOREIGN, asked
from hbspec.cli.options import ALLOW_OUTSIDE, AS_OF, CATALOG, FULL, SET, format_of
from hbspec.cli.outcome import FORMATS, exit_code, show
from hbspec.diagnostics import Report

if TYPE_CHECKING:
    from hbspec.source.discover import Found

HERE = (".",)


def run(
    paths: Sequence[str],
    overrides: Sequence[str],
    as_of: date | None,
    allow_outside: bool,
    catalog: Path | None,
    skip_other: bool,
    format: str,  # noqa: A002 - the option's name
    quiet: bool,
    strict: bool,
    exit_zero: bool,
    statistics: bool,
    output_file: Path | None,
    select: Sequence[str],
    ignore: Sequence[str],
    config: Path | None,
    no_config: bool,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    policy: Path | None,
    policy_digest: str | None,
    baseline: Path | None,
    update_baseline: bool,
    full: bool,
    program: str | None,
    on: str | None,
    beside: Sequence[str],
    region: str | None,
    parallelism: str | None,
) -> int:
    """Check every spec that the paths name, print the report in the format, and return the exit code."""
    configuration = chosen(configured(config, no_config), select, ignore)
    given = asked(overrides, program=program, on=on, beside=beside, region=region, parallelism=parallelism)
    given |= {"allow_outside": allow_outside, "as_of": as_of}
    given |= {"prices": catalog or configuration.catalog, "configuration": configuration}
    given["policy"] = policed(configuration, policy, policy_digest)
    specs, unwritten = _specs(paths, skip_other=skip_other), 0
    if output_file is not None:
        from hbspec.cli.read_files import refuse_read_file

        prices, allowed = catalog or configuration.catalog, policy or configuration.policy
        others = (config, prices, allowed, baseline or configuration.baseline, *map(Path, beside))
        refuse_read_file(output_file, specs.specs, others, allow_outside=allow_outside)
    known: Mapping[str, Report] = {}
    if fix or unsafe_fixes or diff:
        from hbspec.cli.fixed_specs import fix_specs

        changed, known, unwritten = fix_specs(specs.specs, given, fix=fix, unsafe=unsafe_fixes, diff=diff)
        if diff:
            return ERRORS if changed and not exit_zero else OK
    report = _judged(specs, given, known)
    report = _without_known(report, baseline or configuration.baseline, update=update_baseline)
    is_alone = report.ok and report.files == tuple(paths) and not (quiet or overrides or program or on or beside)
    following = f"hbspec estimate {shlex.quote(paths[0])}" if is_alone else ""
    show(report, format, quiet=quiet, statistics=statistics, output_file=output_file, full=full, following=following)
    code = exit_code(report, strict=strict or configuration.strict, exit_zero=exit_zero)
    return UNUSABLE if unwritten else code


def _without_known(report: Report, file: Path | None, *, update: bool) -> Report:
    """The report without what a baseline holds, which is made or shrunk first if that is asked for.

    Raises:
        ConfigurationError: the file is not a baseline.
        MisuseError: there is none to update.
    """
    if file is None:
        if update:
            raise MisuseError(
                "--update-baseline needs a file: name it with --baseline, or with `baseline` in hbspec.toml"
            )
        return report
    from hbspec.configuration.baseline import KnownFindings, counted, read_baseline

    if not update:
        return read_baseline(file).without(report)
    from hbspec.cli.whole import write_file

    folder = Path(os.path.realpath(file)).parent
    is_there = os.path.lexists(file)
    known = read_baseline(file).shrunk(report) if is_there else KnownFindings(folder, counted(report, folder))
    write_file(file, known.text().encode(), replace=is_there)
    return known.without(report)


def _judged(found: Found, given: Mapping[str, Any], known: Mapping[str, Report]) -> Report:
    """One report on every spec that was found; what is `known` is not judged again."""
    from hbspec.api import check
    from hbspec.rules.engine import merge

    reports = [known[file] if file in known else check(file, **given) for file in found.specs]
    if found.diagnostics or found.passed_over or len(reports) != 1:
        unread = tuple(diagnostic.file for diagnostic in found.diagnostics)
        reports.append(Report(files=unread, diagnostics=found.diagnostics, passed_over=found.passed_over))
        return merge(reports)
    return reports[0]


def _specs(paths: Sequence[str], *, skip_other: bool) -> Found:
    from hbspec.source import discover
    from hbspec.spec import section_keys

    return discover(paths or HERE, section_keys(()) or (), skip_other=skip_other)


COMMAND = Command(
    "check",
    "Check specs, and report everything that is wrong with them.",
    run,
    (
        Parameter(
            "paths",
            "Spec files, folders (all files below that look like specs), or `-` for standard input; the current folder "
            "by default.",
            metavar="PATHS",
            repeated=True,
        ),
        format_of(*FORMATS),
        SET,
        AS_OF,
        ALLOW_OUTSIDE,
        CATALOG,
        Parameter("skip_other", "Pass over named files that are not specs.", ("--skip-other",), switch=True),
        Parameter("quiet", "Show only errors, without the summary (text format).", ("--quiet", "-q"), switch=True),
        Parameter("strict", "Exit with 1 for warnings, too.", ("--strict",), switch=True),
        Parameter("exit_zero", "Exit with 0 even if there are errors.", ("--exit-zero",), switch=True),
        Parameter(
            "statistics", "Count the findings of each code instead of listing them.", ("--statistics",), switch=True
        ),
        Parameter(
            "output_file",
            "Write the report to a file, whole or not at all, instead of standard output.",
            ("--output-file",),
            "FILE",
            convert=Path,
        ),
        SELECT,
        IGNORE,
        CONFIG,
        NO_CONFIG,
        POLICY,
        POLICY_DIGEST,
        Parameter(
            "fix", "Apply the fixes that leave the job as it is, and report what is left.", ("--fix",), switch=True
        ),
        Parameter(
            "unsafe_fixes",
            "With --fix or --diff: also those that guess what is meant, and change the job.",
            ("--unsafe-fixes",),
            switch=True,
        ),
        Parameter(
            "baseline",
            "A file of known findings, which are counted and not reported; `baseline` of the configuration by default.",
            ("--baseline",),
            "FILE",
            convert=Path,
        ),
        Parameter(
            "update_baseline",
            "Make the baseline of what is found now, or delete what is gone from it; it never grows.",
            ("--update-baseline",),
            switch=True,
        ),
        FULL,
        Parameter("diff", "Show what --fix would change, and change nothing.", ("--diff",), switch=True),
        *FOREIGN,
    ),
    "Every named file is checked, even if others have errors. In a folder, YAML files that do not look like specs and "
    "hidden files that do are passed over, counted and listed. With a policy, a file may also be a body of "
    "CreateTrainingJob, as any tool writes it. Files of axolotl, TRL, LLaMA-Factory, torchtune and HyperPod, "
    "and code that starts a job with SageMaker's SDK, are judged if they are named. Exit code 0: no errors. "
    "1: errors found. 2: a file or the configuration could not be read, even if others have errors.",
)
