"""FSDP is used with 4-bit weights whose storage dtype is not the compute dtype.

Why: FSDP shards and gathers weights of a single floating-point dtype. 4-bit weights stored as uint8 cannot be flattened
with the others, or stay whole on every GPU: the job fails, or needs the memory of an unsharded model.

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
    if plan.parallelism != "fsdp" or training.quantization not in ("nf4", "fp4"):
        return
    if training.quant_storage != training.compute_dtype:
        yield RULE.at(
            ROUTE,
            f"bnb_4bit_quant_storage is {training.quant_storage}, but fsdp shards 4-bit weights together with "
            f"{training.compute_dtype} weights",
            f"use bnb_4bit_quant_storage: {training.compute_dtype}",
            fixes=(Fix(f"store them as {training.compute_dtype}", ROUTE, training.compute_dtype),),
        )
