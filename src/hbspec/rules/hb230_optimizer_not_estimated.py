"""`optim` names an optimizer whose memory hbspec does not estimate.

Why: LOMO, AdaLomo and the optimizers whose names end in `_layerwise` update each layer in the backward pass, so that
gradients never exist all at once; GaLore and APOLLO keep projected states; others come with packages that hbspec does
not read. Their memory, time and cost are not printed, rather than those of another optimizer.

Example:

    deployment: null
    script: {entry_point: finetune.py}
    hyperparameters: {optim: adalomo}

Instead:

    deployment: null
    script: {entry_point: finetune.py}
    hyperparameters: {optim: adafactor}

References:

    https://huggingface.co/docs/transformers/optimizers
    https://github.com/OpenLMLab/LOMO
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.estimators.step.optimizer import OPTIMIZERS
from hbspec.rules.hb214_optimizer_not_known import OTHERS
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)
ROUTE = ("hyperparameters", "optim")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find a known optimizer without an estimate in a script of the author's; HB214 refuses it in the shipped one."""
    name = analysis.spec.hyperparameters.optim
    if analysis.spec.shipped or name is None or name in OPTIMIZERS or name not in OTHERS:
        return
    in_backward = name.endswith(("lomo", "_layerwise"))
    reason = "updates layers in the backward pass, which" if in_backward else "keeps states that"
    yield RULE.at(
        ROUTE,
        f"{name} {reason} hbspec does not estimate: memory, time and cost are not known",
        f"use one of {', '.join(list(OPTIMIZERS)[:4])} … to have them estimated",
    )
