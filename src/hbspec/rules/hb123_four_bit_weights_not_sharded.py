"""ZeRO-3 does not shard quantised weights.

Why: ZeRO-3 shards parameters while they are loaded, but bitsandbytes quantises each tensor whole: every GPU ends up
with a full copy. The memory that stage 3 promises is not saved, and the shipped script rejects the combination.

Example:

    instance: {parallelism: zero3}

Instead:

    instance: {parallelism: zero2}

References:

    https://github.com/huggingface/peft/issues/2016
    https://github.com/deepspeedai/DeepSpeed/issues/5637
    https://github.com/huggingface/transformers/issues/24395
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `zero3` with quantised weights."""
    quantization = analysis.plan.training.quantization
    if analysis.plan.parallelism == "zero3" and quantization:
        yield RULE.at(
            ("instance", "parallelism"),
            f"parallelism: zero3 does not shard {quantization} weights: every GPU holds a full copy",
            "use parallelism: fsdp, with bnb_4bit_quant_storage set to the compute dtype",
        )
