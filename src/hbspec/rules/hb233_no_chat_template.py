"""The data are conversations, and the model has no chat template.

Why: A conversation becomes text by the chat template of the model's tokenizer. The tokenizers of many base models have
none. The shipped script then refuses the data, on the rented instance, after its start and its download.

Example:

    model: {id: meta-llama/Llama-3.1-8B}
    sagemaker: {environment: {HF_HOME: /opt/ml/input/data/hub}}

Instead:

    model: {id: meta-llama/Llama-3.1-8B-Instruct}
    sagemaker: {environment: {HF_HOME: /opt/ml/input/data/hub}}

References:

    https://huggingface.co/docs/transformers/chat_templating
    https://github.com/OpenRLHF/OpenRLHF/issues/613
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("model", "id")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find models that are known to have no template, in jobs of the shipped script; another may set one."""
    model, known = analysis.spec.model.id, analysis.catalog.untemplated
    if model is not None and model in known and analysis.spec.script is None:
        yield RULE.at(
            ROUTE,
            f"data.format is messages, but the tokenizer of {model} has no chat template ({known[model]})",
            "train the instruct or chat model, or a folder with these weights and a tokenizer that has a template",
        )
