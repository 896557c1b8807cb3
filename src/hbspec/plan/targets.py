"""The modules that get adapters, by their names, and in how many layers."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.roles import ALL_LINEAR
from hbspec.catalog.target_patterns import TargetAbsentError, in_layers, matched, peft_targets
from hbspec.plan.shipped_script import SOFTWARE

PEFT_S_CHOICE = "default"
"""What `target_modules` is where peft chooses."""


class Targets(NamedTuple):
    """Modules that get adapters.

    Attributes:
        modules: `all-linear` or names; the pattern itself where it is not counted.
        layers: indices of the layers that have adapters; empty for all of them.
    """

    modules: str | tuple[str, ...]
    layers: tuple[int, ...]


def resolved_targets(
    architecture: Architecture | None, modules: str | tuple[str, ...], layers: tuple[int, ...]
) -> Targets:
    """The names that `target_modules` means, and the layers; as it is where the architecture is not known.

    Raises:
        TargetAbsentError: peft would refuse it.
        TargetError: it is not counted.
    """
    if architecture is None:
        return Targets(modules, layers)
    if layers and isinstance(modules, str) and modules != PEFT_S_CHOICE:
        said = f"peft takes layers_to_transform with names of modules, and target_modules is {modules}"
        raise TargetAbsentError(said, "layers_to_transform")
    if modules == PEFT_S_CHOICE:
        names = peft_targets().get(architecture.model_type)
        if names is None:
            peft = f"peft {SOFTWARE['peft']}"
            raise TargetAbsentError(f"{peft} has no target modules of its own for {architecture.model_type}: name them")
        modules = names
    elif isinstance(modules, str) and modules.lower() != ALL_LINEAR:
        found = matched(architecture, modules)
        wide = len(found.layers) == architecture.num_hidden_layers
        modules, layers = found.names, () if wide else found.layers
    if layers and not isinstance(modules, str):
        in_layers(architecture, modules, layers)
    return Targets(modules, layers)
