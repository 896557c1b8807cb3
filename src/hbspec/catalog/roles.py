"""What a training does with each weight of a model: names of modules, matched as peft matches them.

Rules of peft 0.21.2 on transformers 5.x, from its source and compared with `get_peft_model` by the tests:

- A target means the modules of that name (`tuners/tuners_utils.py`, `check_target_module_exists`: a whole part of the
  path). A name that is nowhere in the model is ignored as long as another one is found.
- `all-linear` is every `nn.Linear` but the output head, Llama 4's router (a subclass) included. The adapter is made and
  counted, but the model with it does not run: the router answers with a tuple, which peft's wrapper does not expect.
- For Mixtral and Qwen3-MoE names of the unfused modules (`w1`, `gate_proj`, `gate`, …) and `all-linear` are turned into
  targets on the fused parameters (`utils/transformers_weight_conversion.py`). The same names then no longer mean the
  `nn.Linear` modules of dense layers, which stay without an adapter. The fused experts of gpt-oss and Llama 4 have no
  such names: `all-linear` leaves them alone.
- In models of some types with a state space peft refuses `out_proj`, and with it `all-linear`, since kernels read that
  weight by itself (`tuners/tuners_utils.py`, `_check_lora_target_modules_mamba`).
- `modules_to_save` trains a whole copy of every module whose name ends so (`utils/other.py`, `_set_trainable`:
  `key.endswith`), a tied head and its embedding apart. A target that is named there in full gets no adapter; one that
  is meant by the end of its name is refused, and so is a router that is a fused parameter.
- Nothing is trained of a tower for images or sound beside the language model: the shipped script excludes its modules
  (`exclude_modules`), which the same targets would adapt otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from hbspec.catalog.architecture import Architecture
from hbspec.catalog.recorded import Recording
from hbspec.catalog.weight import Weight
from hbspec.catalog.weights import output_head, weights

ALL_LINEAR = "all-linear"

FROZEN, ADAPTED, TRAINED = "frozen", "adapted", "trained"
"""A weight stays as it is, gets an adapter, or is trained itself."""

INSIDE = frozenset({"base_layer", "default", "lora_A", "lora_B", "lora_dropout", "lora_magnitude_vector"})
"""Modules inside adapters, which names of modules to save may end as well."""


class TargetError(ValueError):
    """A set of targets that peft refuses, or that is not counted here; the message says which and why."""


class TargetSavedError(TargetError):
    """A target that is trained whole as well, which peft refuses.

    Attributes:
        module: its last name.
    """

    def __init__(self, module: str) -> None:
        super().__init__(f"peft refuses to train {module} whole, since it is a target as well")
        self.module = module


def roles(
    architecture: Architecture,
    targets: str | Sequence[str] | None,
    modules_to_save: Collection[str] = (),
    *,
    listed: bool = False,
) -> Mapping[str, str]:
    """FROZEN, ADAPTED or TRAINED for each weight by its name, biases and a tied head among them.

    Args:
        architecture: the model.
        targets: "all-linear" or names of modules; `()` trains everything, None nothing.
        modules_to_save: names of modules trained as a whole.
        listed: whether experts are a list of modules, as before transformers 5: then names that mean their fused
            parameters mean modules of dense layers as well.

    Raises:
        TargetSavedError: peft would refuse to train a target whole.
        TargetError: peft would refuse a name, or the targets are a regular expression or paths to single layers, which
            are not counted here.
    """
    names = targets if targets is None or isinstance(targets, str) else tuple(targets)
    return _roles(architecture, names, tuple(modules_to_save), listed)


@lru_cache(maxsize=1024)
def _roles(
    architecture: Architecture, targets: str | tuple[str, ...] | None, modules_to_save: tuple[str, ...], listed: bool
) -> Mapping[str, str]:
    present = every_weight(architecture)
    if architecture.recorded is not None:
        _refuse_uncounted(architecture.recorded, targets or ())
    if not targets:
        return dict.fromkeys((weight.name for weight in present), FROZEN if targets is None else TRAINED)
    saved, fused = saved_modules(architecture, modules_to_save), fused_targets(architecture, targets)
    elsewhere = frozenset() if listed else frozenset(architecture.family.fused_targets)
    meant = [name for name in _names(architecture, targets) if name not in elsewhere]
    found = dict.fromkeys((weight.name for weight in present), FROZEN)
    for weight in present:
        module = _module(weight)
        if weight.name in fused or any(name in (weight.name, weight.leaf) for name in meant):
            found[weight.name] = _adapted(architecture, weight, module in modules_to_save, fused)
        if module in saved:
            if found[weight.name] == ADAPTED:
                raise TargetSavedError(module)
            found[weight.name] = TRAINED
    return found


def _refuse_uncounted(recording: Recording, targets: str | Sequence[str]) -> None:
    """Nothing, unless peft would adapt fused experts of a recorded model, or modules that text does not reach.

    Raises:
        TargetError: it would.
    """
    fused, exposed = recording.fused, recording.exposed
    meant = exposed if isinstance(targets, str) else [name for name in targets if name in exposed]
    if meant:
        raise TargetError(
            f"peft adapts {', '.join(meant[:3])} also where text does not reach them, which is not counted for a "
            "recorded model; name modules that only its layers have"
        )
    meant = fused if isinstance(targets, str) else [name for name in targets if name in fused]
    if meant:
        raise TargetError(
            f"peft adapts fused experts where {', '.join(meant)} are named, which is not counted for a recorded model; "
            "name modules of the attention"
        )


def _adapted(architecture: Architecture, weight: Weight, named: bool, fused: Collection[str]) -> str:
    """A target's role; a module that is trained whole by its full name gets no adapter, unless it is a parameter."""
    if weight.name in fused:
        return ADAPTED
    if named:
        return FROZEN
    if weight.place == "embed_positions" or weight.kind == "convolution":
        raise TargetError(f"an adapter on {weight.name} is not counted here")
    if weight.leaf in architecture.family.unadapted:
        kind = architecture.model_type
        raise TargetError(f"peft refuses {weight.leaf} in models of type {kind}, which all-linear means too")
    if is_linear(weight, architecture) or weight.kind in ("embedding", "head"):
        return ADAPTED
    if weight.kind in ("norm", "router"):
        raise TargetError(f"{weight.name} is not a linear module; peft does not adapt it")
    return FROZEN


