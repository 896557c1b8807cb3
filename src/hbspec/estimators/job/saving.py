"""Memory of the first host while a job saves, resumes and merges: what leaves the GPUs, or has not reached them yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from hbspec.catalog.dtypes import BYTES
from hbspec.catalog.parameters import total_parameters
from hbspec.estimators.step.optimizer import optimizer
from hbspec.estimators.weights import training_weights
from hbspec.plan import Plan
from hbspec.plan.epochs import FSDP_SAVED_ON_HOST, SHARDS_OF_50_GB
from hbspec.plan.parallelism import Engine
from hbspec.units import GB, Interval

HALF = 2
"""Bytes of a number in a model that DeepSpeed or a merge writes."""


class Sizes(NamedTuple):
    """Bytes of a whole job, unsharded.

    Attributes:
        model: the base model as it is stored while training, with what is trained.
        saved: what a save writes.
        states: the optimizer's.
        parameters: numbers of the model.
    """

    model: int
    saved: int
    states: int
    parameters: int


def sizes(plan: Plan) -> Sizes:
    """The sizes of a plan.

    Raises:
        NotKnownError: the architecture or what is trained is not known.
    """
    architecture, training = plan.require("architecture"), plan.training
    trained = plan.require("trainable_parameters")
    element = BYTES[training.adapter_dtype if training.adapters else training.weights_dtype]
    stored = sum(training_weights(architecture, training).values())
    model = stored + trained * element if training.adapters else stored
    saved = trained * element if training.adapters else stored
    states = optimizer(training.optim).state_bytes(trained, element, adapters=training.adapters)
    return Sizes(model, saved, states, total_parameters(architecture))


def saving(plan: Plan, processes: int) -> Mapping[str, Interval]:
    """Bytes on the first host at the fullest moment of a save, by name.

    FSDP: the full state dict on the first rank, then the full states of the optimizer (accelerate 1.15.0,
    `Accelerator.get_state_dict`, `utils/fsdp_utils.py`, `save_fsdp_optimizer`). ZeRO-1 and 2: a copy of the whole
    16-bit model in every process (`clone_tensors_for_torch_save`). ZeRO-3: the 16-bit model on the first rank, if
    `stage3_gather_16bit_weights_on_model_save` is set, which adapters do not need (transformers 5.23.0,
    `Trainer.save_model`). Otherwise the tensors of one file at a time, of at most 50 GB, or 5 GB before
    `SHARDS_OF_50_GB` (`PreTrainedModel.save_pretrained`; safetensors, `torch.save_file`).

    An author's own loop may save in another way: at the low end it takes nothing. Left out: sharded state dicts under
    FSDP, and experts that transformers 5 makes single modules again.
    """
    saved = _state_dict(plan, processes)
    return {"state_dict": replace(saved, low=0) if plan.training.own_loop else saved}


def _state_dict(plan: Plan, processes: int) -> Interval:
    size = sizes(plan)
    if plan.way.engine is Engine.FSDP:
        on_host = plan.training.has(FSDP_SAVED_ON_HOST)
        return Interval.exact(max(size.model, size.states) if on_host else size.model)
    if plan.way.engine is Engine.DEEPSPEED and not plan.way.shards_weights:
        return Interval.exact(processes * HALF * size.parameters)
    if plan.way.engine is Engine.DEEPSPEED and not plan.training.adapters:
        settings, gathered = plan.require("deepspeed"), HALF * size.parameters
        certain = gathered if settings.gathers_on_save else 0
        return Interval.exact(certain) if settings.known else Interval(0, gathered, gathered)
    file = (50 if plan.training.has(SHARDS_OF_50_GB) else 5) * GB
    return Interval.exact(min(size.saved, file))


def resuming(plan: Plan, processes: int) -> Mapping[str, Interval]:
    """Bytes on the first host at the fullest moment of a resume, by name; nothing for a job that is not interrupted.

    FSDP1: the full state dict in every process, FSDP2 on the first rank, then the optimizer's full states on the first
    rank (accelerate 1.15.0, `load_fsdp_model`, `load_fsdp_optimizer`). One process: the optimizer's states
    (transformers 5.23.0, `Trainer._load_optimizer_and_scheduler`, `map_location`); under DDP they go to the GPUs.

    Left out: a job that is started again by hand.
    """
    if not plan.spot or not plan.saves_every:
        return {}
    size = sizes(plan)
    if plan.fsdp is not None:
        readers = processes if plan.fsdp.version == 1 else 1
        return {"state_dict": Interval.exact(max(readers * size.model, size.states))}
    return {} if plan.way.distributed else {"state_dict": Interval.exact(size.states)}


def merging(plan: Plan) -> Mapping[str, Interval]:
    """Bytes of the 16-bit model that an author's script merges adapters into, if it does so on the host."""
    if not plan.merges:
        return {}
    size = HALF * total_parameters(plan.require("architecture"))
    return {"merged_weights": Interval(0, size, size)}
