"""`model.revision` or `model.adapter_revision` names a branch, which pins nothing.

Why: A branch leads to another commit after the next upload. The job loads what the branch leads to when it starts, and
an endpoint with separate adapters what it leads to when it is created, so that adapters may be served on weights that
they were not trained on. `main` is also what is loaded without the key.

Example:

    model: {id: Qwen/Qwen2.5-7B, revision: main}

Instead:

    model: {id: Qwen/Qwen2.5-7B, revision: d149729398750b98c0af14eb82c78cfe92750796}

References:

    https://huggingface.co/docs/huggingface_hub/guides/download
    https://huggingface.co/docs/transformers/main_classes/model#transformers.PreTrainedModel.from_pretrained.revision
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING)

DEFAULT = "main"
"""The default branch of every repository on the Hub (huggingface_hub, `constants.DEFAULT_REVISION`)."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find revisions that are surely branches: the default one, and references other than tags, such as `refs/pr/1`."""
    model = analysis.spec.model
    yield from _moving("revision", model.revision, model.id or "the model", "the weights")
    yield from _moving("adapter_revision", model.adapter_revision, model.adapter or "the adapters", "the adapters")


def _moving(key: str, written: str | None, repository: str, what: str) -> Iterator[Finding]:
    if written is None:
        return
    branch = written.removeprefix("refs/heads/")
    if branch != DEFAULT and (not written.startswith("refs/") or written.startswith("refs/tags/")):
        return
    route = ("model", key)
    yield RULE.at(
        route,
        f"model.{key} {written} is a branch of {repository}, not a commit or a tag, and pins nothing",
        f"set model.{key} to the commit of {what}, or delete it",
        fixes=(Fix("delete it", route, safe=True),) if branch == DEFAULT else (),
    )
