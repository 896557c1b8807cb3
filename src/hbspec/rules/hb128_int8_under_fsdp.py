"""FSDP is used with int8 weights.

Why: The scales of bitsandbytes' int8 weights are attributes of the weight. FSDP2 replaces the weight by its shard and
loses them, so that the first forward pass fails ("'Parameter' object has no attribute 'CB'"); FSDP1 refuses integer
weights ("Cannot flatten integer dtype tensors").

Example:

    instance: {parallelism: fsdp}
    hyperparameters: {bnb_quant_type: int8, bnb_double_quant: null}

Instead:

    instance: {parallelism: fsdp}

References:

    https://github.com/bitsandbytes-foundation/bitsandbytes/blob/0.50.2/bitsandbytes/nn/modules.py
    https://github.com/pytorch/pytorch/blob/v2.13.0/torch/distributed/fsdp/_flat_param.py
    https://huggingface.co/docs/bitsandbytes/main/en/fsdp_qlora
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find int8 weights that FSDP would shard."""
    if analysis.plan.fsdp is not None and analysis.plan.training.quantization == "int8":
        yield RULE.at(
            ("hyperparameters", "bnb_quant_type"),
            "bnb_quant_type is int8, but fsdp cannot shard int8 weights",
            "use bnb_quant_type: nf4",
            instead=("nf4",),
        )
