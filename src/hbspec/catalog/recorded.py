"""A model that was recorded: the file that `hbspec model add` writes, read without torch.

Its layers are programs of operators (`hbspec.recording`). What a size grows with is fixed when a program is asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from hbspec.catalog.families import Family
from hbspec.catalog.recorded_loop import WHOLE
from hbspec.catalog.recorded_program import Steps, form, steps_of
from hbspec.catalog.recorded_weights import RecordedWeights, counted
from hbspec.catalog.weight import Weight
from hbspec.diagnostics import Missing, NotKnownError

FORMAT = 3
"""The version of the file's format that is read and written."""

MARK = "hbspec_model"
"""The key that tells such a file from a config.json; its value is the version of the format."""

PARTS = "embedding", "final", "logits"
"""Parts of a variant outside the layers."""

NO_WINDOW = "full_attention"


class RecordedFileError(ValueError):
    """A file that is not a recorded model, or not whole; the message says what is wrong."""


class Recording(RecordedWeights):
    """What a file says. Two are equal if their files are.

    Attributes:
        values: the file.
        transformers: the version whose layers were recorded.
        config: the config that was recorded.
        kinds: by layer, the number of its kind.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.config: Mapping[str, Any] = values["config"]
        self.kinds: tuple[int, ...] = tuple(values["kinds"])
        self.transformers: str = values["versions"]["transformers"]
        self._programs: dict[Any, Steps] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recording) and (self is other or self.values == other.values)

    def __hash__(self) -> int:
        return hash((self.values["digest"], len(self.kinds)))

    @cached_property
    def weights(self) -> tuple[Weight, ...]:
        """All weights, each parameter once."""
        return self._counted(())

    @cached_property
    def updated(self) -> tuple[Weight, ...]:
        """The same without those that no gradient reaches, as layers do not run for text, or do not read them."""
        return self._counted(self.idle, self.unread_paths)

    def _counted(self, idle: Collection[int], unread: Sequence[Collection[str]] = ()) -> tuple[Weight, ...]:
        """The weights outside the layers, and those of layers but for idle kinds and, by kind, unread paths."""
        outside = [weight for path, weight in self.outside if path.removesuffix(".bias") in self._reached]
        kinds = [kind for kind in range(len(self.values["weights"]["layers"])) if kind not in idle]
        layers = [
            [
                (row, (path, weight))
                for row, (path, weight) in zip(self._layer_rows(kind), self.layer_weights(kind), strict=True)
                if not unread or path not in unread[kind]
            ]
            for kind in kinds
        ]
        owners = [[group for of, group in zip(self.kinds, self.groups, strict=False) if of == kind] for kind in kinds]
        return counted(outside, layers, owners)

    @cached_property
    def idle(self) -> frozenset[int]:
        """Kinds of layers that do not run where only text is given, as those that attend to an image do not."""
        return frozenset(kind for kind, indices in enumerate(self._first["layers"]) if not indices)

    @cached_property
    def tower(self) -> tuple[Weight, ...]:
        """Weights that are loaded and that text does not reach, as those of an encoder of images."""
        return tuple(
            replace(weight, kind="linear" if weight.kind == "linear" else "kept", name=path, usual="")
            for path, weight in self.outside
            if path.removesuffix(".bias") not in self._reached
        )

    @cached_property
    def exposed(self) -> tuple[str, ...]:
        """Linear modules that text does not reach and that a job adapts all the same, by their last names."""
        return tuple(dict.fromkeys(one.name.rpartition(".")[2] for one in self.unfrozen if one.kind == "linear"))

    @cached_property
    def unfrozen(self) -> tuple[Weight, ...]:
        """Of the weights outside the layers that text does not reach, those that a full fine-tune does not freeze."""
        beside = tuple(self.values.get("beside", ()))
        return tuple(weight for weight in self.tower if not weight.name.startswith(beside))

    @cached_property
    def _reached(self) -> frozenset[str]:
        """Modules outside the layers whose weights are read."""
        rows = [row for part in PARTS for row in self._rows(part)["operators"]]
        names = {one.removesuffix(".weight") for row in rows for one in row["inputs"] if isinstance(one, str)}
        modules = {row["module"] for row in rows if row["name"] == "linear"}
        read = names | modules | {self.values["table"], self.values["head"]}
        return frozenset(name.removesuffix(".bias") for name in read)

    @cached_property
    def head(self) -> Weight:
        """The output head, also where it is tied to the table."""
        table = next(weight for weight in self.weights if weight.place == "embed_tokens")
        return Weight(self.short(self.values["head"]), "head", 1, table.rows, table.columns, usual="lm_head")

    @cached_property
    def family(self) -> Family:
        """The traits that hold of any model, and the names of its modules."""
        names = {"embed_tokens": self.short(self.values["table"]), "lm_head": self.head.name}
        norms = [weight for _, weight in self.outside if weight.kind == "norm"]
        if norms:
            names["norm"] = norms[-1].name
        layered = any(row["name"] == "native_layer_norm" for row in self._rows("final")["operators"])
        return Family(
            defaults={},
            names=names,
            norm="layer" if layered else "rms",
            containers=frozenset(self.values["containers"]),
            masked=self.values["attention"] == "sdpa"
            and any(row.get("mask") for row in self._rows("layers")["operators"]),
            learned_once=True,
            sdpa=self.values["attention"] == "sdpa",
        )

    @property
    def _first(self) -> Mapping[str, Any]:
        """The variant that was recorded first: of one row, without a mask."""
        found: Mapping[str, Any] = next(iter(self.values["variants"].values()))
        return found

    def _rows(self, part: str) -> Mapping[str, Any]:
        """A part's program as it is in the file; of the layers, that of the first kind that runs."""
        index = self._first[part]
        return self._program(min(next(filter(None, index)).values()) if isinstance(index, list) else index)

    def _program(self, index: int) -> Mapping[str, Any]:
        """A program as it is in the file, for rows of whole chunks where their length matters."""
        found: Mapping[str, Any] = self.values["programs"][index]
        return found[WHOLE] if "chunk" in found else found

    @cached_property
    def by_length(self) -> bool:
        """Whether what is run depends on how long rows are."""
        return any("chunk" in program for program in self.values["programs"])

    @cached_property
    def attention(self) -> tuple[int, int, int] | None:
        """Heads, heads of keys, and the width of one, where every layer attends once and in the usual way."""
        found = set()
        for indices in filter(None, self._first["layers"]):
            index = min(indices.values())
            rows = [row for row in self._program(index)["operators"] if row["name"] == "attention"]
            if len(rows) != 1:
                return None
            found.add((rows[0]["heads"], *(tuple(size) for size in rows[0]["widths"])))
        if len(found) != 1:
            return None
        heads, query, key, value = found.pop()
        if key != value or query[1] % heads:
            return None
        width = query[1] // heads
        return heads, key[1] // width, width

    @property
    def fused(self) -> tuple[str, ...]:
        """Names that peft takes for parameters of fused experts."""
        return tuple(self.values["fused"])

    @property
    def width(self) -> int:
        """Width of the residual stream."""
        size: int = self._rows("layers")["input"][0][1]
        return size

    def program(self, variant: str, part: str, rows: int, length: int = 0) -> Steps:
        """The program of a part outside the layers, for so many rows in a micro-batch, each of so many tokens.

        Raises:
            NotKnownError: the file does not have the variant.
        """
        return self._steps(self._variant(variant)[part], rows, length)

    def layer_programs(self, variant: str, kind: int, rows: int, length: int = 0) -> Mapping[int, Steps]:
        """The programs of a layer of a kind, by the bytes of a number that it is given.

        Raises:
            NotKnownError: the file does not have the variant.
        """
        indices = self._variant(variant)["layers"][kind]
        return {int(element): self._steps(index, rows, length) for element, index in indices.items()}

    def before_programs(self, variant: str, kind: int, rows: int, length: int = 0) -> Mapping[int, Steps]:
        """The programs that run before a layer of a kind and outside it, by the bytes of a number that it is given.

        Raises:
            NotKnownError: the file does not have the variant.
        """
        kinds = self._variant(variant).get("before")
        indices = kinds[kind] if kinds else {}
        return {int(element): self._steps(index, rows, length) for element, index in indices.items()}

    @cached_property
    def exchanging(self) -> bool:
        """Whether layers read more than the residual stream."""
        return any(program.get("imports") for program in self.values["programs"])

    def _variant(self, variant: str) -> Mapping[str, Any]:
        """One of the dtypes, numbers of rows and masks that were recorded.

        Raises:
            NotKnownError: it was not.
        """
        found: Mapping[str, Any] | None = self.values["variants"].get(variant)
        if found is None:
            why = self.values["missing"].get(variant, "it was not asked for")
            raise NotKnownError(
                Missing(f"the memory of this recorded model as it runs here ({why})", ("model", "config"))
            )
        return found

    def buffers(self, stream: int) -> int:
        """Bytes of the model's buffers, where numbers of the residual stream have so many bytes."""
        found: Mapping[str, int] = self.values["buffers"]
        return found.get(str(stream), max(found.values()))

    def _steps(self, index: int, rows: int, length: int) -> Steps:
        data = self.values["programs"][index]
        key = index, rows, length if "chunk" in data else 0
        if key not in self._programs:
            self._programs[key] = steps_of(data, self.values["ways"], rows, length)
        return self._programs[key]

    def held(self, variant: str, rows: int) -> tuple[int, int, int]:
        """Bytes that the model's forward pass holds for all layers: fixed, for each token, for each pair of a row."""
        self._variant(variant)
        return form(self.values["held"][variant], rows)
