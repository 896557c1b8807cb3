"""`monitoring.gradient_norm.max` is below the norm to which gradients are clipped, or beyond any that trains.

Why: The norm is measured before clipping. Below `max_grad_norm` no gradient is even clipped, so that an alarm there
fires on gradients that nothing is wrong with, and is soon ignored. Beyond 65,504, the largest float16 number, gradients
are infinite in float16, and in bfloat16 the loss diverged long before.

Example:

    hyperparameters: {max_grad_norm: 1.0}
    monitoring: {gradient_norm: {max: 0.1}}

Instead:

    hyperparameters: {max_grad_norm: 1.0}
    monitoring: {gradient_norm: {max: 10}}

References:

    https://huggingface.co/docs/transformers/main_classes/trainer
    https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.shipped_script import DEFAULTS
from hbspec.rules.rule import Rule, plain

RULE = Rule(__name__, Severity.WARNING)
MEANT = 0.1
"""Of the script's norm. Below it an alarm fires on every fine-tuning: adapters have the smallest gradients, and QLoRA
clips theirs at 0.3."""
LARGEST = 65504.0
"""Of float16. Recipes that are published with their logs stay below a few hundred: alignment-handbook and QLoRA clip at
1.0 and 0.3, and fine-tuning from a pretrained model begins at norms below 100."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the limit with `max_grad_norm`, and with the largest float16 number.

    Where the author leaves the norm to the shipped script, an alarm down to a tenth of it is taken to be meant.
    """
    watched = analysis.spec.monitoring and analysis.spec.monitoring.gradient_norm
    if not watched:
        return
    clipped, least = analysis.spec.hyperparameters.max_grad_norm, 1.0
    if clipped is None and analysis.spec.shipped:
        clipped, least = DEFAULTS["max_grad_norm"], MEANT
    route, key = ("monitoring", "gradient_norm", "max"), f"monitoring.gradient_norm.max ({plain(watched.max)})"
    if clipped is not None and watched.max < clipped * least:
        said = f"{key} is below max_grad_norm ({plain(clipped)}): it fires on gradients that need no clipping"
        yield RULE.at(route, said, f"set monitoring.gradient_norm.max above {plain(clipped)}")
    elif watched.max > LARGEST:
        said = f"{key} is above the largest float16 number ({LARGEST:,.0f}): training diverges before it fires"
        yield RULE.at(route, said, "set monitoring.gradient_norm.max to 10, or to a few times the norms that you see")
