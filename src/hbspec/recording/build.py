"""The model that transformers builds from a config, on fake tensors, with as few layers as show every kind."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig, masking_utils

from hbspec.recording.program import RecordingError

INDICES = frozenset(
    {"layer_idx", "layer_id", "layer_number", "layer_index", "block_idx", "idx", "block_index", "index"}
)
"""Attributes of modules that say where they are."""


SHORT = 19
"""Tokens of a row of which only the operators' order is asked: fewer than of any row that is recorded."""


class Built(NamedTuple):
    """A model with all its layers on "meta".

    Attributes:
        model: what transformers built.
        attention: "sdpa", or "eager" where the class has nothing else.
        path: of the list of its layers.
        kinds: by layer, the number of its kind.
        types: by layer, what the config calls it; None where it says nothing of layers.
        first: by kind, its first layer.
    """

    model: Any
    attention: str
    path: str
    kinds: tuple[int, ...]
    types: tuple[Any, ...]
    first: tuple[int, ...]


def build(values: Mapping[str, Any], dtype: Any) -> Built:
    """The model of a config, on "meta".

    Raises:
        RecordingError: transformers refuses the config, or its layers are not one list.
    """
    given = decoded(values)
    try:
        config = AutoConfig.for_model(given.pop("model_type"), **given)
        model, attention = _from_config(config, dtype)
        text = config.get_text_config(decoder=True)
    except Exception as reason:
        raise RecordingError(f"transformers refuses the config: {first_line(reason)}") from reason
    path = _layers(model)
    kinds: list[Any] = [signature(layer) for layer in model.get_submodule(path)]
    said = getattr(text, "layer_types", None)
    types = said if said is not None and len(said) == len(kinds) else [None] * len(kinds)
    kinds = list(zip(kinds, types, strict=True))
    distinct = list(dict.fromkeys(kinds))
    numbers = tuple(distinct.index(kind) for kind in kinds)
    first = tuple(numbers.index(number) for number in range(len(distinct)))
    return Built(model, attention, path, numbers, tuple(types), first)


def decoded(values: Mapping[str, Any]) -> dict[str, Any]:
    """A config's fields, with infinity in place of what transformers writes for it (`{"__float__": "Infinity"}`)."""
    found: dict[str, Any] = PreTrainedConfig._decode_special_floats(deepcopy(dict(values)))
    return found


def _from_config(config: Any, dtype: Any) -> tuple[Any, str]:
    """The model with sdpa, or with eager attention where its class refuses sdpa."""
    with torch.device("meta"):
        for attention in ("sdpa", "eager"):
            try:
                return AutoModelForCausalLM.from_config(
                    deepcopy(config), dtype=dtype, attn_implementation=attention, trust_remote_code=False
                ), attention
            except ValueError as reason:
                if "scaled_dot_product_attention" not in str(reason) or attention == "eager":
                    raise
    raise AssertionError


def first_line(reason: BaseException) -> str:
    """The first line of a message, with its class."""
    lines = str(reason).strip().splitlines() or [""]
    return f"{type(reason).__name__}: {lines[0][:200]}"


def _layers(model: Any) -> str:
    found: dict[str, int] = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) and not any(name.startswith(f"{of}.") for of in found):
            found[name] = sum(parameter.numel() for parameter in module.parameters())
    decoder = next((f"{name}." for name, module in model.named_modules() if module is model.get_decoder() and name), "")
    beside = {name: size for name, size in found.items() if name.startswith(decoder)}  # not those of a tower
    found = beside or found
    most = max(found.values(), default=0)
    large = [name for name, size in found.items() if size > most // 10]
    if len(large) > 1:
        large = _reached(model, large)
    if len(large) != 1:
        raise RecordingError(f"the model's layers are not one list of modules, but {', '.join(large) or 'none'}")
    return large[0]


def _reached(model: Any, lists: Sequence[str]) -> list[str]:
    """Those lists of layers that run where text alone is given; all of them where the model does not run so."""
    called = set()

    def call(plain: Any, module: nn.Module, args: Any, kwargs: Any) -> Any:
        called.add(id(module))
        return plain(module, *args, **kwargs)

    plain_rows = patch.object(masking_utils, "find_packed_sequence_indices", lambda *_, **__: None)
    try:
        with torch.no_grad(), torch.device("meta"), plain_rows, following(call):
            model(input_ids=torch.zeros(1, SHORT, dtype=torch.int64), use_cache=False)
    except Exception:
        return [*lists]
    return [name for name in lists if any(id(layer) in called for layer in model.get_submodule(name))]


def signature(layer: nn.Module) -> Any:
    """What tells a layer's kind: its modules' classes and plain attributes, and its weights' shapes."""
    said = []
    for name, module in layer.named_modules():
        plain = sorted(
            (key, bool(value) if isinstance(value, float) else value)
            for key, value in vars(module).items()
            if isinstance(value, int | float | str | None) and key not in INDICES and not key.startswith("_")
        )  # fmt: skip
        said.append((name, type(module).__qualname__, repr(plain)))
    shapes = [(name, tuple(parameter.shape)) for name, parameter in layer.named_parameters()]
    return tuple(said), tuple(shapes)


def _last(built: Built) -> int:
    """The last layer that is needed: behind the first layer, every kind comes once more if the model has it there.

    One more is behind them all, as it reads what the last of them makes for others.
    """
    behind = [built.kinds.index(kind, 1) for kind in range(len(built.first)) if kind in built.kinds[1:]]
    return min(1 + max([*behind, *built.first]), len(built.kinds) - 1)


def shorten(built: Built, fake: FakeTensorMode) -> None:
    """Keep as few layers as show every kind, also behind another layer, and put fakes in place of what is on "meta"."""
    parent, _, name = built.path.rpartition(".")
    layers = built.model.get_submodule(built.path)
    built.model.get_submodule(parent)._modules[name] = nn.ModuleList(list(layers)[: 1 + _last(built)])
    made: dict[int, nn.Parameter] = {}
    with fake:
        for module in built.model.modules():
            for key, parameter in module._parameters.items():
                if parameter is None:
                    continue
                if id(parameter) not in made:
                    empty = torch.empty(parameter.shape, dtype=parameter.dtype, device="cpu")
                    made[id(parameter)] = nn.Parameter(empty, requires_grad=parameter.is_floating_point())
                module._parameters[key] = made[id(parameter)]
            for key, buffer in module._buffers.items():
                if buffer is not None:
                    module._buffers[key] = torch.empty(buffer.shape, dtype=buffer.dtype, device="cpu")
    built.model.train()


def refuse_partly_idle(built: Built, ran: Collection[int]) -> None:
    """Nothing, where layers of a kind run all or none of them, given the numbers of those that ran.

    Raises:
        RecordingError: some do not run, and others like them do.
    """
    run = {built.kinds[index] for index in ran}
    for index in range(len(built.model.get_submodule(built.path))):
        if index not in ran and built.kinds[index] in run:
            raise RecordingError(f"{built.path}.{index} is not run where only text is given, and layers like it are")


@contextmanager
def following(call: Any) -> Iterator[None]:
    """`call` runs in place of every module's `__call__`."""
    plain = nn.Module.__call__
    with patch.object(nn.Module, "__call__", lambda module, *args, **kwargs: call(plain, module, args, kwargs)):
        yield