def fused_targets(architecture: Architecture, targets: str | Sequence[str]) -> tuple[str, ...]:
    """Fused parameters (`experts.down_proj`, and the router) that these targets adapt.

    Where there are any, peft refuses `lora_dropout` other than 0, and DoRA.

    Raises:
        TargetError: as `roles`.
    """
    names, fused = _names(architecture, targets), architecture.family.fused_targets
    present = {weight.name for weight in weights(architecture)}
    return tuple(dict.fromkeys(fused[name] for name in names if name in fused and fused[name] in present))


def refuse_halves(architecture: Architecture, targets: str | Sequence[str]) -> None:
    """Nothing, where every fused parameter is named by all modules that it was.

    Raises:
        TargetError: one of two modules that are one fused parameter is named without the other, as peft refuses.
    """
    names, fused = _names(architecture, targets), architecture.family.fused_targets
    for parameter in dict.fromkeys(fused[name] for name in names if name in fused):
        halves = [name for name in fused if fused[name] == parameter]
        if not set(halves) <= set(names):
            raise TargetError(f"{' and '.join(halves)} are one fused parameter: name both or neither")


def saved_modules(architecture: Architecture, names: Collection[str]) -> tuple[str, ...]:
    """The modules that `modules_to_save` trains whole, by their last names: those whose name ends with one of `names`.

    `head` means `lm_head`; a name that is nowhere in the model means nothing, and peft says nothing of it.

    Raises:
        TargetError: a name that is a path, or that modules which hold others or parts of adapters end with: not counted
            here.
    """
    for name in names:
        if "." in name:
            raise TargetError(f"{name!r} is a path, which is not counted here; name the module alone")
        if name.isdigit() or any(container.endswith(name) for container in architecture.family.containers):
            raise TargetError(f"{name} contains other modules; what it would train is not counted here")
        if any(part.endswith(name) for part in INSIDE):
            raise TargetError(f"parts of adapters end with {name} too; what it would train is not counted here")
        if any(part.endswith(name) for weight in architecture.tower for part in weight.name.split(".")):
            raise TargetError(f"modules of the tower end with {name} too; what it would train is not counted here")
    return tuple(module for module in module_names(architecture) if any(module.endswith(name) for name in names))


def module_names(architecture: Architecture) -> tuple[str, ...]:
    """The last names of all modules that hold weights themselves, in the order of the model."""
    return tuple(filter(None, dict.fromkeys(_module(weight) for weight in every_weight(architecture))))


def target_module_names(architecture: Architecture) -> tuple[str, ...]:
    """Names that can be targeted, in the order of the model, the embedding and the head last."""
    fused, present = architecture.family.fused_targets, weights(architecture)
    never = {*fused, *architecture.family.unadapted}
    linear = [weight.leaf for weight in present if is_linear(weight, architecture) and weight.leaf not in never]
    experts = [name for name, parameter in fused.items() if parameter in {weight.name for weight in present}]
    return tuple(dict.fromkeys([*linear, *experts, *map(architecture.family.name, ("embed_tokens", "lm_head"))]))


def is_linear(weight: Weight, architecture: Architecture) -> bool:
    """Whether the module is an `nn.Linear`, the output head aside; Llama 4's router is a subclass of it."""
    return weight.kind in ("linear", "own_linear") or (weight.kind == "router" and architecture.family.router_in_linear)


def every_weight(architecture: Architecture) -> tuple[Weight, ...]:
    """Every weight: the output head also where it is tied, since peft gives it an adapter or a copy of its own."""
    head = (output_head(architecture),) if architecture.tie_word_embeddings else ()
    return (*weights(architecture), *head)


def _names(architecture: Architecture, targets: str | Sequence[str]) -> tuple[str, ...]:
    """Targets as plain names."""
    fused = architecture.family.fused_targets
    if isinstance(targets, str):
        if targets.lower() != ALL_LINEAR:
            raise TargetError(f"{targets!r} is a regular expression, which is not counted here")
        linear = (weight.leaf for weight in weights(architecture) if is_linear(weight, architecture))
        return tuple(dict.fromkeys([*linear, *fused]))
    for name in targets:
        if name in architecture.family.containers:
            raise TargetError(f"{name} contains other modules and cannot be adapted itself")
        if "." in name and name not in {weight.name for weight in weights(architecture)}:
            raise TargetError(f"{name!r} is a path, which is not counted here; name the module alone")
    return tuple(dict.fromkeys(targets))


def _module(weight: Weight) -> str:
    """The last name of the module that holds a tensor; "" for fused experts and single vectors, which are none."""
    if weight.kind == "expert" or (weight.kind == "bias" and weight.name.partition(".")[0] == "experts"):
        return ""
    path = weight.name.rpartition(".")[0] if weight.kind == "bias" else weight.name
    return path.rpartition(".")[2]
