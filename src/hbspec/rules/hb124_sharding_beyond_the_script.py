"""The shipped training script does not support this sharding, offload or tensor parallelism.

Why: The shipped script shards fully (FSDP) or in DeepSpeed's stages, without tensor parallelism,
and it offloads only as `instance.deepspeed` says.
The estimate would describe another job than the one that runs, and the job could run out of memory although the
estimate fits.

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
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)

DONE: dict[str, str | int] = {"sharding": "full", "offload": "none", "tensor_parallel": 1}
"""The only supported value, by key of `instance`."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find unsupported settings of a job with several processes; HB213 judges settings without effect."""
    if not analysis.spec.shipped or not analysis.plan.way.distributed:
        return
    for key, usual in DONE.items():
        if key == "offload" and analysis.deepspeed_json is not None:
            continue  # the JSON does it
        planned = getattr(analysis.plan, key)
        if planned not in (None, usual):
            yield RULE.at(
                ("instance", key),
                f"{key} is {getattr(analysis.spec.instance, key)}, but the shipped script supports only {usual}",
                f"delete instance.{key}, or set script to your script that supports it",
                instead=(None,),
            )
