"""A way of sharding that the shipped training script does not do.

Why: the shipped script shards fully (FSDP) or as DeepSpeed's stages do, without offload and tensor parallelism. What
is estimated would not be what is run, and the job could run out of memory where the estimate says that it fits.

Example:

    instance: {parallelism: fsdp, offload: all}
    hyperparameters: {bnb_4bit_quant_storage: bfloat16}

Instead:

    instance: {parallelism: fsdp}
    hyperparameters: {bnb_4bit_quant_storage: bfloat16}

References:

    https://huggingface.co/docs/transformers/fsdp
    https://huggingface.co/docs/transformers/deepspeed
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.build import ONE_PROCESS
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)

DONE: dict[str, str | int] = {"sharding": "full", "offload": "none", "tensor_parallel": 1}
"""What the shipped script does, by key of `instance`."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """What is planned for several processes of the shipped script; what has no effect there is HB213's."""
    if analysis.spec.script is not None or analysis.plan.parallelism in ONE_PROCESS:
        return
    for key, usual in DONE.items():
        planned = getattr(analysis.plan, key)
        if planned not in (None, usual):
            yield RULE.at(
                ("instance", key),
                f"{key} is {getattr(analysis.spec.instance, key)}, and the shipped script does {usual} only",
                "delete it, or name a script of your own that does it",
                instead=(None,),
            )
