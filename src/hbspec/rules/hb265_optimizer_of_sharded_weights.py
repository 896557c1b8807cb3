"""An optimizer of bitsandbytes updates weights that FSDP shards.

Why: bitsandbytes' kernels take plain tensors. FSDP2's weights and their states are distributed tensors: the first
update stops with an illegal memory access. FSDP1 splits and gathers the 8-bit states as if they were weights, which
fails in older versions. axolotl refuses the combination with FSDP2.

Example:

    instance: {parallelism: fsdp}
    hyperparameters: {optim: adamw_8bit}

Instead:

    instance: {parallelism: fsdp}
    hyperparameters: {optim: adamw_torch}

References:

    https://github.com/bitsandbytes-foundation/bitsandbytes/issues/1633
    https://github.com/bitsandbytes-foundation/bitsandbytes/issues/89
    https://github.com/hiyouga/LlamaFactory/issues/5619
    https://github.com/axolotl-ai-cloud/axolotl/blob/main/src/axolotl/utils/schemas/validation.py
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY)
ROUTE = ("hyperparameters", "optim")
KERNELS = ("adamw_8bit", "adamw_bnb_8bit", "lion_8bit", "paged_adamw_8bit", "paged_lion_8bit", "rmsprop_bnb_8bit")
"""The 8-bit optimizers that transformers takes from bitsandbytes."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find 8-bit optimizers of bitsandbytes under FSDP that shards; a script's own may be patched: a warning."""
    fsdp, optim = analysis.plan.fsdp, analysis.plan.training.optim
    if fsdp is None or optim not in KERNELS or analysis.spec.instance.sharding == "none":
        return
    certain = fsdp.version == 2 and analysis.spec.script is None
    yield RULE.at(
        ROUTE,
        f"{optim} is bitsandbytes', whose kernels do not take the weights that FSDP{fsdp.version} shards",
        "use optim: adamw_torch",
        severity=Severity.ERROR if certain else Severity.WARNING,
        fixes=(Fix("use PyTorch's AdamW", ROUTE, "adamw_torch"),),
    )
