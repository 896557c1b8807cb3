"""What ZeRO-3 holds whole of a model: parameters that persist, and those that its coordinator has gathered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.adapters import adapter_tensors
from hbspec.catalog.dtypes import BYTES
from hbspec.catalog.parameters import Weight, weights
from hbspec.estimators.step.gathering import Gathered, GatheredParameter, GatherStep, Limits, gathered
from hbspec.estimators.step.job import Job
from hbspec.estimators.weights import quantised_kinds, quantized_bytes
from hbspec.plan.deepspeed import DeepSpeed


class Whole(NamedTuple):
    """Bytes on one GPU beside its part of the weights.

    Attributes:
        persistent: parameters up to `stage3_param_persistence_threshold` elements, which are freed for an update only.
        gathered: the others, while a micro-batch runs.
    """

    persistent: int
    gathered: Gathered


def whole_parameters(job: Job, settings: DeepSpeed) -> Whole:
    """What is whole of base model and adapters.

    The order of modules is that of transformers' decoders: embedding, layers, norm, head; a sparse block is one module,
    as DeepSpeed's `leaf_module` has it; checkpointing runs each layer again in the backward pass. Left out: adapters
    above the threshold, whose layers are far larger.
    """
    stored = _stored(job)
    found = _gathered(
        job.architecture,
        tuple(stored.items()),
        Limits(settings.prefetch_bucket, settings.max_live, settings.reuse_distance),
        settings.persistence,
        job.training.gradient_checkpointing,
    )
    small = sum(size for (elements, size), number in _tensors(job, stored) if elements <= settings.persistence)
    return Whole(small, found)


def _tensors(job: Job, stored: Mapping[str, tuple[int, int]]) -> Iterator[tuple[tuple[int, int], int]]:
    """Every kind of tensor: elements of one, bytes of all, and their number."""
    for weight in weights(job.architecture):
        elements, size = stored[weight.place]
        yield (elements, size * weight.count), weight.count
    for weight in job.architecture.tower:
        elements, size = _one(job, weight)
        yield (elements, size * weight.count), weight.count
    if job.training.adapters:
        element = min(BYTES[job.training.adapter_dtype], job.precision.compute)
        training = job.training
        tensors = adapter_tensors(job.architecture, training.lora_r, training.target_modules, training.modules_to_save)
        for elements, number in tensors.items():
            yield (elements, elements * number * element), number


def _stored(job: Job) -> dict[str, tuple[int, int]]:
    """Elements and bytes of one tensor of each name."""
    return {weight.place: _one(job, weight) for weight in weights(job.architecture)}


def _one(job: Job, weight: Weight) -> tuple[int, int]:
    """Elements and bytes of one tensor as DeepSpeed sees it: 4-bit codes count by their storage."""
    training, elements = job.training, weight.parameters // weight.count
    if weight.kind in ("linear", "expert"):
        elements = -(-elements // job.tensor_parallel)
    if training.quantization and weight.kind in quantised_kinds(training):
        codes = quantized_bytes(weight, training.quantization, training.double_quant)[0] // weight.count
        unit = BYTES.get(training.quant_storage, 1) if training.quantization != "int8" else 1
        return -(-codes // unit), codes
    return elements, elements * BYTES[training.weights_dtype]


@lru_cache(maxsize=256)
def _gathered(
    architecture: Architecture,
    stored: tuple[tuple[str, tuple[int, int]], ...],
    limits: Limits,
    threshold: int,
    checkpointing: bool,
) -> Gathered:
    sizes = dict(stored)
    parameters: list[GatheredParameter] = []

    def added(tensors: Sequence[Weight]) -> tuple[int, ...]:
        first = len(parameters)
        for elements, size in (sizes[one.place] for one in tensors):
            parameters.append(GatheredParameter(elements, size, elements <= threshold))
        return tuple(range(first, len(parameters)))

    named = {one.place: one for one in weights(architecture)}
    table = added([named["embed_tokens"]])
    embedding = (*table, *added([one for place, one in named.items() if place == "embed_positions"]))
    layers = [[added(module) for module in modules] for modules in layer_modules(architecture)]
    norm = added([one for place, one in named.items() if place.removesuffix(".bias") == "norm"])
    own = [] if architecture.tie_word_embeddings else [one for place, one in named.items() if place in HEAD]
    head = added(own) if own else table
    return gathered(parameters, list(_passes(embedding, layers, norm, head, checkpointing)), limits)


def _passes(
    embedding: tuple[int, ...],
    layers: Sequence[Sequence[tuple[int, ...]]],
    norm: tuple[int, ...],
    head: tuple[int, ...],
    checkpointing: bool,
) -> Iterator[GatherStep]:
    """The modules of a forward and a backward pass; those without parameters of their own count as steps too."""
    yield from (GatherStep(one, backward=False) for one in ((), (), embedding, ()))
    for modules in layers:
        yield from (GatherStep(one, backward=False) for one in ((), *modules))
    yield from (GatherStep(one, backward=False) for one in (norm, head))
    yield from (GatherStep(one, backward=True) for one in ((), head, (), norm))
    for modules in reversed(layers):
        last, earlier = modules[-1], modules[-2::-1]
        again = modules if checkpointing else ()
        yield from (GatherStep(one, backward=True) for one in ((), last, *again, *earlier))
    yield GatherStep(embedding, backward=True)


def layer_modules(architecture: Architecture) -> list[list[list[Weight]]]:
    """By layer, its modules in the order in which they run: each the weights that it has itself."""
    sparse = frozenset(architecture.moe_layers)
    inside = [one for one in weights(architecture) if one.place not in OUTSIDE]
    experts = [one for one in inside if one.count == len(sparse) and _of_experts(one)]
    dense = [one for one in inside if one not in experts and _of_mlp(one)]
    norms = [one for one in inside if one.kind == "norm"]
    attention = [one for one in inside if one not in experts and one not in dense and one not in norms]
    around = [*([one] for one in norms[:1]), [], *_modules(attention), *([one] for one in norms[1:]), []]
    blocks = {True: [experts], False: [[], *_modules(dense)]}
    return [[*around, *blocks[index in sparse]] for index in range(architecture.num_hidden_layers)]


HEAD = ("lm_head", "lm_head.bias")
OUTSIDE = ("embed_tokens", "embed_positions", "norm", "norm.bias", *HEAD)
"""Weights that no layer has."""


def _of_experts(weight: Weight) -> bool:
    return weight.copies > 1 or weight.kind == "router" or weight.name.startswith(("shared_expert", "router", "gate."))


def _of_mlp(weight: Weight) -> bool:
    return weight.place.removesuffix(".bias") in ("gate_proj", "up_proj", "down_proj", "gate_up_proj")


def _modules(tensors: Sequence[Weight]) -> list[list[Weight]]:
    """Weights with their biases."""
    modules: dict[str, list[Weight]] = {}
    for one in tensors:
        modules.setdefault(one.name.removesuffix(".bias"), []).append(one)
    return list(modules.values())
