"""`optim` names an optimizer that the training script does not support.

Why: `optim` is looked up when the trainer is built, after the weights were loaded. The shipped script supports the
optimizers of transformers that need no further package; your own script may use any of them.

Example:

    hyperparameters: {optim: adamw_8bits}

Instead:

    hyperparameters: {optim: adamw_8bit}

References:

    https://huggingface.co/docs/transformers/main_classes/trainer
    https://huggingface.co/docs/transformers/optimizers
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan.shipped_script import OPTIMIZERS
from hbspec.rules.rule import Rule
from hbspec.spelling import nearest

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "optim")

OTHERS = (
    "adamw_torch_xla", "adamw_torch_npu_fused", "adamw_anyprecision", "adamw_torch_4bit", "adamw_torch_8bit",
    "ademamix", "ademamix_8bit", "paged_ademamix_32bit", "paged_ademamix_8bit", "rmsprop_bnb", "rmsprop_bnb_8bit",
    "rmsprop_bnb_32bit", "galore_adamw", "galore_adamw_8bit", "galore_adafactor", "galore_adamw_layerwise",
    "galore_adamw_8bit_layerwise", "galore_adafactor_layerwise", "lomo", "adalomo", "grokadamw",
    "schedule_free_radam", "schedule_free_adamw", "schedule_free_sgd", "apollo_adamw", "apollo_adamw_layerwise",
    "stable_adamw",
)  # fmt: skip
"""The rest of `transformers.training_args.OptimizerNames`, 5.23.0 (a test holds both together equal to it)."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Look up `optim` among the names of the script that runs."""
    name, own = analysis.spec.hyperparameters.optim, not analysis.spec.shipped
    names = OPTIMIZERS + OTHERS if own else OPTIMIZERS
    if name is None or name in names:
        return
    near = nearest(name, names)
    yield RULE.at(
        ROUTE,
        f"{name} needs more than the shipped script provides" if name in OTHERS else f"{name} is not a known optimizer",
        f"did you mean {near}?" if near else f"use one of {', '.join(names)}",
        fixes=(Fix(f"change it to {near}", ROUTE, near),) if near and name not in OTHERS else (),
    )
