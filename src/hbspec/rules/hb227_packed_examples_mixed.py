"""Packed examples attend to one another, because the attention kernel or the model does not tell them apart.

Why: Where TRL joins packed rows, only the positions of the tokens say where an example begins. Flash attention reads
them; `sdpa` and `eager` ignore them before transformers 4.54, and before TRL 0.24 they do not get them. Every example
then sees those packed before it. TRL only warns. The language models of Qwen2-VL, Qwen2.5-VL and GLM-4V take the
positions that TRL gives for those of images, whatever the kernel.

Example:

    software: {trl: 0.19.1, transformers: 4.53.0}
    hyperparameters: {packing: true, attn_implementation: sdpa}

Instead:

    software: {trl: 0.19.1, transformers: 4.53.0}
    hyperparameters: {packing: true, attn_implementation: flash_attention_2}

References:

    https://github.com/huggingface/trl/blob/v0.19.1/trl/trainer/sft_trainer.py
    https://github.com/huggingface/transformers/blob/v4.54.0/src/transformers/masking_utils.py
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan.epochs import PACKED_MASKS, PACKED_POSITIONS
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)
ROUTE = ("hyperparameters", "attn_implementation")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find joined rows whose examples nothing keeps apart."""
    training, architecture = analysis.plan.training, analysis.plan.architecture
    if training.joined and architecture is not None and not architecture.family.packed_apart:
        yield RULE.at(
            ("hyperparameters", "packing"),
            f"{architecture.model_type} takes positions of packed examples for those of images, and mixes the examples",
            "set packing: false",
            instead=(False,),
        )
        return
    if not training.joined or training.attention == "flash_attention_2":
        return
    lacking = next((epoch for epoch in (PACKED_POSITIONS, PACKED_MASKS) if not training.has(epoch)), None)
    if lacking is not None:
        version = dict(training.software)[lacking.package]
        yield RULE.at(
            ROUTE,
            f"{training.attention} attention does not keep packed examples apart with {lacking.package} {version}, "
            f"before {'.'.join(map(str, lacking.since))}",
            "use attn_implementation: flash_attention_2",
            fixes=(Fix("use flash attention", ROUTE, "flash_attention_2"),),
        )
