"""A model whose architecture is not known.

Why: parameters, memory and time are counted tensor by tensor. That takes the model's shape, from the catalog by its id
or from its own `config.json`; without it nothing can be judged. A model of another family, version or size is not
suggested, since it would be judged, and trained, in its place.

Example:

    model: {id: deepseek-ai/DeepSeek-R1-Distil-Qwen-32B}

Instead:

    model: {id: deepseek-ai/DeepSeek-R1-Distill-Qwen-32B}

References:

    https://huggingface.co/docs/transformers/main_classes/configuration
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("model", "id")
OWN_CONFIG = "give model.config: the model's config.json, saved beside the spec"


def check(analysis: Analysis) -> Iterator[Finding]:
    """An id outside the catalog without a config, and neither of them."""
    model, models = analysis.spec.model, analysis.catalog.models
    if model.config is not None:
        return
    if model.id is None:
        yield RULE.at(("model",), "neither an id nor a config is given", "add id: with the model's Hugging Face id")
    elif model.id not in models:
        from hbspec.catalog.names import nearest, short  # difflib, which no known model needs

        near = nearest(model.id, models)
        same = near is not None and short(near) == short(model.id)
        yield RULE.at(
            ROUTE,
            f"{model.id} is not in the catalog, and no config is given",
            f"closest known: {near}; or {OWN_CONFIG}" if near else OWN_CONFIG,
            fixes=(Fix(f"change it to {near}", ROUTE, near),) if same else (),
        )
