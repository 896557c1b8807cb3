"""The tensors that lie on a GPU from the first step to the last, one by one, as the allocator is asked for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hbspec.catalog.dtypes import BYTES
from hbspec.catalog.parameters import NESTED_BLOCK, NESTED_CODE_BYTES, NF4_BLOCK, NF4_CODE_BYTES
from hbspec.catalog.weight import Weight
from hbspec.catalog.weights import weights
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor
from hbspec.estimators.step.lifetimes.whole import builder
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.weights import quantised_kinds
from hbspec.plan.epochs import FUSED_EXPERTS

HALF = 2
"""Bytes of a number in a checkpoint of 16 bits."""


class Loaded(NamedTuple):
    """One tensor of the checkpoint, as it comes to a GPU.

    Attributes:
        read: its bytes in 16 bits, or in the dtype that it keeps.
        kept: bytes of every tensor that lies there afterwards, in its place.
        widened: whether it is read for all and made wider when all are there (`prepare_model_for_kbit_training`);
            otherwise, where what is kept is not what is read, it is quantised on its own.
    """

    read: int
    kept: tuple[int, ...]
    widened: bool = False


def loaded_tensors(job: Job, stage: Stage) -> Iterator[Loaded]:
    """Every tensor of the stage's weights, layer by layer, then the embedding and the head.

    What is kept adds up to `hbspec.estimators.weights.training_weights` of the stage, but for the rounding of shares.
    """
    for layer in range(stage.first, stage.last):
        yield from layer_tensors(job, layer)
    yield from outer_tensors(job, stage)
    yield from tower_tensors(job, stage)


def layer_tensors(job: Job, layer: int) -> Iterator[Loaded]:
    """The tensors of a layer."""
    layers = job.architecture.num_hidden_layers
    for weight in weights(job.architecture):
        if _is_outside(weight):
            continue
        for _ in range(weight.count * (layer + 1) // layers - weight.count * layer // layers):
            yield from _tensors(job, weight)


def outer_tensors(job: Job, stage: Stage) -> Iterator[Loaded]:
    """The tensors of the stage that no layer has."""
    for weight in weights(job.architecture):
        here = {"embedding": stage.embedding}.get(weight.kind, stage.head)
        if here and _is_outside(weight):
            yield from _tensors(job, weight)


def tower_tensors(job: Job, stage: Stage) -> Iterator[Loaded]:
    """The tensors of a tower for images or sound, which lies where the embedding does."""
    for weight in job.architecture.tower if stage.embedding else ():
        for _ in range(weight.count):
            yield from _tensors(job, weight)


def _is_outside(weight: Weight) -> bool:
    return weight.count == 1 and weight.place.removesuffix(".bias") in OUTSIDE_LAYERS


OUTSIDE_LAYERS = "embed_tokens", "embed_positions", "norm", "lm_head"
"""Modules that a model has once."""


def _tensors(job: Job, weight: Weight) -> Iterator[Loaded]:
    """One module's weight; experts are one tensor, or one for each where transformers lists them."""
    elements, training = weight.rows * weight.columns, job.training
    listed = weight.copies > 1 and not training.has(FUSED_EXPERTS)
    copies = weight.copies if listed else 1
    whole = elements * weight.copies // copies
    if training.quantization and (weight.kind in quantised_kinds(training) - {"expert"} or listed):
        kept = _quantized(elements, weight.rows, training.quantization, double_quant=training.double_quant)
        yield from [Loaded(HALF * elements, kept)] * copies
        return
    if training.quantization and weight.kind == "expert" and training.quantize_experts:
        fused = _quantized(
            whole, weight.copies * weight.rows, training.quantization, double_quant=training.double_quant
        )
        yield Loaded(HALF * whole, fused)
        return
    loads_narrow = training.quantization is None and job.loads_whole
    element = weight.element(job.precision.stream if loads_narrow else BYTES[training.weights_dtype])
    widened = training.quantization is not None and element > HALF
    yield from [Loaded((HALF if widened else element) * whole, (element * whole,), widened)] * copies


def _quantized(elements: int, rows: int, quantization: str, *, double_quant: bool) -> tuple[int, ...]:
    if quantization == "int8":
        return elements, 4 * rows
    blocks = -(-elements // NF4_BLOCK)
    packed = -(-elements // 2), NF4_CODE_BYTES
    if double_quant:
        return (*packed, blocks, 4 * -(-blocks // NESTED_BLOCK), NESTED_CODE_BYTES)
    return (*packed, 4 * blocks)


def trained_parameters(job: Job, stage: Stage) -> Iterator[ParameterTensor]:
    """What is trained on the stage: adapters and modules that are saved whole, or every weight."""
    build = builder(job.architecture, job.program)
    embedding = build.embedding()
    head = build.head(embedding)
    found: list[ParameterTensor] = []
    if stage.embedding:
        found += embedding.weights()
    for layer in range(stage.first, stage.last):
        found += build.layer(layer).weights()
    if stage.head:
        found += [*build.final().weights(), *head.weights()]
    seen: set[int] = set()
    for parameter in found:
        if parameter.trained and not parameter.again and id(parameter) not in seen:
            seen.add(id(parameter))
            yield parameter
