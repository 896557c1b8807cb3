"""The weights are stored in 4 bits, but `method` trains on 16-bit weights.

Why: A repository that bitsandbytes quantised (`-bnb-4bit`) says so in its config.json, and transformers loads it as it
is stored, whatever the script asks for. A job that plans with 16-bit weights counts four times their memory, its speed
is not that of the job that runs, and weights in 4 bits cannot be trained themselves.

Example:

    model: {id: unsloth/Qwen2.5-7B-Instruct-bnb-4bit}
    hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}

Instead:

    model: {id: unsloth/Qwen2.5-7B-Instruct-bnb-4bit}
    hyperparameters: {method: qlora}

References:

    https://huggingface.co/docs/transformers/quantization/bitsandbytes
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "method")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find 16-bit training of weights that bitsandbytes has stored in 4 bits."""
    model = analysis.catalog.models.get(analysis.spec.model.id or "")
    if model is None or model.stored != "bnb-4bit" or analysis.spec.model.config is not None:
        return
    if analysis.plan.training.quantization is None:
        from hbspec.catalog.names import unquantised  # difflib, which no other check needs

        base = unquantised(model.id, analysis.catalog.models)
        yield RULE.at(
            ROUTE,
            f"the weights of {model.id} are stored in 4 bits, but method is {analysis.spec.hyperparameters.method}",
            f"set method: qlora, or train {base or 'the model that was quantised'}",
        )
