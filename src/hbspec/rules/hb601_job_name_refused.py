"""The name of the job, model or endpoint is not valid in SageMaker.

Why: The name of a job, model or endpoint is letters and digits with single hyphens between them, at most 63 characters.
SageMaker rejects any other when the job is created, or when the trained model is deployed. To the name of a training
job a digest of its inputs (13 characters) and, from the second attempt on, its number (at most 4) are added, which
leaves 46.

Example:

    name: heartbeat_v2.1

Instead:

    name: heartbeat-v2-1

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
    https://github.com/aws/sagemaker-python-sdk/issues/384
    https://github.com/zenml-io/zenml/issues/1502
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.limits import MAX_TRAINING_JOB_NAME_LENGTH, TRAINING_JOB_NAME_PATTERN
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.plan.training_job import ADDED_LENGTH, LONGEST_NAME
from hbspec.rules.rule import Rule
from hbspec.showing.secrets import redact

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Findings for `sagemaker.job_name`, for `name` where something is named after it, and for the baseline."""
    spec = analysis.spec
    job_name = spec.sagemaker.job_name if spec.sagemaker else None
    trains_there = spec.instance.type is not None
    if job_name is not None:
        yield from _judge(("sagemaker", "job_name"), job_name, trains=trains_there)
    runs_there = trains_there or spec.sagemaker is not None
    if runs_there and (job_name is None or spec.deployment is not None):
        yield from _judge(("name",), spec.name, trains=trains_there and job_name is None)
    if spec.deployment is not None and spec.deployment.ab_test is not None:
        yield from _judge(("deployment", "ab_test", "baseline"), spec.deployment.ab_test.baseline, trains=False)


def _judge(route: Route, name: str, *, trains: bool) -> Iterator[Finding]:
    longest = LONGEST_NAME if trains else MAX_TRAINING_JOB_NAME_LENGTH
    long = len(name) > longest  # the pattern counts pairs of hyphens and a character
    if re.fullmatch(TRAINING_JOB_NAME_PATTERN, name) and not long:
        return
    legal = re.sub(r"[^a-zA-Z0-9]+", "-", redact(name)).strip("-")[:longest].rstrip("-")
    yield RULE.at(
        route,
        f"{name!r} {_too_long(name, trains) if long else _wrong(name)}",
        f"rename it to {legal!r}" if legal else "use a name of letters, digits and hyphens",
        fixes=(Fix(f"rename it to {legal}", route, legal),) if legal else (),
    )


def _too_long(name: str, trains: bool) -> str:
    limit = f"above the limit of {MAX_TRAINING_JOB_NAME_LENGTH}"
    if not trains:
        return f"has {len(name)} characters, {limit}"
    return (
        f"has {len(name)} characters, and {ADDED_LENGTH} are added for the digest of the training job's inputs and the "
        f"attempt number: {len(name) + ADDED_LENGTH}, {limit}"
    )


def _wrong(name: str) -> str:
    refused = sorted(set(re.findall(r"[^a-zA-Z0-9-]", name)))
    if refused:
        return f"contains {', '.join(map(repr, refused))}; only letters, digits and hyphens are allowed"
    return "begins or ends with a hyphen"
