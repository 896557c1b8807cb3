"""QLoRA quantises none of the linear modules of this architecture.

Why: Falcon's linear modules are a class of their own, derived from `nn.Linear`. Since version 5.5, transformers hands
to bitsandbytes only modules whose class is `nn.Linear` itself, so that the model is loaded in 16 bits without an error.
The job trains, but needs as much memory as LoRA.

Example:

    model: {id: tiiuae/falcon-7b}
    deployment: null

Instead:

    model: {id: tiiuae/falcon-7b}
    hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}
    deployment: null

References:

    https://github.com/huggingface/transformers/blob/v5.5.0/src/transformers/integrations/bitsandbytes.py
    https://github.com/huggingface/transformers/blob/v5.5.0/src/transformers/models/falcon/modeling_falcon.py
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.catalog.dtypes import BYTES
from hbspec.catalog.parameters import weights
from hbspec.diagnostics import Finding, Severity
from hbspec.estimators.weights import quantized_bytes
from hbspec.plan.epochs import EXACT_LINEAR
from hbspec.rules.rule import Rule
from hbspec.units import bytes_text

RULE = Rule(__name__, Severity.WARNING)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find quantised training of an architecture whose linear modules bitsandbytes does not get."""
    training = analysis.plan.training
    if training.quantization is None or not training.has(EXACT_LINEAR):
        return
    kept = [weight for weight in weights(analysis.plan.require("architecture")) if weight.kind == "own_linear"]
    if not kept:
        return
    held = BYTES[training.weights_dtype] * sum(weight.parameters for weight in kept)
    asked = sum(sum(quantized_bytes(weight, training.quantization, training.double_quant)) for weight in kept)
    version = dict(training.software)["transformers"].strip("=<>~! v")
    yield RULE.at(
        ("hyperparameters", "method"),
        f"qlora quantises none of the linear modules of {analysis.plan.model} (transformers {version}): they take "
        f"{bytes_text(held)} in {training.weights_dtype}, not {bytes_text(asked)} in {training.quantization}",
        "use method: lora, which does not need more memory",
        instead=("lora",),
    )
