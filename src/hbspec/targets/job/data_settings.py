"""How the shipped script is told the layout of the data, and what it holds out."""

from __future__ import annotations

import json

from hbspec.spec import Spec

DEFAULT_TYPE = "language_modeling"
OF_DATA = ("--DATA_", "--VALIDATION_SHARE")
"""Beginnings of the words that `data_arguments` gives."""


def data_arguments(spec: Spec) -> tuple[str, ...]:
    """Words of the script's command line, for what differs from its defaults: conversations, all of them trained."""
    data = spec.data
    weights = data.train.weights if data.train else None
    share = data.validation.share if data.validation else None
    given: dict[str, str | None] = {
        "--DATA_TYPE": None if data.type == DEFAULT_TYPE else data.type,
        "--DATA_FORMAT": "standard" if data.format == "standard" else None,
        "--DATA_COLUMNS": json.dumps(data.columns.model_dump(exclude_none=True)) if data.columns else None,
        "--DATA_WEIGHTS": json.dumps(weights) if weights else None,
        "--VALIDATION_SHARE": None if share is None else f"{share:.15g}",
    }
    return tuple(word for name, value in given.items() if value is not None for word in (name, value))
