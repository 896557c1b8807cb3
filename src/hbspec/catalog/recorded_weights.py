"""The weights of a recorded model, as its file has them and as the counts do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import prod
from typing import Any

from hbspec.catalog.recorded_loop import every_row
from hbspec.catalog.weight import Weight

Row = Mapping[str, Any]

LINEAR = "linear", "own_linear"
"""Kinds of weights of linear modules."""


def weight_of(row: Row, name: str, usual: str) -> Weight:
    """A tensor as the counts have it: a matrix, or the numbers of anything else in one column."""
    shape, kind, wide = row["shape"], row["kind"], row.get("wide", False)
    if kind in ("linear", "own_linear", "embedding", "head"):
        return Weight(name, kind, 1, shape[0], shape[1], usual=usual, wide=wide)
    return Weight(name, "bias" if kind == "parameter" else kind, 1, prod(shape), 1, usual=usual, wide=wide)


def counted(
    outside: Sequence[Weight],
    layers: Sequence[Sequence[tuple[Row, tuple[str, Weight]]]],
    groups: Sequence[Sequence[int | None]],
) -> tuple[Weight, ...]:
    """Weights with their numbers in a model; one that layers share is one tensor for each group of them.

    Args:
        outside: those that no layer has.
        layers: by kind of layer, the rows of its weights, each with its path and the weight.
        groups: by kind, the group of each of its layers.
    """
    tensors = dict.fromkeys(outside, 1)
    modules = dict(tensors)
    seen: set[tuple[str, int | None]] = set()
    for rows, owners in zip(layers, groups, strict=True):
        for row, (path, weight) in rows:
            new = {(path, group) for group in owners} - seen
            tensors[weight] = tensors.get(weight, 0) + (len(new) if row.get("shared") else len(owners))
            modules[weight] = modules.get(weight, 0) + len(owners)
            seen |= new if row.get("shared") else set()
    return tuple(replace(weight, count=count, repeats=modules[weight] - count) for weight, count in tensors.items())


def _reads(path: str, called: Collection[str], names: Collection[str]) -> bool:
    """Whether a layer that calls some linear modules, and reads other weights by name, reads the one at a path."""
    return path in names or path.removesuffix(".bias") in called


class RecordedWeights:
    """The weights of a file, by their paths.

    Attributes:
        values: the file.
        kinds: by layer, the number of its kind.
    """

    values: Mapping[str, Any]
    kinds: tuple[int, ...]

    @property
    def sharing(self) -> bool:
        """Whether layers share weights."""
        return "groups" in self.values

    @property
    def groups(self) -> Sequence[int | None]:
        """By layer, the number of the group that shares its shared weights; None where it shares none."""
        found: Sequence[int | None] = self.values.get("groups") or [None] * len(self.kinds)
        return found

    def shares_later(self, layer: int) -> bool:
        """Whether a layer behind this one has the same shared weights, whose gradients are then there before."""
        group = self.groups[layer]
        return group is not None and group in self.groups[layer + 1 :]

    def layer_weights(self, kind: int) -> list[tuple[str, Weight]]:
        """The weights of a layer of a kind, by their paths in it."""
        paths = ((row["name"].removesuffix(".weight"), row) for row in self._layer_rows(kind))
        return [(path, weight_of(row, path, "")) for path, row in paths]

    def shared_weights(self, kind: int) -> frozenset[str]:
        """The paths in a layer of a kind of weights that other layers have as well."""
        return frozenset(row["name"].removesuffix(".weight") for row in self._layer_rows(kind) if row.get("shared"))

    @cached_property
    def resting(self) -> tuple[Weight, ...]:
        """Linear modules that layers have and do not call where only text is given: their adapters get no gradient."""
        return tuple(
            replace(weight, count=self.kinds.count(kind))
            for kind, (called, _) in enumerate(self._used)
            for path, weight in self.layer_weights(kind)
            if weight.kind in LINEAR and path not in called
        )

    @cached_property
    def unread(self) -> tuple[Weight, ...]:
        """Weights of layers that no gradient reaches, those of layers that do not run for text among them."""
        return tuple(
            replace(weight, count=self.kinds.count(kind))
            for kind, paths in enumerate(self.unread_paths)
            for path, weight in self.layer_weights(kind)
            if path in paths
        )

    @cached_property
    def unread_paths(self) -> tuple[frozenset[str], ...]:
        """By kind of layer, the paths of weights that no program of it reads, and that no other layer shares."""
        return tuple(
            frozenset(path for path, _ in self.layer_weights(kind) if not _reads(path, called, names))
            - self.shared_weights(kind)
            for kind, (called, names) in enumerate(self._used)
        )

    @cached_property
    def _used(self) -> list[tuple[frozenset[str], frozenset[str]]]:
        """By kind of layer, the linear modules that it calls in any variant, and the weights that it reads itself."""
        programs = self.values["programs"]
        kinds = zip(*(variant["layers"] for variant in self.values["variants"].values()), strict=True)
        found = []
        for variants in kinds:
            indices = {index for by_element in variants for index in by_element.values()}
            rows = [row for index in indices for row in every_row(programs[index])]
            called = frozenset(row["module"] for row in rows if row["name"] == "linear")
            names = (one.removesuffix(".weight") for row in rows for one in row["inputs"] if isinstance(one, str))
            found.append((called, frozenset(names)))
        return found

    def _layer_rows(self, kind: int) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]] = self.values["weights"]["layers"][kind]
        return rows

    @cached_property
    def outside(self) -> list[tuple[str, Weight]]:
        """The weights that no layer has, by their paths in the model."""
        rows = self.values["weights"]["outside"]
        paths = [row["name"].removesuffix(".weight") for row in rows]
        return [
            (path, weight_of(row, self.short(path), self._usual(path, row["kind"])))
            for path, row in zip(paths, rows, strict=True)
        ]

    def _usual(self, path: str, kind: str) -> str:
        """Llama's name for a weight that no layer has; that of a table of positions or types for other tables."""
        module = path.removesuffix(".bias")
        usual = {self.values["table"]: "embed_tokens", self.values["head"]: "lm_head"}.get(module, "norm")
        return ("embed_positions" if kind == "embedding" and usual == "norm" else usual) + path[len(module) :]

    @cached_property
    def _inside(self) -> frozenset[str]:
        rows = (row for layer in self.values["weights"]["layers"] for row in layer)
        return frozenset(row["name"].removesuffix(".weight") for row in rows)

    def short(self, path: str) -> str:
        """A short name of a weight that no layer has: its module's last, or the whole path where others have one."""
        module = path.removesuffix(".bias")
        last = module.rpartition(".")[2]
        return path if last in self._inside or self._lasts.count(last) > 1 else last + path[len(module) :]

    @cached_property
    def _lasts(self) -> list[str]:
        """The last names of modules that no layer has."""
        names = (row["name"].removesuffix(".weight").removesuffix(".bias") for row in self.values["weights"]["outside"])
        return [module.rpartition(".")[2] for module in dict.fromkeys(names)]
