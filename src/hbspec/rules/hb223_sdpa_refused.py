"""`sdpa` attention for a model that transformers refuses it for.

Why: Gemma 2 caps its attention scores and gpt-oss adds a learned score to each row, which PyTorch's kernel cannot do.
transformers 5 stops when the model is built, after the weights were downloaded. `sdpa` is also what the shipped script
asks for where the spec says nothing.

Example:

    model: {id: google/gemma-2-9b}

Instead:

    model: {id: google/gemma-2-9b}
    hyperparameters: {attn_implementation: eager}

References:

    https://github.com/huggingface/transformers/blob/v5.23.0/src/transformers/integrations/sdpa_attention.py
    https://huggingface.co/docs/transformers/model_doc/gemma2
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity, known
from hbspec.estimators.weights import version
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "attn_implementation")
REFUSED = ("gemma2", "gpt_oss")
"""Model types without `_supports_sdpa` (transformers 5.23.0)."""
SINCE = (5, 0)


def check(analysis: Analysis) -> Iterator[Finding]:
    """`attn_implementation`, given or assumed."""
    training = analysis.plan.training
    if training.attention != "sdpa" or version(training, "transformers") < SINCE:
        return
    architecture = known(analysis.architecture, "the model's architecture")
    if architecture.model_type in REFUSED:
        yield RULE.at(
            ROUTE,
            f"transformers {dict(training.software)['transformers']} refuses sdpa for {architecture.model_type}",
            "use attn_implementation: eager",
            fixes=(Fix("use eager attention", ROUTE, "eager"),),
        )
