"""The id of a subnet or a security group is not one, or the two are swapped.

Why: A subnet's id is `subnet-` and a security group's `sg-`, each followed by 17 characters, or 8 of those made before
2016. A name, the id of the VPC, or one list in the place of the other is rejected when the job is created.

Example:

    sagemaker: {vpc: {subnets: [sg-0a1b2c3d4e5f60718], security_groups: [subnet-0a1b2c3d4e5f60718]}}

Instead:

    sagemaker: {vpc: {subnets: [subnet-0a1b2c3d4e5f60718], security_groups: [sg-0a1b2c3d4e5f60718]}}

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VpcConfig.html
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.rules.rule import Rule
from hbspec.spec.account import Vpc

RULE = Rule(__name__, Severity.ERROR)
PREFIXES = {"subnets": "subnet", "security_groups": "sg"}
ROUTE: Route = ("sagemaker", "vpc")
REST = "-(?:[0-9a-z]{8}|[0-9a-z]{17})"


def check(analysis: Analysis) -> Iterator[Finding]:
    """One finding where the lists are swapped, else one for each id."""
    vpc = analysis.spec.sagemaker.vpc if analysis.spec.sagemaker else None
    if vpc is None:
        return
    if _all(vpc.subnets, "sg") and _all(vpc.security_groups, "subnet"):
        said = f"subnets holds {vpc.subnets[0]}, and security_groups holds {vpc.security_groups[0]}"
        yield RULE.at(ROUTE, said, "swap subnets and security_groups")
        return
    yield from _each(vpc)


def _each(vpc: Vpc) -> Iterator[Finding]:
    for key, prefix in PREFIXES.items():
        for index, name in enumerate(getattr(vpc, key)):
            if not re.fullmatch(prefix + REST, name):
                yield RULE.at(
                    (*ROUTE, key, index),
                    f"{name!r} is not the id of a {'subnet' if prefix == 'subnet' else 'security group'}: "
                    f"it is {prefix}- and 8 or 17 lower-case letters and digits",
                    f"copy the id that begins with {prefix}-",
                )


def _all(names: tuple[str, ...], prefix: str) -> bool:
    return all(name.startswith(f"{prefix}-") for name in names)
