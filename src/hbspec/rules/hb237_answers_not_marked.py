"""TRL is asked for the loss on answers alone, and cannot find them in the chat template.

Why: With `assistant_only_loss`, TRL masks what the template does not put between `{% generation %}` and
`{% endgeneration %}`. A template without these tags is replaced by one that has them if TRL knows it, which is decided
by its exact text; for any other, TRL ends the job with a ValueError. The shipped script does not need the tags.

Example:

    script:
      entry_point: finetune.py
      hyperparameters: {assistant_only_loss: true, chat_template_path: unmarked.jinja}
    deployment: null

Instead:

    script:
      entry_point: finetune.py
      hyperparameters: {assistant_only_loss: true, chat_template_path: marked.jinja}
    deployment: null

References:

    https://huggingface.co/docs/trl/v1.16.0/en/chat_templates
    https://huggingface.co/docs/trl/v1.16.0/en/sft_trainer#train-on-assistant-messages-only
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.epochs import release
from hbspec.rules.rule import Rule
from hbspec.source.attachments import AttachmentError, read_script
from hbspec.spec.sections import Script

RULE = Rule(__name__, Severity.ERROR)

RELEASE = (1, 16)
"""The release of TRL whose templates are in the catalog. What others replace is not known."""

TAG = re.compile(r"\{%-?\s*generation\s*-?%\}")
"""`trl.chat_template_utils.has_generation_markers` (1.16)."""

FILES = (".jinja", ".j2")
"""Names by which `SFTTrainer` (1.16) takes `chat_template_path` for a file, and not for a model."""

DIGITS = 16


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find a file that an own script hands to TRL as its template, and that TRL neither understands nor replaces."""
    script, software = analysis.spec.script, dict(analysis.plan.training.software)
    trainer = analysis.spec.software.trainer or "trl"  # which alone has the option
    if script is None or trainer != "trl" or release(software["trl"]) != RELEASE:
        return
    key, path = _named(script, "chat_template_path")
    if path.endswith(FILES) and _named(script, "assistant_only_loss")[1].lower() == "true":
        text, known = _text(analysis, script, path), analysis.catalog.trl_training_templates
        if text is not None and not TAG.search(text) and sha256(text.encode()).hexdigest()[:DIGITS] not in known:
            yield RULE.at(
                ("script", "hyperparameters", key),
                f"assistant_only_loss is true, but {path} has no {{% generation %}} and is not one of the {len(known)} "
                f"templates to which TRL {RELEASE[0]}.{RELEASE[1]} adds it",
                f"put the assistant's words in {path} between {{% generation %}} and {{% endgeneration %}}",
            )


def _named(script: Script, name: str) -> tuple[str, str]:
    """A hyperparameter by its name in any case: its key as written, and its value as a text; empty without one."""
    return next(((key, str(value)) for key, value in script.hyperparameters.items() if key.lower() == name), ("", ""))


def _text(analysis: Analysis, script: Script, path: str) -> str | None:
    """The template as TRL reads it, with line feeds alone; None where it cannot be read."""
    try:
        return read_script(analysis.document, script.source_dir, path).decode().replace("\r\n", "\n")
    except (AttachmentError, UnicodeDecodeError):
        return None
