"""The models of the catalog, by their Hugging Face id."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from hbspec.catalog.architecture import Architecture
from hbspec.catalog.rows import DATA


class Model(NamedTuple):
    """One published model. None means "not known".

    Attributes:
        id: `deepseek-ai/DeepSeek-R1-Distill-Qwen-32B`.
        license: the Hub's tag in lower case (`mit`, `apache-2.0`, `llama3.1`); remarks are in `note`.
        dtype: dtype of the published weights.
        reported_parameters: the count stated by the publisher or the Hub, which may include a vision tower or a tied
            head (see `note`); estimates use the count from the architecture.
    """

    id: str
    architecture: Architecture | None
    license: str | None
    dtype: str | None
    reported_parameters: int | None
    source: str
    checked: date
    note: str = ""


class Models(Mapping[str, Model]):
    """All models of the catalog, by id. A check needs only one, so each architecture is read on first access."""

    def __init__(self) -> None:
        entries = json.loads((DATA / "models.json").read_text(encoding="utf-8"))
        self._entries: dict[str, dict[str, Any]] = {entry["id"]: entry for entry in entries}
        self._models: dict[str, Model] = {}

    def __getitem__(self, model_id: str) -> Model:
        if model_id not in self._models:
            self._models[model_id] = _model(self._entries[model_id])
        return self._models[model_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _model(entry: dict[str, Any]) -> Model:
    architecture = Architecture.from_config(entry["config"])
    return Model(
        id=entry["id"],
        architecture=architecture,
        license=entry["license"],
        dtype=architecture.torch_dtype,
        reported_parameters=entry["reported_parameters"],
        source=entry["source"],
        checked=date.fromisoformat(entry["checked"]),
        note=entry["note"],
    )
