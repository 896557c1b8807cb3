"""FSDP over 4-bit weights that are stored in another dtype than is computed in.

Why: FSDP shards and gathers weights of one floating dtype. 4-bit weights stored as uint8 cannot be
flattened with the others, or stay whole on every GPU: the job fails, or needs the memory of an unsharded model.

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
    """`fsdp` with `qlora` in 4 bit, storage dtype against compute dtype."""
    plan, training = analysis.plan, analysis.plan.training
    if plan.parallelism != "fsdp" or training.quantization not in ("nf4", "fp4"):
        return
    if training.quant_storage != training.compute_dtype:
        yield RULE.at(
            ROUTE,
            f"4-bit weights are stored as {training.quant_storage}, but fsdp shards them with weights in "
            f"{training.compute_dtype}",
            f"use bnb_4bit_quant_storage: {training.compute_dtype}",
            fixes=(Fix(f"store them as {training.compute_dtype}", ROUTE, training.compute_dtype),),
        )
