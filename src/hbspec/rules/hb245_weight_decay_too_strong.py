"""`weight_decay` is far above what models are trained with.

Why: Each update shrinks the trained weights by the learning rate times `weight_decay`: too strong a decay pulls the
adapters towards zero, or the model away from what it has learned. Recipes use 0 to 0.1. Lion's rates are a third to a
tenth of AdamW's, and its decay three to ten times as strong.

Example:

    hyperparameters: {weight_decay: 1.0}

Instead:

    hyperparameters: {weight_decay: 0.1}

References:

    https://arxiv.org/abs/1711.05101
    https://arxiv.org/abs/2302.06675
    https://huggingface.co/docs/transformers/main_classes/trainer
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule, plain

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)
MOST = 0.3
"""Three times the 0.1 of pre-training and of many fine-tuning recipes."""
LION = 10
"""How much stronger it may be with Lion (arXiv 2302.06675, section 5)."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare `weight_decay` with the limit."""
    decay = analysis.spec.hyperparameters.weight_decay
    if decay is None:
        return
    optim = analysis.plan.training.optim
    most = MOST * LION if "lion" in optim else MOST
    if decay > most:
        yield RULE.at(
            ("hyperparameters", "weight_decay"),
            f"weight_decay is {plain(decay)}, above {plain(most)}, with {optim}",
            "use weight_decay: 0.01",
            instead=(None,),
        )
