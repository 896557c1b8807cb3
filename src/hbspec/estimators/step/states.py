"""What lies on one GPU whatever the tokens: weights, gradients, optimizer states, and what is gathered for a while."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from hbspec.catalog.dtypes import BYTES, FLOAT32
from hbspec.catalog.parameters import decaying_share
from hbspec.estimators.step.deepspeed import masters, reduction
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.reference_weights import narrowed, reference_weights
from hbspec.estimators.step.rollouts import awake
from hbspec.estimators.step.zero3 import whole_parameters
from hbspec.estimators.weights import EMBEDDING, HEAD, QUANTIZED_TOWER, TOWER
from hbspec.plan.deepspeed import DeepSpeed
from hbspec.plan.parallelism import Engine

QUANTIZED, SCALES = "quantized_weights", "quantization_scales"
"""Scales of quantised weights are not parameters: they stay whole on every rank's GPU, sharded or offloaded."""

OUTSIDE_LAYERS = (EMBEDDING, HEAD, SCALES, TOWER, QUANTIZED_TOWER)
"""Terms that are not gathered with a layer."""


class States(NamedTuple):
    """Bytes on one GPU, by name.

    Attributes:
        weights: the base model's, as they lie there.
        trained: adapters, optimizer states, copies of weights for the update.
        paged: optimizer states in managed memory, which torch does not count.
        computing: what exists beside them while a micro-batch runs: weights gathered from other ranks, buckets.
        kept_gathered: weights of each layer that stay gathered from its forward to its backward pass.
        forward: beside `computing`, until the backward pass begins.
        backward: beside `computing`, from then on.
        gradients: of everything that is trained, when all have arrived.
        accumulated: those of earlier micro-batches while another one runs.
        at_once: whether all gradients of a backward pass have a place from its start.
        whole_adapters: adapters before they are sharded.
        updating: temporaries of the optimizer.
        staying: what of `computing` is there during the update too.
    """

    weights: Mapping[str, int]
    trained: Mapping[str, int]
    paged: int
    computing: Mapping[str, int]
    kept_gathered: int
    gradients: int
    accumulated: int
    whole_adapters: int
    updating: int
    forward: Mapping[str, int] = {}
    backward: Mapping[str, int] = {}
    at_once: bool = False
    staying: Mapping[str, int] = {}


@lru_cache(maxsize=256)  # every moment and every replay of a job asks
def states_of(job: Job, stage: Stage) -> States:
    """What lies on the GPU that computes a stage."""
    whole = whole_weights(job, stage)
    weights = {term: cut_weight(job, term, size) for term, size in whole.items()}
    groups = _groups(job, stage)
    beside = {**reference_weights(job, whole, groups), **awake(job)}
    if job.deepspeed is not None:
        return _under_deepspeed(job, job.deepspeed, {**weights, **beside}, groups)
    size = 0 if job.gradients_offloaded else _reduced(job, groups)
    return States(
        weights={**weights, **beside},
        trained=_trained(job, groups, _idle(job, stage)),
        paged=_paged(job, groups),
        computing={
            **_gathered(job, whole, weights),
            "gradient_buckets": _buckets(job, groups),
            "workspaces": job.workspaces,
        },
        kept_gathered=_kept_gathered(job, whole),
        gradients=size,
        accumulated=_accumulated(job, groups, size) if job.training.gradient_accumulation > 1 else 0,
        whole_adapters=_whole_adapters(job, groups),
        updating=_updating(job, groups),
    )


def _under_deepspeed(
    job: Job, settings: DeepSpeed, weights: Mapping[str, int], groups: list[tuple[int, int]]
) -> States:
    """The states that DeepSpeed holds; `weights` are a rank's part."""
    found = reduction(job, settings, groups)
    gathers = job.sharded or job.offload == "all"
    kept = whole_parameters(job, settings) if gathers and job.way.shards_weights else None
    return States(
        weights=weights,
        trained=_trained(job, groups, idle=0),
        paged=_paged(job, groups),
        computing={
            **({"persistent_parameters": kept.persistent} if kept else {}),
            "workspaces": job.workspaces,
            **found.always,
        },
        forward={"gathered_weights": kept.gathered.forward} if kept else {},
        backward={**({"gathered_weights": kept.gathered.backward} if kept else {}), **found.backward},
        kept_gathered=0,
        gradients=found.ending,
        accumulated=found.accumulated,
        at_once=found.at_once,
        whole_adapters=_whole_adapters(job, groups),
        updating=found.updating,
        staying=found.always,
    )


