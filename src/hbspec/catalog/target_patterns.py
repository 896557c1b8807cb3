"""Weights that are not said by their names: patterns of paths, and peft's own choice for a type of model.

Source: peft 0.21.2, `tuners/tuners_utils.py`, `check_target_module_exists` (a string matches a whole path) and
`utils/constants.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from hbspec.catalog.architecture import Architecture
from hbspec.catalog.roles import TargetError, every_weight, is_linear
from hbspec.catalog.rows import rows
from hbspec.catalog.weight import Weight
from hbspec.catalog.weights import weights

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj")
MLP = ("gate_proj", "up_proj", "down_proj", "gate_up_proj")
OUTSIDE = {"embed_tokens": "model.embed_tokens", "lm_head": "lm_head"}


class TargetAbsentError(TargetError):
    """Modules or layers that peft refuses, as the model does not have them.

    Attributes:
        key: the hyperparameter that asks for them.
    """

    def __init__(self, said: str, key: str = "target_modules") -> None:
        super().__init__(said)
        self.key = key


class Matched(NamedTuple):
    """What a pattern means in a model.

    Attributes:
        names: the last names of the modules.
        layers: indices of the layers that have them.
    """

    names: tuple[str, ...]
    layers: tuple[int, ...]


def matched(architecture: Architecture, pattern: str) -> Matched:
    """The modules whose whole path a pattern matches.

    Raises:
        TargetAbsentError: it matches none.
        TargetError: it does not match the same layers for each name, or the paths of the model are not known here:
            those of a recorded model, of one with a tower, and of one whose layers differ.
    """
    expression = re.compile(pattern)
    layers = range(architecture.num_hidden_layers)
    found: dict[str, tuple[int, ...]] = {}
    for weight in every_weight(architecture):
        if not (is_linear(weight, architecture) or weight.kind in ("embedding", "head")):
            continue
        if weight.name in OUTSIDE:
            if expression.fullmatch(OUTSIDE[weight.name]):
                found[weight.name] = tuple(layers)
            continue
        here = tuple(index for index in layers if expression.fullmatch(_path(architecture, weight, index)))
        if here:
            found[weight.name] = here
    if not found:
        raise TargetAbsentError(f"no module's whole path matches {pattern!r}")
    if len(set(found.values())) > 1:
        raise TargetError(f"{pattern!r} matches other layers for some modules than for others, which is not counted")
    return Matched(tuple(found), next(iter(found.values())))


def _path(architecture: Architecture, weight: Weight, layer: int) -> str:
    """The path of a module of a layer, as transformers calls it.

    Raises:
        TargetError: it is not known here.
    """
    block = "self_attn" if weight.name in ATTENTION else "mlp" if weight.name in MLP else None
    uniform = weight.modules == architecture.num_hidden_layers
    if architecture.recorded is not None or architecture.tower or architecture.family.names or not uniform or not block:
        raise TargetError(f"which paths a {architecture.model_type} has is not counted here; name the modules")
    return f"model.layers.{layer}.{block}.{weight.name}"


def in_layers(architecture: Architecture, names: tuple[str, ...], layers: tuple[int, ...]) -> None:
    """Nothing, where every layer has each of these modules, so that a share of the layers has that share of them.

    Raises:
        TargetAbsentError: a layer is not there.
        TargetError: modules are not in every layer.
    """
    outside = [index for index in layers if index >= architecture.num_hidden_layers]
    if outside:
        said = f"layer {outside[0]} is not one of 0 to {architecture.num_hidden_layers - 1}"
        raise TargetAbsentError(said, "layers_to_transform")
    for weight in every_weight(architecture):
        if weight.leaf in names and weight.modules != architecture.num_hidden_layers:
            raise TargetError(f"{weight.leaf} is not in every layer, and in which it is adapted is not counted")


def unfrozen(architecture: Architecture, patterns: Sequence[str]) -> int:
    """The number of parameters whose path begins with one of the patterns, as axolotl matches it.

    Source: axolotl 067b021c, `utils/freeze.py`, `freeze_layers_except` (`re.match`).

    Raises:
        TargetAbsentError: there are none.
        TargetError: the paths of the model are not known here.
    """
    expressions = [re.compile(pattern) for pattern in patterns]
    total = 0
    for weight in weights(architecture):
        each = weight.parameters // weight.modules
        paths = _parameters(architecture, weight)
        total += each * sum(any(one.match(path) for one in expressions) for path in paths)
    if not total:
        raise TargetAbsentError(f"no parameter's path begins with {', '.join(map(repr, patterns))}")
    return total


def _parameters(architecture: Architecture, weight: Weight) -> list[str]:
    """The paths of a kind of parameter.

    Raises:
        TargetError: they are not known here.
    """
    name, is_bias = weight.name.removesuffix(".bias"), weight.name.endswith(".bias")
    tail = "bias" if is_bias else "weight"
    if weight.modules == 1 and name in {**OUTSIDE, "norm": ""}:
        return [f"{OUTSIDE.get(name, 'model.norm')}.{tail}"]
    inside = {"q_norm": "self_attn.q_norm", "k_norm": "self_attn.k_norm"}
    layers = range(architecture.num_hidden_layers)
    if name in inside or name in architecture.norm_names:
        known = not architecture.family.names and architecture.recorded is None and not architecture.tower
        if known and weight.modules == architecture.num_hidden_layers:
            return [f"model.layers.{layer}.{inside.get(name, name)}.{tail}" for layer in layers]
    return [f"{_path(architecture, replace(weight, name=name), layer)}.{tail}" for layer in layers]


@cache
def peft_targets() -> Mapping[str, tuple[str, ...]]:
    """The modules that peft adapts where none are named, by the type of the model; patterns are left out."""
    return {row["model_type"]: tuple(row["names"].split(";")) for row in rows("peft_targets.csv")}
