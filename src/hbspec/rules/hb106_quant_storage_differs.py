"""FSDP is used with 4-bit weights whose storage dtype is not the compute dtype.

Why: FSDP shards and gathers weights of a single floating-point dtype, and casts others, which destroys packed ones.
Weights stored as uint8 are refused by FSDP1 ("Cannot flatten integer dtype tensors"); accelerate 1.14 leaves them out
of FSDP2's sharding, with a warning: they stay whole on every GPU through all of training. The shipped script refuses
them.

Example:

    instance: {parallelism: fsdp}
    hyperparameters: {bnb_4bit_quant_storage: uint8}

Instead:

    instance: {parallelism: fsdp}

References:

    https://huggingface.co/docs/bitsandbytes/main/en/fsdp_qlora
    https://github.com/axolotl-ai-cloud/axolotl/issues/1494
    https://github.com/huggingface/peft/issues/1432
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "bnb_4bit_quant_storage")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare storage dtype and compute dtype of 4-bit weights under `fsdp`."""
    plan, training = analysis.plan, analysis.plan.training
    if not plan.way.shards_four_bits or training.quantization not in ("nf4", "fp4"):
        return
    if training.quant_storage != training.compute_dtype:
        whole = plan.fsdp is not None and plan.fsdp.leaves_whole
        yield RULE.at(
            ROUTE,
            f"bnb_4bit_quant_storage is {training.quant_storage}, but {plan.parallelism} shards "
            + (
                "only floating-point weights: 4-bit weights stay whole on every GPU"
                if whole
                else f"4-bit weights together with {training.compute_dtype} weights"
            ),
            f"use bnb_4bit_quant_storage: {training.compute_dtype}",
            severity=Severity.WARNING if whole and not analysis.spec.shipped else Severity.ERROR,
            fixes=(Fix(f"store them as {training.compute_dtype}", ROUTE, training.compute_dtype),),
        )
