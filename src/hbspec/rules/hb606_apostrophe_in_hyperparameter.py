"""A hyperparameter of your script contains an apostrophe.

Why: The SageMaker Python SDK 3 puts all hyperparameters between single quotes in a shell script; an apostrophe ends the
quotes, and the job fails before training begins.

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
    """Findings for `script.hyperparameters`; no other hyperparameter can contain an apostrophe."""
    script = analysis.spec.script
    for name, value in script.hyperparameters.items() if script else ():
        if isinstance(value, str) and "'" in value:
            yield RULE.at(
                ("script", "hyperparameters", name),
                f"{name} contains an apostrophe, which ends the quotes in the SDK's launch script",
                "remove the apostrophe",
            )
