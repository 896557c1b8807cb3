"""What LoRA adds to a model: which tensors peft adapts for a list of targets, and how many parameters that trains.

Rules of peft 0.21.2 on transformers 5.x, from its source and held against `get_peft_model` by the tests:

- A module of `out` by `in` features gets r · (in + out) parameters; DoRA adds its magnitudes, one an output feature.
- `all-linear` is every `nn.Linear` but the output head, Llama 4's router (a subclass) included. The adapter is made and
  counted, but the model with it does not run: the router answers with a tuple, which peft's wrapper does not expect.
- For Mixtral and Qwen3-MoE names of the unfused modules (`w1`, `gate_proj`, `gate`, …) and `all-linear` are turned into
  adapters on the fused parameters (`peft.utils.transformers_weight_conversion`): E experts get E · r · (in + out), and
  gate and up share one adapter of rank 2 r, so that both or neither must be named. Such adapters refuse dropout and
  DoRA. The same names then no longer mean the `nn.Linear` modules of dense layers, which stay without an adapter.
- The fused experts of gpt-oss and Llama 4 have no such names: `all-linear` leaves them alone.
- A name that is nowhere in the model is ignored as long as another one is found.
- `modules_to_save` trains a whole copy of every module whose name ends so, a tied head and its embedding apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from hbspec.catalog.architecture import Architecture
from hbspec.catalog.weights import Weight, output_head, weights

ALL_LINEAR = "all-linear"

FUSED: dict[str, dict[str, str]] = {
    "mixtral": {
        "gate": "gate",
        "w1": "experts.gate_up_proj",
        "w3": "experts.gate_up_proj",
        "w2": "experts.down_proj",
    },
    "qwen3_moe": {
        "gate": "gate",
        "gate_proj": "experts.gate_up_proj",
        "up_proj": "experts.gate_up_proj",
        "down_proj": "experts.down_proj",
    },
}
"""By model type: names that peft turns into targets on fused parameters, and the parameter that each becomes."""

CONTAINERS = frozenset({"model", "layers", "self_attn", "mlp", "feed_forward", "experts", "shared_expert"})
"""Modules that hold others: peft refuses them as targets, and as modules to save they are whole subtrees."""


class TargetError(ValueError):
    """A set of targets that peft refuses, or that is not counted here; the message says which and why."""


def target_module_names(architecture: Architecture) -> tuple[str, ...]:
    """Names that can be targeted, in the order of the model, the embedding and the head last."""
    fused, present = FUSED.get(architecture.model_type, {}), weights(architecture)
    linear = [weight.leaf for weight in present if _is_linear(weight, architecture) and weight.leaf not in fused]
    experts = [name for name, parameter in fused.items() if parameter in {weight.name for weight in present}]
    return tuple(dict.fromkeys([*linear, *experts, "embed_tokens", "lm_head"]))


def fused_targets(architecture: Architecture, targets: str | Sequence[str]) -> tuple[str, ...]:
    """Fused parameters (`experts.down_proj`, and the router) that these targets adapt.

    Where there are any, peft refuses `lora_dropout` other than 0, and DoRA.
    """
    names, fused = _names(architecture, targets), FUSED.get(architecture.model_type, {})
    present = {weight.name for weight in weights(architecture)}
    return tuple(dict.fromkeys(fused[name] for name in names if name in fused and fused[name] in present))


def lora_parameters(
    architecture: Architecture,
    rank: int,
    targets: str | Sequence[str],
    *,
    use_dora: bool = False,
    modules_to_save: Collection[str] = (),
) -> int:
    """Parameters that LoRA trains, copies of `modules_to_save` included.

    Args:
        architecture: the base model.
        rank: `r`.
        targets: "all-linear" or names of modules (`["q_proj", "v_proj"]`).
        use_dora: whether each adapted module also trains magnitudes.
        modules_to_save: names of modules trained as a whole.

    Raises:
        TargetError: nothing matches, peft would refuse, or the targets are a regular expression or paths to single
            layers, which are not counted here.
    """
    if use_dora and fused_targets(architecture, targets):
        raise TargetError(f"DoRA does not work on fused parameters: {', '.join(fused_targets(architecture, targets))}")
    saved = saved_modules(architecture, modules_to_save)
    adapted = [
        (weight, fold)
        for weight, fold in _adapted(architecture, _names(architecture, targets))
        if weight.leaf not in saved
    ]
    if not adapted:
        available = ", ".join(target_module_names(architecture))
        raise TargetError(f"no module of {architecture.model_type} is named so; it has {available}")
    trained = 0
    for weight, fold in adapted:
        tensors = weight.count * weight.copies
        trained += tensors * rank * fold * (weight.rows + weight.columns)
        if use_dora:
            trained += tensors * (weight.columns if weight.kind == "embedding" else weight.rows)
    return trained + sum(weight.parameters for weight in _with_head(architecture) if _module(weight) in saved)


def saved_modules(architecture: Architecture, names: Collection[str]) -> tuple[str, ...]:
    """The modules that `modules_to_save` trains whole, by their last names: those whose name ends with one of `names`.

    `head` means `lm_head`; a name that is nowhere in the model means nothing, and peft says nothing of it. Source: peft
    0.21.2, `utils/other.py`, `_set_trainable` (`key.endswith(target_key)`).

    Raises:
        TargetError: a name that is a path, or that modules which hold others end with: not counted here.
    """
    for name in names:
        if "." in name:
            raise TargetError(f"{name!r} is a path, which is not counted here; name the module alone")
        if name.isdigit() or any(container.endswith(name) for container in CONTAINERS):
            raise TargetError(f"{name} holds other modules; what it would train is not counted here")
    return tuple(module for module in module_names(architecture) if any(module.endswith(name) for name in names))


def module_names(architecture: Architecture) -> tuple[str, ...]:
    """The last names of all modules that hold weights themselves, in the order of the model."""
    return tuple(filter(None, dict.fromkeys(_module(weight) for weight in _with_head(architecture))))


def _names(architecture: Architecture, targets: str | Sequence[str]) -> tuple[str, ...]:
    """Targets as plain names."""
    fused = FUSED.get(architecture.model_type, {})
    if isinstance(targets, str):
        if targets.lower() != ALL_LINEAR:
            raise TargetError(f"{targets!r} is a regular expression, which is not counted here")
        linear = (weight.leaf for weight in weights(architecture) if _is_linear(weight, architecture))
        return tuple(dict.fromkeys([*linear, *fused]))
    for name in targets:
        if name in CONTAINERS:
            raise TargetError(f"{name} holds other modules and cannot be adapted itself")
        if "." in name and name not in {weight.name for weight in weights(architecture)}:
            raise TargetError(f"{name!r} is a path, which is not counted here; name the module alone")
    return tuple(dict.fromkeys(targets))


def _adapted(architecture: Architecture, names: Sequence[str]) -> Iterator[tuple[Weight, int]]:
    """The tensors with an adapter, and what their rank is a multiple of."""
    fused = FUSED.get(architecture.model_type, {})
    folds: dict[str, int] = {}
    for name in names:
        if name in fused:
            folds[fused[name]] = folds.get(fused[name], 0) + 1
    for parameter, fold in folds.items():
        both = [name for name in fused if fused[name] == parameter]
        if fold != len(both):
            raise TargetError(f"{' and '.join(both)} are one fused parameter: name both or neither")
    for weight in _with_head(architecture):
        if weight.name in folds:
            yield weight, folds[weight.name]
        elif any(name not in fused and name in (weight.name, weight.leaf) for name in names):
            if _is_linear(weight, architecture) or weight.kind in ("embedding", "head"):
                yield weight, 1
            elif weight.kind in ("norm", "router"):
                raise TargetError(f"{weight.name} is no linear module; peft does not adapt it")


def _is_linear(weight: Weight, architecture: Architecture) -> bool:
    """Whether the module is an `nn.Linear`, the output head aside; Llama 4's router is a subclass of it."""
    return weight.kind == "linear" or (weight.kind == "router" and architecture.model_type == "llama4_text")


def _module(weight: Weight) -> str:
    """The last name of the module that holds a tensor; "" for fused experts and single vectors, which are none."""
    if weight.kind in ("expert", "bias") and not weight.name.endswith(".bias"):
        return ""
    return weight.name.removesuffix(".bias").rpartition(".")[2]


def _with_head(architecture: Architecture) -> tuple[Weight, ...]:
    """Every module: the output head also where it is tied, since peft gives it an adapter or a copy of its own."""
    head = (output_head(architecture),) if architecture.tie_word_embeddings else ()
    return (*weights(architecture), *head)