def share(total: int, stage: Stage, layers: int) -> int:
    """The part of something spread evenly over all layers that lies in a stage; the parts of all stages add up."""
    return total * stage.last // layers - total * stage.first // layers


def whole_weights(job: Job, stage: Stage) -> dict[str, int]:
    """The stage's weights before they are cut among ranks."""
    whole = {}
    for term, total in job.weights.items():
        if term == EMBEDDING:
            whole[term] = total if stage.embedding or (stage.head and not job.weights[HEAD]) else 0
        elif term == HEAD:
            whole[term] = total if stage.head else 0
        elif term in (TOWER, QUANTIZED_TOWER):
            whole[term] = total if stage.embedding else 0
        else:
            here = share(total, stage, job.architecture.num_hidden_layers)
            whole[term] = here if term == "norms_and_biases" else -(-here // job.tensor_parallel)
    return whole


def cut_weight(job: Job, term: str, size: int) -> int:
    """A rank's part of a term of the weights, on its GPU."""
    if term == SCALES or (term in (QUANTIZED, QUANTIZED_TOWER) and job.leaves_quantized_whole):
        return size
    return 0 if job.offload == "all" else -(-size // job.shards.weights)


def _gathered(job: Job, whole: Mapping[str, int], local: Mapping[str, int]) -> dict[str, int]:
    """Weights that are whole while a layer computes: that layer, embedding and head, in the compute dtype.

    Measured on Mistral 7B and Mixtral 8x7B under FSDP (IBM fms-acceleration, a100_80gb.csv): one layer at the peak, and
    the root unit, which is not freed between forward and backward.
    """
    if not job.sharded and job.offload != "all":
        return {}
    outer = (whole[EMBEDDING] + whole[HEAD]) * job.precision.stream // BYTES[job.training.weights_dtype]
    return {"gathered_weights": min(outer + _gathered_layer(job, whole), _elsewhere(whole, local))}


def _gathered_layer(job: Job, whole: Mapping[str, int]) -> int:
    """A layer's weights in the compute dtype, quantised ones as they are stored; a tower is not run, and stays cut."""
    inner = {term: size for term, size in whole.items() if term not in OUTSIDE_LAYERS}
    quantized = inner.pop(QUANTIZED)
    layers, stored = job.architecture.num_hidden_layers, BYTES[job.training.weights_dtype]
    narrowed = sum(inner.values()) // layers * job.precision.stream // stored
    return narrowed if job.leaves_quantized_whole else narrowed + quantized // layers


def _elsewhere(whole: Mapping[str, int], local: Mapping[str, int]) -> int:
    """What other ranks or the host hold of the weights."""
    return max(0, sum(whole.values()) - sum(local.values()))


def _kept_gathered(job: Job, whole: Mapping[str, int]) -> int:
    """Bytes of each layer that stays gathered after its forward pass: FSDP2's `reshard_after_forward=False`.

    FSDP1's SHARD_GRAD_OP is the same (docs.pytorch.org, `ShardingStrategy`).
    """
    if job.fsdp is None or job.fsdp.reshards or not job.sharded:
        return 0
    return _gathered_layer(job, whole)


def _groups(job: Job, stage: Stage) -> list[tuple[int, int]]:
    """What is trained on the stage: numbers, and bytes of each. Adapters, then modules that are trained whole."""
    layers = job.architecture.num_hidden_layers
    stored = BYTES[job.training.weights_dtype]
    if not job.training.adapters:
        return [(-(-_trained_whole(job, stage) // job.tensor_parallel), narrowed(job, stored))]
    adapters = share(job.trainable - job.whole, stage, layers), narrowed(job, BYTES[job.training.adapter_dtype])
    return [adapters, (share(job.whole, stage, layers), narrowed(job, stored))]


def _trained_whole(job: Job, stage: Stage) -> int:
    """How many numbers of the stage a full fine-tune trains: its layers', and those of an embedding or head there.

    A head that is the embedding is trained where the embedding lies.
    """
    element = BYTES[job.training.weights_dtype]
    embedding, head = (job.weights[term] // element for term in (EMBEDDING, HEAD))
    within = share(job.trainable - embedding - head, stage, job.architecture.num_hidden_layers)
    return within + embedding * stage.embedding + head * stage.head


def _whole_adapters(job: Job, groups: list[tuple[int, int]]) -> int:
    return sum(count * element for count, element in groups) if job.training.adapters else 0


def _idle(job: Job, stage: Stage) -> int:
    """Bytes of what the stage trains beside its weights and no gradient reaches."""
    return share(job.idle, stage, job.architecture.num_hidden_layers)


def _trained(job: Job, groups: list[tuple[int, int]], idle: int) -> dict[str, int]:
    terms = {"adapters": 0, "optimizer_states": 0, "master_weights": 0}
    if job.training.adapters and job.offload != "all":
        terms["adapters"] = idle + sum(-(-count // job.shards.weights) * element for count, element in groups)
    if job.offload != "none":
        return terms
    for count, element in groups:
        updated = -(-count // job.shards.optimizer)
        kept = FLOAT32 if job.deepspeed is not None else element
        terms["optimizer_states"] += job.optimizer.state_bytes(updated, kept, adapters=job.training.adapters)
        terms["master_weights"] += masters(job, element, updated) if job.deepspeed is not None else 0
    terms["optimizer_states"] -= _paged(job, groups)
    return terms


def _paged(job: Job, groups: list[tuple[int, int]]) -> int:
    """The stage's and rank's share of the paged states; DeepSpeed's partitions are one large tensor."""
    if job.offload != "none":
        return 0
    updated = sum(-(-count // job.shards.optimizer) for count, _ in groups)
    paged = updated if job.deepspeed is not None else updated * job.pageable // job.trainable
    return job.optimizer.paged_bytes(paged)


def _buckets(job: Job, groups: list[tuple[int, int]]) -> int:
    """What gradients are put into to be reduced: all of them under DDP, a bucket or a layer's elsewhere."""
    whole = sum(count * element for count, element in groups)
    if job.way.engine is Engine.DDP or (job.way.engine is Engine.FSDP and not job.sharded):
        return whole
    return -(-whole // job.architecture.num_hidden_layers) if job.sharded else 0


def _reduced(job: Job, groups: list[tuple[int, int]]) -> int:
    """Gradients as each rank keeps them once they are reduced, in the dtype of the parameters."""
    return sum(-(-count // job.shards.gradients) * element for count, element in groups)


def _accumulated(job: Job, groups: list[tuple[int, int]], reduced: int) -> int:
    """Gradients of earlier micro-batches; under FSDP's `no_sync` all that a rank has computed, before any reduction.

    FSDP2 keeps those in the dtype in which they are reduced, FSDP1 in the compute dtype (torch 2.13,
    `_fully_shard/_fsdp_param.py`, `to_accumulated_grad_if_needed`; `_flat_param.py`, `_use_unsharded_grad_views`); in
    mixed precision accelerate makes one dtype of both (1.15.0, `utils/dataclasses.py`, `set_mixed_precision`).
    """
    if not job.defers_gradients:
        return reduced
    mixed = job.training.autocast
    sizes = ((count, min(element, job.precision.compute) if mixed else element) for count, element in groups)
    return max(reduced, sum(count * element for count, element in sizes))


def _updating(job: Job, groups: list[tuple[int, int]]) -> int:
    """Temporaries of the optimizer, which updates what decays and what does not one after another.

    What does not decay is next to nothing, but for modules below one that is called a norm (transformers 5.23.0,
    `Trainer.get_decay_parameter_names`).
    """
    if job.offload != "none":
        return 0
    temporaries = 0
    decaying = 1.0 if job.training.adapters else decaying_share(job.architecture)
    for count, element in groups:
        updated = -(-round(decaying * count) // job.shards.optimizer)
        temporaries += job.optimizer.temporary_bytes(updated, element)
    return temporaries
