"""The `config.json` of a spec's model, for commands that build it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hbspec.cli.command import MisuseError


def model_config(spec: str, overrides: Sequence[str], refusal: str) -> dict[str, Any]:
    """The `config.json`: from `model.config`, or as published for a model of the catalog.

    Args:
        spec: a path, or `-`.
        overrides: strings `key.path=value`, as after `--set`.
        refusal: why the command cannot use a recorded model: "which hbspec smoke does not make small".

    Raises:
        MisuseError: the model is a recorded one, or not in the catalog.
    """
    from hbspec.catalog import catalog
    from hbspec.source import load
    from hbspec.source.attachments import read_json

    document = load(spec, overrides=overrides)
    model = document.values["model"]
    if model.get("config"):
        values = dict(read_json(document, ("model", "config"), model["config"]))
        if "hbspec_model" in values:
            raise MisuseError(f"{model['config']} is a recorded model, {refusal}")
        return values
    models = catalog().models
    if model.get("id") in models:
        return models.config(model["id"])
    raise MisuseError(f"the model {model.get('id')} is not in the catalog; set model.config to its config.json")
