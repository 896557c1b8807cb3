"""How many parameters LoRA adds to a model, and how many `modules_to_save` trains beside them.

Rules of peft 0.21.2 on transformers 5.x, from its source and compared with `get_peft_model` by the tests; which weights
are adapted or trained is `hbspec.catalog.roles`:

- A module of `out` by `in` features gets r · (in + out) parameters; DoRA adds its magnitudes, one an output feature.
- E fused experts get E · r · (in + out), and gate and up share one adapter of rank 2 r, so that both or neither must be
  named. Such adapters refuse dropout and DoRA.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from hbspec.catalog.architecture import Architecture
from hbspec.catalog.roles import (
    ADAPTED,
    TRAINED,
    TargetError,
    every_weight,
    fused_targets,
    refuse_halves,
    roles,
    target_module_names,
)
from hbspec.catalog.weight import Weight


def lora_parameters(
    architecture: Architecture,
    rank: int,
    targets: str | Sequence[str],
    *,
    use_dora: bool = False,
    modules_to_save: Collection[str] = (),
) -> int:
    """The number of parameters that LoRA trains, including copies of `modules_to_save`.

    Args:
        architecture: the base model.
        rank: `r`.
        targets: "all-linear" or module names (`["q_proj", "v_proj"]`).
        use_dora: whether each adapted module also trains magnitudes.
        modules_to_save: names of modules that are trained in full.

    Raises:
        TargetError: no module matches, peft would refuse the targets, or they are a regular expression or paths to
            single layers, which are not counted here.
    """
    if use_dora and fused_targets(architecture, targets):
        raise TargetError(f"DoRA does not work on fused parameters: {', '.join(fused_targets(architecture, targets))}")
    refuse_halves(architecture, targets)
    found = roles(architecture, targets, modules_to_save) if targets else {}
    adapted = [weight for weight in every_weight(architecture) if found.get(weight.name) == ADAPTED]
    if not adapted:
        available = ", ".join(target_module_names(architecture))
        raise TargetError(f"no module of {architecture.model_type} has any of these names; it has {available}")
    tensors = adapter_tensors(architecture, rank, targets, modules_to_save, use_dora=use_dora)
    trained = sum(size * number for size, number in tensors.items())
    return trained + saved_parameters(architecture, targets, modules_to_save)


def adapter_tensors(
    architecture: Architecture,
    rank: int,
    targets: str | Sequence[str],
    modules_to_save: Collection[str] = (),
    *,
    use_dora: bool = False,
) -> Mapping[int, int]:
    """How many tensors of each size LoRA adds. The adapters of fused experts are one tensor for all of them.

    Args:
        architecture: the base model.
        rank: `r`.
        targets: "all-linear" or module names.
        modules_to_save: modules that are trained in full instead.
        use_dora: whether each adapted module also trains magnitudes.
    """
    found = roles(architecture, targets, modules_to_save)
    adapted = (weight for weight in every_weight(architecture) if found[weight.name] == ADAPTED)
    return _added(architecture, adapted, rank, use_dora=use_dora)


def idle_tensors(
    architecture: Architecture,
    rank: int,
    targets: str | Sequence[str],
    modules_to_save: Collection[str] = (),
    *,
    use_dora: bool = False,
) -> Mapping[int, int]:
    """Of the tensors that LoRA adds, how many of each size text does not run: no gradient reaches them.

    Args:
        architecture: the base model.
        rank: `r`.
        targets: "all-linear" or module names.
        modules_to_save: modules that are trained in full instead.
        use_dora: whether each adapted module also trains magnitudes.
    """
    idle = idle_modules(architecture, targets, modules_to_save, ADAPTED)
    return _added(architecture, idle, rank, use_dora=use_dora)


def _added(architecture: Architecture, adapted: Iterable[Weight], rank: int, *, use_dora: bool) -> Mapping[int, int]:
    """How many tensors of each size LoRA adds to some weights."""
    folds = list(architecture.family.fused_targets.values())
    tensors: Counter[int] = Counter()
    for weight in adapted:
        width = weight.copies * rank * max(1, folds.count(weight.name))
        tensors[width * weight.columns] += weight.modules
        tensors[width * weight.rows] += weight.modules
        if use_dora:
            tensors[weight.columns if weight.kind == "embedding" else weight.rows] += weight.modules
    return tensors


def idle_saved_tensors(
    architecture: Architecture, targets: str | Sequence[str], modules_to_save: Collection[str]
) -> Mapping[int, int]:
    """Of the tensors that are trained as a whole beside the adapters, how many of each size get no gradient."""
    tensors: Counter[int] = Counter()
    for weight in idle_modules(architecture, targets, modules_to_save, TRAINED):
        tensors[weight.parameters // weight.count] += weight.count
    return tensors


def idle_modules(
    architecture: Architecture, targets: str | Sequence[str], modules_to_save: Collection[str], role: str
) -> tuple[Weight, ...]:
    """The weights of a role, ADAPTED or TRAINED, that a recorded model's layers hold and that text does not run."""
    recording = architecture.recorded
    if recording is None or not targets:
        return ()
    found = roles(architecture, targets, modules_to_save)
    held = recording.resting if role == ADAPTED else recording.unread
    return tuple(weight for weight in held if found.get(weight.name) == role)


def saved_tensors(
    architecture: Architecture, targets: str | Sequence[str], modules_to_save: Collection[str]
) -> Mapping[int, int]:
    """How many tensors of each size are trained as a whole beside the adapters."""
    found = roles(architecture, targets, modules_to_save)
    tensors: Counter[int] = Counter()
    for weight in every_weight(architecture):
        if found[weight.name] == TRAINED:
            tensors[weight.parameters // weight.count] += weight.modules
    return tensors


def saved_parameters(architecture: Architecture, targets: str | Sequence[str], modules_to_save: Collection[str]) -> int:
    """Of the parameters that LoRA trains, those of modules trained as a whole.

    Raises:
        TargetError: as `lora_parameters`.
    """
    tensors = saved_tensors(architecture, targets, modules_to_save)
    return sum(size * number for size, number in tensors.items())
