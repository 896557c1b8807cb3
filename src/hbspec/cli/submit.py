"""`hbspec submit`: check, compile, show what it costs, ask, upload the source, and start the training job."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.configured import CONFIG, NO_CONFIG, POLICY, POLICY_DIGEST, configured, policed
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.options import ALLOW_OUTSIDE, CATALOG, SET, format_of
from hbspec.cli.places import default_folder

if TYPE_CHECKING:
    from hbspec.api import Compilation
    from hbspec.service.job import SubmittedJob
    from hbspec.service.submission import Submitted

TARGET = "sagemaker"


def run(
    spec: str,
    output: Path | None,
    dry_run: bool,
    yes: bool,
    format: str,  # noqa: A002 - the option's name
    overrides: Sequence[str],
    allow_outside: bool,
    catalog: Path | None,
    config: Path | None,
    no_config: bool,
    policy: Path | None,
    policy_digest: str | None,
) -> int:
    """Submit the job, or print what would be called; return the exit code."""
    from hbspec.api import InvalidSpecError
    from hbspec.cli.outcome import refuse
    from hbspec.cli.service_asked import agreed, refuse_without_an_answer, refuse_without_boto3, said
    from hbspec.service.client import ServiceError
    from hbspec.service.job import submitted_job

    if spec == "-":
        raise MisuseError("submit reads the spec twice: give the path of a file")
    configuration = configured(config, no_config)
    given: dict[str, Any] = {"overrides": overrides, "allow_outside": allow_outside}
    given |= {"prices": catalog or configuration.catalog, "configuration": configuration}
    given["policy"] = policed(configuration, policy, policy_digest)
    try:
        compiled = _compiled(spec, given)
        job = submitted_job(compiled)
        _as_compiled(compiled, output or default_folder(compiled.spec.name, TARGET))
        if dry_run:
            return _would(job, compiled, format)
        refuse_without_boto3()
        refuse_without_an_answer("submit", yes=yes)
        _show(job, compiled)
        if not (yes or agreed(f"\nStart {job.name}?")):
            said("nothing was started")
            return ERRORS
        if _compiled(spec, given).artifacts != compiled.artifacts:
            raise MisuseError(f"{spec} changed while its job was shown: nothing was started; run the command again")
        return _submit(job, spec, format)
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    except ServiceError as failed:
        said(str(failed))
        if failed.lacks_capacity:
            _tell_alternatives(compiled, spec)
        return ERRORS


def _tell_alternatives(compiled: Compilation, spec: str) -> None:
    """Where else the job could run, and for how much; nothing is started there."""
    from hbspec.render.paint import columns, write
    from hbspec.render.service import alternative_lines

    write(alternative_lines(compiled.analysis, spec, columns()), sys.stderr)


def _compiled(spec: str, given: dict[str, Any]) -> Compilation:
    """The spec as it is compiled for SageMaker.

    Raises:
        InvalidSpecError: it has errors.
        MisuseError: its job certainly costs more than the budget, though a comment allows that.
    """
    from hbspec.api import compilation
    from hbspec.diagnostics import NotKnownError
    from hbspec.units import Money

    compiled = compilation(spec, TARGET, **given)
    budget = compiled.spec.budget
    try:
        cost = compiled.analysis.cost
    except NotKnownError:
        return compiled
    if budget and cost.low > budget.max_cost.amount:
        least = Money(cost.low, cost.currency)
        raise MisuseError(f"the job costs at least {least}, but budget.max_cost is {budget.max_cost}: raise it first")
    return compiled


def _as_compiled(compiled: Compilation, folder: Path) -> None:
    """Refuse a spec that is not what lies compiled in a folder, since that is what somebody looked at.

    Raises:
        MisuseError: the folder holds another state of the job.
    """
    from hbspec.cli.up_to_date import differing
    from hbspec.service.job import REQUEST

    if not (folder / REQUEST).is_file():
        return
    for path in differing(compiled.artifacts, folder):
        raise MisuseError(
            f"the spec or what it is compiled to changed since {folder} was written ({path} differs): "
            "compile again, look at it, and submit"
        )


def _show(job: SubmittedJob, compiled: Compilation) -> None:
    from hbspec.render.paint import columns, write
    from hbspec.render.report import report_lines
    from hbspec.render.service import submission_lines

    if compiled.report.diagnostics:
        write(report_lines(compiled.report, columns()), sys.stderr)
    write(submission_lines(job, compiled.analysis, columns()), sys.stderr)


def _would(job: SubmittedJob, compiled: Compilation, format: str) -> int:  # noqa: A002 - as in `--format`
    """Print every call of a first attempt; nothing is asked."""
    from hbspec.render.paint import write
    from hbspec.render.plain_json import json_text
    from hbspec.render.service import call_lines
    from hbspec.service.submission import calls

    made = list(calls(job))
    if format == "json":
        told = [call._asdict() for call in made]
        sys.stdout.write(json_text({"format_version": 1, "job": job.name, "region": job.region, "calls": told}))
        return OK
    _show(job, compiled)
    write(call_lines(made), sys.stdout)
    last = f"would create {job.name}; after a failed or stopped attempt, one with a number after this name"
    write((((("", last)),),), sys.stdout)
    return OK


def _submit(job: SubmittedJob, spec: str, format: str) -> int:  # noqa: A002 - as in `--format`
    from hbspec.cli.service_asked import said
    from hbspec.render.plain_json import json_text
    from hbspec.service.client import Clients
    from hbspec.service.submission import submit
    from hbspec.targets.aws.submission import STARTED_ALREADY

    try:
        done = submit(Clients(job.region), job, said)
    except KeyboardInterrupt:
        said(f"interrupted: `hbspec status {spec}` tells whether {job.name} was started")
        said(f"files that lie in {job.code} stay, and the next submission overwrites them")
        raise
    if format == "json":
        sys.stdout.write(json_text({"format_version": 1, **done._asdict(), "region": job.region}))
    _said_last(done)
    return STARTED_ALREADY if done.status else OK


def _said_last(done: Submitted) -> None:
    from hbspec.cli.service_asked import said

    if done.status:
        said(f"{done.name}: this job was already started ({done.status}); nothing was started now")
        if done.status == "Stopping":
            said("submit it again when it has stopped: it then continues from its checkpoints")
        else:
            said("to run the same job again, set another sagemaker.job_name")
    else:
        said(f"{done.name} was started (attempt {done.number})")
    said(f"next: hbspec status {done.name}")


COMMAND = Command(
    "submit",
    "Check and compile a spec, show what its job costs, ask, and start it at SageMaker.",
    run,
    (
        Parameter("spec", "The file of the spec to submit.", metavar="SPEC", required=True),
        Parameter(
            "output",
            "A folder that the job was compiled to, which must be of the same state; build/NAME/sagemaker by default.",
            ("--output", "-o"),
            "DIR",
            convert=Path,
        ),
        Parameter("dry_run", "Print every call that would be made, and ask AWS nothing.", ("--dry-run",), switch=True),
        Parameter("yes", "Start the job without asking.", ("--yes", "-y"), switch=True),
        format_of("text", "json"),
        SET,
        ALLOW_OUTSIDE,
        CATALOG,
        CONFIG,
        NO_CONFIG,
        POLICY,
        POLICY_DIGEST,
    ),
    "A job's name is its own: the same job is found again, and started again only if it failed or was stopped; it then "
    "continues from its checkpoints. Exit code 0: started; 1: errors, a refusal of the service, or a no; 2: misuse; "
    "3: this job was already started. Needs the extra `sagemaker`.",
)
