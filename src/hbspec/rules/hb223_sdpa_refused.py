"""transformers rejects `sdpa` attention for this model.

Why: Gemma 2 caps its attention scores and gpt-oss adds a learned score to each row, which PyTorch's kernel does not
support. transformers 5 stops while the model is built, after the weights were downloaded. If `attn_implementation` is
not set, the job is compiled with `eager`.

Example:

    model: {id: unsloth/gemma-2-9b}
    hyperparameters: {attn_implementation: sdpa}

Instead:

    model: {id: unsloth/gemma-2-9b}

References:

    https://github.com/huggingface/transformers/blob/v5.23.0/src/transformers/integrations/sdpa_attention.py
    https://huggingface.co/docs/transformers/model_doc/gemma2
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.plan.defaults import refuses_sdpa
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "attn_implementation")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `sdpa` where transformers rejects it; without `attn_implementation` the plan uses one that works."""
    if analysis.spec.hyperparameters.attn_implementation != "sdpa":
        return
    architecture = analysis.plan.require("architecture")
    transformers = dict(analysis.plan.training.software)["transformers"]
    if refuses_sdpa(architecture, transformers):
        yield RULE.at(
            ROUTE,
            f"transformers {transformers} rejects sdpa for {architecture.model_type}",
            "use attn_implementation: eager",
            fixes=(Fix("use eager attention", ROUTE, "eager"),),
        )
