"""The data are conversations, and the model has no chat template.

Why: A conversation becomes text by the chat template of the model's tokenizer. The tokenizers of many base models have
none. The shipped script then refuses the data, on the rented instance, after its start and its download. With
`data.chat_template` the tokenizer gets one before training, and the endpoint uses the same. A template fits a model
whose tokenizer has the markers of the turns as tokens, such as that of the family's own chat models.

Example:

    model: {id: meta-llama/Llama-3.1-8B, source: "s3://bucket/llama-3.1-8b/"}

Instead:

    model: {id: meta-llama/Llama-3.1-8B, source: "s3://bucket/llama-3.1-8b/"}
    data: {chat_template: llama3}

References:

    https://huggingface.co/docs/transformers/chat_templating
    https://github.com/OpenRLHF/OpenRLHF/issues/613
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("model", "id")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find models that are known to have no template, in jobs of the shipped script that name none."""
    spec, known = analysis.spec, analysis.catalog.untemplated
    model = spec.model.id
    conversational = spec.data.format in ("messages", "conversational") and spec.shipped
    if model is not None and model in known and conversational and spec.data.chat_template is None:
        source, template = known[model]
        yield RULE.at(
            ROUTE,
            f"data.format is {spec.data.format}, but the tokenizer of {model} has no chat template ({source})",
            f"set data.chat_template: {template}, the template of this family, or train the instruct or chat model",
            instead=(Fix("", ("data", "chat_template"), template),),
        )
