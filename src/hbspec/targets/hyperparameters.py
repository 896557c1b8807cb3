"""The job's hyperparameters: the spec's names in upper case, every value a text in the author's own spelling."""

from __future__ import annotations

import json
from typing import Any

from hbspec.analysis import Analysis
from hbspec.diagnostics import Route

LAUNCHED = ("method",)
"""Keys that the launch line carries instead, beside the parallelism."""


def hyperparameters(analysis: Analysis) -> dict[str, str]:
    """Name to text, `MODEL_ID` first, then in the author's order, then what only the author's script knows."""
    spec, written = analysis.spec, analysis.document.values["hyperparameters"]
    values = {"MODEL_ID": spec.model.id or spec.model.config or ""}
    if spec.model.revision:
        values["REVISION"] = spec.model.revision
    for key, value in written.items():
        if key not in LAUNCHED and value is not None:
            values[key.upper()] = _text(analysis, ("hyperparameters", key), value)
    if spec.script:
        for key, value in spec.script.hyperparameters.items():
            values[key] = _text(analysis, ("script", "hyperparameters", key), value)
    return values


def _text(analysis: Analysis, route: Route, value: Any) -> str:
    """`1e-4` stays `1e-4`; booleans are `true` and `false` and lists are JSON, whatever their spelling in YAML."""
    if isinstance(value, (bool, list, dict)):
        return json.dumps(value)
    return analysis.document.spellings.get(route, str(value))
