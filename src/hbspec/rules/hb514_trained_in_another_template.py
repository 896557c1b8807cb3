"""The training script sets a chat template, but the endpoint uses the model's.

Why: Adapters learn with the markers that the template puts around each turn. Beside the base model the engine uses that
model's template, so no prompt looks like the training data, and stop tokens may never come. Merged weights are not
affected: their folder includes the tokenizer with its template. The shipped script trains with the model's
template, or with `data.chat_template`, which its endpoint uses too.

Example:

    script: {entry_point: finetune.py}  # has the line: tokenizer.chat_template = CHATML

Instead:

    script: null

References:

    https://huggingface.co/docs/transformers/chat_templating
    https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.source.attachments import AttachmentError, read_script

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)
ROUTE = ("script", "entry_point")
REPLACES = (
    rb"(?m)^[^#\n]*?\b"
    rb"(chat_template ?=(?!=)|chat_template_path\b|(?:get_chat_template|setup_chat_format|clone_chat_template) ?\()"
)
"""An assignment or argument, or an option or function of TRL and Unsloth that replaces the template."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where the script sets a template and its adapters are served beside the base model."""
    plan = analysis.serving_plan if analysis.spec.deployment else None
    if plan is None or plan.adapters != "separate":
        return
    found = re.search(REPLACES, _script(analysis))
    if found is None:
        return
    line, name = found.string.count(b"\n", 0, found.start(1)) + 1, found[1].decode().strip(" (=")
    model = analysis.spec.model.id
    yield RULE.at(
        ROUTE,
        f"line {line} of the script sets a chat template (`{name}`), but the endpoint uses that of {model}",
        "train with the model's template, or merge the adapters and serve them with their tokenizer",
    )


def _script(analysis: Analysis) -> bytes:
    """The bytes of the training script; empty for the shipped one, or where it cannot be read (HB611)."""
    script = analysis.spec.script
    if script is None:
        return b""
    try:
        return read_script(analysis.document, script.source_dir, script.entry_point)
    except AttachmentError:
        return b""
