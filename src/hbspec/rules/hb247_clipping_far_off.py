"""`max_grad_norm` clips every gradient to almost nothing, or never clips.

Why: Gradients whose norm exceeds `max_grad_norm` are scaled down to it. Below a millionth their elements come near
Adam's epsilon of 1e-8, and the updates vanish; a limit of 1000 lets through the spikes against which it is set. Recipes
use 0.3 (QLoRA), 0.5 (ms-swift) and 1.0, the default.

Example:

    hyperparameters: {max_grad_norm: 1.0e-6}

Instead:

    hyperparameters: {max_grad_norm: 0.3}

References:

    https://arxiv.org/abs/2305.14314
    https://huggingface.co/docs/transformers/main_classes/trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule, plain

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)
LEAST, MOST = 0.01, 100
"""A thirtieth of QLoRA's limit, and a hundred times the default."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `max_grad_norm` with both limits."""
    norm = analysis.spec.hyperparameters.max_grad_norm
    if norm is None or LEAST <= norm <= MOST:
        return
    off = f"below {LEAST}: every update is scaled down" if norm < LEAST else f"above {MOST}: nothing is clipped"
    yield RULE.at(
        ("hyperparameters", "max_grad_norm"),
        f"max_grad_norm is {plain(norm)}, {off}",
        "use max_grad_norm: 1.0",
        instead=(None,),
    )
