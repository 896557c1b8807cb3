"""A model whose architecture is not known.

Why: parameters, memory and time are counted tensor by tensor. That takes the model's shape, from the catalog by its id
or from its own `config.json`; without it nothing can be judged.

Example:

    model: {id: deepseek-ai/DeepSeek-R1-Distil-Qwen-32B}

Instead:

    model: {id: deepseek-ai/DeepSeek-R1-Distill-Qwen-32B}

References:

    https://huggingface.co/docs/transformers/main_classes/configuration
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("model", "id")


def check(analysis: Analysis) -> Iterator[Finding]:
    """An id outside the catalog without a config, and neither of them."""
    model, models = analysis.spec.model, analysis.catalog.models
    if model.config is not None:
        return
    if model.id is None:
        yield RULE.at(("model",), "neither an id nor a config is given", "add id: with the model's Hugging Face id")
    elif model.id not in models:
        near = _nearest(model.id, list(models))
        yield RULE.at(
            ROUTE,
            f"{model.id} is not in the catalog, and no config is given",
            f"did you mean {near}?" if near else "save its config.json beside the spec and name it with config:",
            fixes=(Fix(f"change it to {near}", ROUTE, near),) if near else (),
        )


def _nearest(name: str, models: list[str]) -> str | None:
    """The same model under another owner or none, else the id that is spelled most like it."""
    same = [known for known in models if known.rpartition("/")[2].lower() == name.rpartition("/")[2].lower()]
    return next(iter(same or get_close_matches(name, models, n=1, cutoff=0.8)), None)
