"""An 8-bit optimizer of bitsandbytes updates weights that FSDP2 shards.

Why: bitsandbytes' kernels take plain tensors. FSDP2's weights and their states are distributed tensors: the first
update stops with an illegal memory access. axolotl refuses the combination. FSDP1 hands out plain slices, on which the
kernels run.

Example:

    instance: {parallelism: fsdp}
    hyperparameters: {optim: adamw_8bit}

Instead:

    instance: {parallelism: fsdp}
    hyperparameters: {optim: adamw_torch}

References:

    https://github.com/bitsandbytes-foundation/bitsandbytes/issues/1633
    https://github.com/axolotl-ai-cloud/axolotl/blob/main/src/axolotl/utils/schemas/validation.py
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY)
ROUTE = ("hyperparameters", "optim")
FSDP2 = 2
KERNELS = ("adamw_8bit", "adamw_bnb_8bit", "lion_8bit", "paged_adamw_8bit", "paged_lion_8bit", "rmsprop_bnb_8bit")
"""The 8-bit optimizers that transformers takes from bitsandbytes."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find 8-bit optimizers of bitsandbytes under FSDP2 that shards; a script that says FSDP2 may patch them."""
    fsdp, optim = analysis.plan.fsdp, analysis.plan.training.optim
    shipped = analysis.spec.shipped
    if fsdp is None or fsdp.version != FSDP2 or not (shipped or analysis.spec.instance.fsdp_version):
        return
    if optim not in KERNELS or analysis.spec.instance.sharding == "none":
        return
    yield RULE.at(
        ROUTE,
        f"{optim} is bitsandbytes', whose kernels do not take the weights that FSDP2 shards",
        "use optim: adamw_torch",
        severity=Severity.ERROR if shipped else Severity.WARNING,
        fixes=(Fix("use PyTorch's AdamW", ROUTE, "adamw_torch"),),
    )
