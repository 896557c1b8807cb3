"""Models that can be named by their Hugging Face id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hbspec.catalog.architecture import Architecture
from hbspec.catalog.rows import DATA


@dataclass(frozen=True, slots=True)
class Model:
    """One checkpoint. None is "not known".

    Attributes:
        id: `deepseek-ai/DeepSeek-R1-Distill-Qwen-32B`.
        license: the Hub's tag in lower case (`mit`, `apache-2.0`, `llama3.1`); remarks are in `note`.
        dtype: of the published weights.
        reported_parameters: what the publisher or the Hub says, which may count a vision tower or a tied head
            (`note` says so); what is computed with is counted from the architecture.
    """

    id: str
    architecture: Architecture | None
    license: str | None
    dtype: str | None
    reported_parameters: int | None
    source: str
    checked: date
    note: str = ""


def load_models() -> Mapping[str, Model]:
    """Every model of the catalog, by id."""
    entries = json.loads((DATA / "models.json").read_text(encoding="utf-8"))
    models = {}
    for entry in entries:
        architecture = Architecture.from_config(entry["config"])
        models[entry["id"]] = Model(
            id=entry["id"],
            architecture=architecture,
            license=entry["license"],
            dtype=architecture.torch_dtype,
            reported_parameters=entry["reported_parameters"],
            source=entry["source"],
            checked=date.fromisoformat(entry["checked"]),
            note=entry["note"],
        )
    return models
