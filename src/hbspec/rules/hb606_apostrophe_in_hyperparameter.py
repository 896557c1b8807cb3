"""An apostrophe in a hyperparameter of the author's own script.

Why: jobs that the SageMaker Python SDK 3 launches put all hyperparameters between single quotes in a shell script; one
apostrophe ends the quotes, and the job dies before training begins.

Example:

    script: {entry_point: base.yaml, hyperparameters: {run_name: "sage's run"}}

Instead:

    script: {entry_point: base.yaml, hyperparameters: {run_name: "run of sage"}}

References:

    https://github.com/aws/sagemaker-python-sdk
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """`script.hyperparameters`; no other hyperparameter can hold one."""
    script = analysis.spec.script
    for name, value in script.hyperparameters.items() if script else ():
        if isinstance(value, str) and "'" in value:
            yield RULE.at(
                ("script", "hyperparameters", name),
                f"{name} has an apostrophe, which ends the quotes in the SDK's launch script",
                "write it without the apostrophe",
            )
