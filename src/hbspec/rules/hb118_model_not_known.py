"""The model is not in the catalog, or its shape tells nothing of its size, and no `config` describes it.

Why: Parameters, memory and time are counted tensor by tensor, from the model's shape. The shape comes from the catalog,
by the model's id, from the model's `config.json`, or from what `hbspec model add` recorded; without it nothing can be
checked. A model of another family, version or size is not suggested, since it would then be checked, and trained,
instead.

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
from hbspec.catalog.families import SUPPORTED
from hbspec.diagnostics import Finding, Fix, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("model", "id")
OWN_CONFIG = "set model.config to the model's config.json, saved beside the spec, or to what `hbspec model add` writes"


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find an id outside the catalog or the families without a config, and a model with neither."""
    model, models = analysis.spec.model, analysis.catalog.models
    if model.config is not None:
        return
    if model.id is None:
        yield RULE.at(
            ("model",), "neither model.id nor model.config is set", "set model.id to the model's Hugging Face id"
        )
    elif model.id not in models:
        from hbspec.catalog.names import nearest, short  # difflib, which no known model needs

        near = nearest(model.id, (*models.originals(), *models))
        same = near is not None and short(near) == short(model.id)
        yield RULE.at(
            ROUTE,
            f"{model.id} is not in the catalog, and model.config is not set",
            f"use {near}, if that is meant, or {OWN_CONFIG}" if near else OWN_CONFIG,
            fixes=(Fix(f"change it to {near}", ROUTE, near),) if same else (),
        )
    elif analysis.architecture is None and analysis.bounds is None:
        yield RULE.at(
            ROUTE,
            f"the catalog has the shape of {model.id}, but hbspec does not count models of type "
            f"{models[model.id].model_type} yet",
            f"set model.config to the file that `hbspec model add {model.id}` writes, or train a model of one of these "
            f"types: {', '.join(SUPPORTED)}",
        )
