"""`hbspec policy test`: a policy against specs and requests of which it is known what they break."""

from __future__ import annotations

import sys
from pathlib import Path

from hbspec.cli.command import Command, Parameter
from hbspec.cli.exit_codes import ERRORS, OK
from hbspec.cli.options import CATALOG, format_of


def run(policy: Path, cases: Path, format: str, catalog: Path | None) -> int:  # noqa: A002 - the option's name
    """Judge every case, print what became of it, and return the exit code."""
    from hbspec.api import check
    from hbspec.policy import read_policy
    from hbspec.policy.cases import judged_case, read_cases

    allowed = read_policy(policy)
    judged = [
        judged_case(case, check(case.file, overrides=case.overrides, prices=catalog, policy=allowed))
        for case in read_cases(cases)
    ]
    if format == "json":
        from hbspec.render.plain_json import json_text

        told = {"format_version": 1, "digest": allowed.digest, "cases": [case.to_dict() for case in judged]}
        sys.stdout.write(json_text(told))
    else:
        from hbspec.render.paint import columns, write
        from hbspec.render.policy_cases import case_lines

        write(case_lines(judged, columns()), sys.stdout)
    return OK if all(case.ok for case in judged) else ERRORS


COMMAND = Command(
    "policy test",
    "Test a policy with specs and requests of which it is known what they break.",
    run,
    (
        Parameter("policy", "The policy.", metavar="POLICY", convert=Path, required=True),
        Parameter("cases", "A YAML file of cases.", metavar="CASES", convert=Path, required=True),
        format_of("text", "json"),
        CATALOG,
    ),
    "A case names a file and the lines that it breaks, by key or code; it fails if others are broken, or one is not. "
    "Exit code 0: every case holds; 1: one fails; 2: the policy or the cases cannot be used.",
)
