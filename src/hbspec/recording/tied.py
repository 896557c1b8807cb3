"""Weights that several layers share: each is one tensor, and every layer that has it runs a module of its own.

Layers share all of one another's shared weights or none: they are then of one group. The gradient of such a weight is
made in the last layer of its group, from which the backward pass begins, and the others add to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers.quantizers.base import get_keys_to_not_convert
from transformers.quantizers.quantizers_utils import should_convert_module

from hbspec.recording.program import RecordingError


def layer_of(name: str, inside: str) -> int | None:
    """The layer in whose modules a weight is, by its name; None outside of the layers, which are `inside`."""
    first = name.removeprefix(inside).partition(".")[0]
    return int(first) if name.startswith(inside) and first.isdigit() else None


def sharing(model: Any, inside: str) -> dict[int, tuple[int, ...]]:
    """By the identity of each weight that several layers share, which layers those are.

    Raises:
        RecordingError: a layer shares weights with more than one group of layers, or has one under another name.
    """
    owners: dict[int, dict[int, str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        layer = layer_of(name, inside)
        if layer is not None:
            owners.setdefault(id(parameter), {}).setdefault(layer, name.removeprefix(f"{inside}{layer}."))
    found = {key: tuple(names) for key, names in owners.items() if len(names) > 1}
    groups: dict[int, tuple[int, ...]] = {}
    for key, layers in found.items():
        names = {*owners[key].values()}
        apart = any(groups.setdefault(layer, layers) != layers for layer in layers)
        if apart or len(names) > 1:
            raise RecordingError(
                f"{inside}{layers[1]}.{min(names)} is a weight of layer {layers[0]} too, and "
                f"{'other weights are shared with other layers' if apart else 'it has other names in other layers'}, "
                "which is not counted"
            )
    return found


def groups_of(found: Mapping[int, tuple[int, ...]], layers: int) -> list[int | None]:
    """By layer, the number of its group; None for those that share nothing."""
    numbers = {group: number for number, group in enumerate(dict.fromkeys(found.values()))}
    by_layer = {layer: number for group, number in numbers.items() for layer in group}
    return [by_layer.get(layer) for layer in range(layers)]


def shared_row(model: Any, path: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a weight that layers share; bitsandbytes leaves linear modules that are tied as they are.

    Raises:
        RecordingError: it would quantise this one, so that layers share it no more.
    """
    if row["kind"] != "linear":
        return {**row, "shared": True}
    if should_convert_module(path, get_keys_to_not_convert(model)):
        raise RecordingError(f"layers share the weight of {path}, and each would quantise it, which is not counted")
    return {**row, "kind": "own_linear", "shared": True}
