"""`sagemaker.role` is not the ARN of an IAM role, or is in another AWS partition than the region.

Why: SageMaker rejects such a role when the job is created. A bare role name works only in notebooks, where the SDK
looks it up.

Example:

    sagemaker: {role: ExecutionRole}

Instead:

    sagemaker: {role: "arn:aws:iam::111122223333:role/ExecutionRole"}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.limits import ROLE_ARN_PATTERN
from hbspec.catalog.partitions import partition
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where `sagemaker.role` does not match the pattern of a role's ARN, or the region's partition."""
    role = analysis.spec.sagemaker.role if analysis.spec.sagemaker else None
    if role is None:
        return
    route, region = ("sagemaker", "role"), analysis.spec.instance.region
    if not re.fullmatch(ROLE_ARN_PATTERN, role):
        yield RULE.at(
            route,
            f"{role!r} is not the ARN of an IAM role",
            "write it as arn:aws:iam::ACCOUNT:role/NAME, with the account's 12 digits",
        )
        return
    named, home = role.split(":")[1], partition(region) if region else None
    if home is not None and named != home.name:
        yield RULE.at(
            route,
            f"the role is in partition {named}, but the region {region} is in {home.name}",
            f"use a role in {home.name}",
        )
