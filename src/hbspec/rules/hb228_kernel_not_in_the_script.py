"""The shipped training script does not have the loss or the attention kernel.

Why: A loss that writes its gradient over the logits comes with a package that replaces transformers' own
(liger-kernel, fms-acceleration), and `flash_attention_3` and the kernels of the Hub with packages that the shipped
script does not install. The job would run another kernel than the one that was estimated, or stop when it loads the
model.

Example:

    hyperparameters: {loss: in_place}

Instead:

    hyperparameters: {loss: standard}

References:

    https://github.com/linkedin/Liger-Kernel
    https://huggingface.co/docs/transformers/attention_interface
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan.shipped_script import ATTENTION, LOSSES
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)

WITHIN = {"loss": (LOSSES, "fused"), "attn_implementation": (ATTENTION, "sdpa")}
"""What the script has, and what it takes by itself."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Look up both keys among the script's own values; another script may have any kernel."""
    if not analysis.spec.shipped:
        return
    for key, (names, usual) in WITHIN.items():
        chosen = getattr(analysis.spec.hyperparameters, key)
        if chosen is not None and chosen not in names:
            route = ("hyperparameters", key)
            yield RULE.at(
                route,
                f"{key} is {chosen}, but the shipped script supports only {', '.join(names)}",
                f"use {key}: {usual}, or set script to your script that supports it",
                fixes=(Fix(f"change it to {usual}", route, usual),),
            )
