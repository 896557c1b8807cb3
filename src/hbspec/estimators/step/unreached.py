"""What a job trains and no gradient reaches: weights that a recorded model holds and that text does not run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.adapters import idle_modules, idle_saved_tensors, idle_tensors
from hbspec.catalog.dtypes import BYTES
from hbspec.catalog.parameters import idle_parameters
from hbspec.catalog.roles import ADAPTED, TRAINED
from hbspec.plan import Training


class Unreached(NamedTuple):
    """Trained parameters without gradients: an optimizer has no states of them (torch 2.13, `optim/adam.py`).

    Attributes:
        parameters: how many they are.
        whole: of them, those of modules that are trained whole beside the adapters.
        held: bytes of adapters and of those modules; 0 where all weights are trained, as these are held anyway.
        tensors: how many adapters and modules there are of each size.
        name: a module that has some; "" where none has.
    """

    parameters: int = 0
    whole: int = 0
    held: int = 0
    tensors: Mapping[int, int] = {}
    name: str = ""


def unreached(architecture: Architecture, training: Training) -> Unreached:
    """What is trained in vain; next to always nothing.

    Raises:
        TargetError: as `hbspec.catalog.roles.roles`.
    """
    recording = architecture.recorded
    if recording is None:
        return Unreached()
    if not training.adapters:
        names = (weight.name for weight in (*recording.unread, *recording.unfrozen))
        return Unreached(idle_parameters(architecture), name=next(names, ""))
    targets, saved = training.target_modules, training.modules_to_save
    adapters = idle_tensors(architecture, training.lora_r, targets, saved, use_dora=training.use_dora)
    copies = idle_saved_tensors(architecture, targets, saved)
    idle = (weight.name for role in (ADAPTED, TRAINED) for weight in idle_modules(architecture, targets, saved, role))
    made, whole = (sum(size * number for size, number in one.items()) for one in (adapters, copies))
    return Unreached(
        parameters=made + whole,
        whole=whole,
        held=made * BYTES[training.adapter_dtype] + whole * BYTES[training.weights_dtype],
        tensors=Counter(adapters) + Counter(copies),
        name=next(idle, ""),
    )
