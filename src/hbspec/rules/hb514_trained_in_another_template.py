"""The author's script trains in a chat template of its own, and the endpoint answers in the model's.

Why: adapters are learnt behind the words that the template puts around a turn. Beside the base model the engine takes
that one's template, so every prompt looks unlike the training, and stop words may never come. Merged weights are
another thing: their folder has the tokenizer, and the template with it. The shipped script trains in the model's own.

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
"""An assignment or an argument; options and functions of TRL and Unsloth that replace the template."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """What the script says of templates, where its adapters are served beside the base model."""
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
        f"line {line} of it sets a chat template (`{name}`), and the endpoint answers in that of {model}",
        "train in the model's own template, or merge the adapters and serve them with their tokenizer",
    )


def _script(analysis: Analysis) -> bytes:
    """The text of the author's script; nothing where there is none, or none that can be read (HB611)."""
    script = analysis.spec.script
    if script is None:
        return b""
    try:
        return read_script(analysis.document, script.source_dir, script.entry_point)
    except AttachmentError:
        return b""
