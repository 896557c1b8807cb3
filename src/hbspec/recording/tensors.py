"""Names, kinds and shapes of a model's weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import nn
from transformers import conversion_mapping
from transformers.pytorch_utils import Conv1D

from hbspec.recording.build import Built
from hbspec.recording.forward import is_linear
from hbspec.recording.program import RecordingError
from hbspec.recording.tied import groups_of, layer_of, shared_row, sharing


def weights_of(built: Built) -> dict[str, Any]:
    """Every weight once: those outside the layers, and those of each kind of layer.

    Raises:
        RecordingError: weights are shared in a way that is not counted.
    """
    model = built.model
    modules = dict(model.named_modules())
    table, head = model.get_input_embeddings(), model.get_output_embeddings()
    if table is None or head is None:
        raise RecordingError("the model does not say which modules are its embedding and its output head")
    inside = f"{built.path}."
    groups = sharing(model, inside)
    firsts = {f"{inside}{index}.": kind for kind, index in enumerate(built.first)}
    outside: list[Any] = []
    layers: list[list[Any]] = [[] for _ in built.first]
    names = {id(module): name for name, module in modules.items()}
    own = {id(head.bias): f"{names[id(head)]}.bias", id(table.weight): f"{names[id(table)]}.weight"}
    for first, parameter in _each(model, inside, groups):
        name = own.get(id(parameter), first)  # what is tied has several names
        path, _, last = name.rpartition(".")
        if not name.startswith(inside):
            outside.append(_row(name, modules[path], last, parameter, table, head))
            continue
        for prefix, kind in firsts.items():
            if name.startswith(prefix):
                row = _row(name.removeprefix(prefix), modules[path], last, parameter, table, head)
                layers[kind].append(row if id(parameter) not in groups else shared_row(model, path, row))
    containers = {
        part
        for name, module in modules.items()
        if next(module.children(), None) is not None
        for part in name.split(".")[-1:]
    }
    return {
        "weights": {"outside": outside, "layers": layers},
        "table": names[id(table)],
        "head": names[id(head)],
        "tied": head.weight is table.weight,
        "beside": _beside(model),
        "fused": _fused(model.config.model_type),
        "fields": _fields(model.config.get_text_config(decoder=True)),
        "containers": sorted(part for part in containers if part and not part.isdigit()),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        **({"groups": groups_of(groups, len(built.kinds))} if groups else {}),
    }


def _each(model: Any, inside: str, groups: Mapping[int, Sequence[int]]) -> Iterator[tuple[str, Any]]:
    """Every weight with its first name; one that layers share with its name in each of them."""
    seen = set()
    for name, parameter in model.named_parameters(remove_duplicate=False):
        layer = layer_of(name, inside) if id(parameter) in groups else None
        if (id(parameter), layer) not in seen:
            seen.add((id(parameter), layer))
            yield name, parameter


def _beside(model: Any) -> list[str]:
    """Modules beside a `language_model`, of which a job trains and adapts nothing (`templates/loading.py`)."""
    base = model.base_model
    if base is model or not hasattr(base, "language_model"):
        return []
    return [f"{model.base_model_prefix}.{name}." for name, _ in base.named_children() if name != "language_model"]


FIELDS = (
    "layer_types",
    "sliding_window",
    "use_sliding_window",
    "attention_chunk_size",
    "max_position_embeddings",
    "intermediate_size",
)


def _fused(model_type: str) -> list[str]:
    """Names that peft takes for parameters of fused experts, and not for modules (0.21.2, `convert_peft_config`)."""
    patterns: dict[str, str] = {"mixtral": "mixtral", **conversion_mapping._MODEL_TO_CONVERSION_PATTERN}
    return FUSED.get(patterns.get(model_type, ""), [])


FUSED = {
    "mixtral": ["gate", "w1", "w2", "w3"],
    "qwen2_moe": ["gate", "gate_proj", "up_proj", "down_proj"],
}
"""By the pattern in which transformers fuses the experts of a checkpoint."""


def _fields(config: Any) -> dict[str, Any]:
    """What the config says of attention, with the defaults of its class."""
    found = {name: getattr(config, name, None) for name in FIELDS}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in found.items() if value is not None
    }


def _row(name: str, module: Any, last: str, parameter: Any, table: Any, head: Any) -> dict[str, Any]:
    shape = list(parameter.shape)
    if type(module) is Conv1D and last == "weight":
        shape = shape[::-1]
    row = {"name": name, "kind": _kind(module, last, parameter, table, head), "shape": shape}
    return {**row, "wide": True} if parameter.element_size() > table.weight.element_size() else row


def _kind(module: Any, last: str, parameter: Any, table: Any, head: Any) -> str:
    """As `hbspec.catalog.weight.Weight.kind` has it."""
    if last == "bias" or not (isinstance(module, nn.Linear | nn.Embedding | Conv1D) or last == "weight"):
        return "bias" if last == "bias" or parameter.dim() < 2 else "parameter"
    if module is table:
        return "embedding"
    if module is head:
        return "head"
    if isinstance(module, nn.Embedding):
        return "embedding"
    if is_linear(module):
        return "linear" if type(module) in (nn.Linear, Conv1D) else "own_linear"
    return "norm" if parameter.dim() == 1 else "parameter"
