"""`adapters` is merged, but the training job saves adapters only.

Why: The shipped training script writes only the adapters to the model folder. An endpoint that expects a whole model
there finds no weights and never becomes healthy.

Example:

    deployment: {adapters: merged}

Instead:

    deployment: {adapters: separate}

References:

    https://docs.vllm.ai/en/latest/features/lora/
    https://huggingface.co/docs/peft/developer_guides/model_merging
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding for `deployment.adapters: merged` with the shipped script, which merges nothing."""
    deployment = analysis.spec.deployment
    method = analysis.plan.training.method
    if deployment and deployment.adapters == "merged" and method != "full" and analysis.spec.shipped:
        yield RULE.at(
            ("deployment", "adapters"),
            f"deployment.adapters is merged, but {method} training saves adapters only",
            "set deployment.adapters to separate, or merge the weights in your script",
        )
