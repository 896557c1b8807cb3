"""The models of the catalog, by their Hugging Face id.

A name is a row of `data/names.csv`: the shape that it has, how its weights are stored, whether it is tuned to chat, and
whether it is gated. Many names share a shape: a base model and what was tuned from it, mirrors, quantised copies. A
shape is a file below `data/models/`, the fields of the `config.json` that was read. A check needs one model, so that
only its row is searched for and only its shape is opened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple

from hbspec.catalog.architecture import Architecture
from hbspec.catalog.config_fields import ArchitectureError
from hbspec.catalog.rows import DATA, flag, parse

QUANT_METHODS = {"bnb-4bit": "bitsandbytes"}
"""What config.json calls a way of storing weights (`quantization_config.quant_method`), where that is another word."""


class CatalogModel(NamedTuple):
    """One published model. None means "not known".

    Attributes:
        id: `unsloth/Llama-3.1-8B-Instruct-bnb-4bit`.
        shape: the id whose config.json was read: `meta-llama/Llama-3.1-8B`.
        architecture: None where its family is not counted yet, see `model_type`.
        model_type: as in config.json.
        stored: how the weights are quantised: `bnb-4bit`, `gptq`, `awq`, `fp8`, …; None where they are not.
        chat: whether it was tuned to answer in turns.
        gated: whether the Hub asks for a licence to be accepted and for a token.
        license: the Hub's tag in lower case (`mit`, `apache-2.0`, `llama3.1`).
        dtype: dtype of the published weights.
        reported_parameters: the count stated by the publisher or the Hub, which may include a vision tower or a tied
            head (see `note`); estimates use the count from the architecture.
        source: why this name has this shape.
        checked: the day on which the source was read.
        note: what to know of the shape.
    """

    id: str
    shape: str
    architecture: Architecture | None
    model_type: str
    stored: str | None
    chat: bool | None
    gated: bool | None
    license: str | None
    dtype: str | None
    reported_parameters: int | None
    source: str
    checked: date
    note: str


class Models(Mapping[str, CatalogModel]):
    """All models of the catalog, by id."""

    def __init__(self) -> None:
        self._table = (DATA / "names.csv").read_text(encoding="utf-8")
        self._header = self._table[: self._table.index("\n")]
        self._models: dict[str, CatalogModel] = {}

    def __getitem__(self, model_id: str) -> CatalogModel:
        if model_id not in self._models:
            self._models[model_id] = _model(self._row(model_id))
        return self._models[model_id]

    def __contains__(self, model_id: object) -> bool:
        return isinstance(model_id, str) and self._line(model_id) is not None

    def __iter__(self) -> Iterator[str]:
        return (line.partition(",")[0] for line in self._table.splitlines()[1:])

    def __len__(self) -> int:
        return self._table.count("\n") - 1

    def originals(self) -> Iterator[str]:
        """The ids whose own config.json was read."""
        cells = (line.split(",", 2) for line in self._table.splitlines()[1:])
        return (name for name, shape, _ in cells if name == shape)

    def config(self, model_id: str) -> dict[str, Any]:
        """The fields of the published `config.json`.

        Raises:
            KeyError: the id is not in the catalog.
        """
        return dict(_shape(self._row(model_id)["shape"])["config"])

    def _row(self, model_id: str) -> dict[str, str]:
        line = self._line(model_id)
        if line is None:
            raise KeyError(model_id)
        return next(parse(self._header, [line]))

    def _line(self, model_id: str) -> str | None:
        """The line of an id, in any case, as no two repositories of the Hub differ by case only."""
        wanted = f"\n{model_id},"
        start = self._table.find(wanted) + 1 or self._lowered.find(wanted.lower()) + 1
        return self._table[start : self._table.index("\n", start)] if start and "," not in model_id else None

    @cached_property
    def _lowered(self) -> str:
        """The table in lower case; its texts are ASCII, so that every line keeps its place."""
        return self._table.lower()


def _shape(name: str) -> dict[str, Any]:
    """What the file of a shape says."""
    read: dict[str, Any] = json.loads((DATA / "models" / f"{name}.json").read_text(encoding="utf-8"))
    return read


def _model(row: Mapping[str, str]) -> CatalogModel:
    shape, stored = _shape(row["shape"]), row["stored"] or None
    config = shape["config"]
    try:
        architecture = Architecture.from_config(config)
    except ArchitectureError:
        architecture = None
    if architecture and stored:
        architecture = architecture._replace(quant_method=QUANT_METHODS.get(stored, stored))
    return CatalogModel(
        id=row["id"],
        shape=row["shape"],
        architecture=architecture,
        model_type=config["model_type"],
        stored=stored,
        chat=row["kind"] == "chat" if row["kind"] else None,
        gated=flag(row["gated"]),
        license=row["license"] or None,
        dtype=architecture.torch_dtype if architecture else None,
        reported_parameters=shape["reported_parameters"],
        source=row["source"],
        checked=date.fromisoformat(row["checked"]),
        note=shape["note"],
    )
