"""The job's hyperparameters: the spec's names in upper case, every value a text in the author's own spelling."""

from __future__ import annotations

import json
from typing import Any

from hbspec.analysis import Analysis
from hbspec.diagnostics import Route
from hbspec.targets.lowering.needs import Needs

WEIGHTS = "add model.id: the weights' Hugging Face id, or their folder; model.config is their shape alone"
LAUNCHED = ("method",)
"""Keys that the launch line carries instead, beside the parallelism."""


def hyperparameters(analysis: Analysis) -> dict[str, str]:
    """Name to text: `MODEL_ID`, the author's in their order, and an own script's or the defaults that only work so.

    `MODEL_ID` is missing where the spec names no weights: `require_weights` says when that will not do.
    """
    spec, written = analysis.spec, analysis.document.values["hyperparameters"]
    values = {"MODEL_ID": spec.model.id} if spec.model.id else {}
    if spec.model.revision:
        values["REVISION"] = spec.model.revision
    for key, value in written.items():
        if key not in LAUNCHED and value is not None:
            values[key.upper()] = _text(analysis, ("hyperparameters", key), value)
    if spec.script is None:
        values |= _working_defaults(analysis)
    if spec.script:
        for key, value in spec.script.hyperparameters.items():
            values[key] = _text(analysis, ("script", "hyperparameters", key), value)
    return values


def require_weights(needs: Needs, analysis: Analysis) -> None:
    """The shipped script loads `model.id`; a `config.json` is the weights' shape. The author's own may know better."""
    if analysis.spec.script is None:
        needs.take(analysis.spec.model.id, ("model", "id"), "", WEIGHTS)


def _working_defaults(analysis: Analysis) -> dict[str, str]:
    """What the plan chose where the shipped script's own default would fail; an author's script has its own ones."""
    chosen = (entry for entry in analysis.plan.assumptions if entry.differs)
    return {str(entry.route[-1]).upper(): str(entry.value) for entry in chosen if entry.route[0] == "hyperparameters"}


def _text(analysis: Analysis, route: Route, value: Any) -> str:
    """`1e-4` stays `1e-4`; booleans are `true` and `false` and lists are JSON, whatever their spelling in YAML."""
    if isinstance(value, (bool, list, dict)):
        return json.dumps(value)
    return analysis.document.spellings.get(route, str(value))
