"""What lies on one GPU whatever the tokens: weights, gradients, optimizer states, and what is gathered for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hbspec.catalog.dtypes import BYTES, FLOAT32
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.weights import EMBEDDING, HEAD, largest_linear
from hbspec.plan.parallelism import Engine

REDUCE_BUCKET = 500_000_000
"""Numbers in a reduce bucket of ZeRO-1 and ZeRO-2 (DeepSpeed's default `reduce_bucket_size`)."""

SCALES = "quantization_scales"
"""Scales of quantised weights are not parameters: sharding leaves them whole on every rank."""


class States(NamedTuple):
    """Bytes on one GPU, by name.

    Attributes:
        weights: the base model's, as they lie there.
        trained: adapters, optimizer states, copies of weights for the update.
        computing: what exists beside them while a micro-batch runs: weights gathered from other ranks, buckets.
        gradients: of everything that is trained, when all have arrived.
        accumulated: those of earlier micro-batches while another one runs.
        loading: beside the weights while they are loaded.
        updating: temporaries of the optimizer.
    """

    weights: Mapping[str, int]
    trained: Mapping[str, int]
    computing: Mapping[str, int]
    gradients: int
    accumulated: int
    loading: int
    updating: int


def states_of(job: Job, stage: Stage) -> States:
    """What lies on the GPU that computes a stage."""
    whole = _whole_weights(job, stage)
    weights = {term: _cut_weight(job, term, size) for term, size in whole.items()}
    groups = _groups(job, stage)
    size = sum(-(-count // job.shards.gradients) * element for count, element in groups)
    return States(
        weights=weights,
        trained=_trained(job, groups),
        computing={
            **_gathered(job, whole, weights),
            "gradient_buckets": _buckets(job, groups),
            "workspaces": job.workspaces,
        },
        gradients=size,
        accumulated=_accumulated(job, groups, size) if job.training.gradient_accumulation > 1 else 0,
        loading=_loading(job, stage),
        updating=_updating(job, groups),
    )


def share(total: int, stage: Stage, layers: int) -> int:
    """The part of something spread evenly over all layers that lies in a stage; the parts of all stages add up."""
    return total * stage.last // layers - total * stage.first // layers


def _whole_weights(job: Job, stage: Stage) -> dict[str, int]:
    """The stage's weights before they are cut among ranks."""
    whole = {}
    for term, total in job.weights.items():
        if term == EMBEDDING:
            whole[term] = total if stage.embedding or (stage.head and not job.weights[HEAD]) else 0
        elif term == HEAD:
            whole[term] = total if stage.head else 0
        else:
            here = share(total, stage, job.architecture.num_hidden_layers)
            whole[term] = here if term == "norms_and_biases" else -(-here // job.tensor_parallel)
    return whole


def _cut_weight(job: Job, term: str, size: int) -> int:
    if job.offload == "all":
        return 0
    return size if term == SCALES else -(-size // job.shards.weights)


def _gathered(job: Job, whole: Mapping[str, int], local: Mapping[str, int]) -> dict[str, int]:
    """Weights that are whole while a layer computes: that layer, embedding and head, in the compute dtype.

    Measured on Mistral 7B and Mixtral 8x7B under FSDP (IBM fms-acceleration, a100_80gb.csv): one layer at the peak, and
    the root unit, which is not freed between forward and backward.
    """
    if not job.sharded and job.offload != "all":
        return {}
    stored = BYTES[job.training.weights_dtype]
    outer = whole[EMBEDDING] + whole[HEAD]
    inner = {term: size for term, size in whole.items() if term not in (EMBEDDING, HEAD, SCALES)}
    quantized = inner.pop("quantized_weights")
    narrowed = (sum(inner.values()) // job.architecture.num_hidden_layers + outer) * job.precision.stream // stored
    needed = narrowed + quantized // job.architecture.num_hidden_layers
    return {"gathered_weights": min(needed, max(0, sum(whole.values()) - sum(local.values())))}


def _groups(job: Job, stage: Stage) -> list[tuple[int, int]]:
    """What is trained on the stage: numbers, and bytes of each. Adapters, then modules that are trained whole."""
    layers = job.architecture.num_hidden_layers
    stored = BYTES[job.training.weights_dtype]
    if not job.training.adapters:
        return [(-(-share(job.trainable, stage, layers) // job.tensor_parallel), _narrowed(job, stored))]
    adapters = share(job.trainable - job.whole, stage, layers), _narrowed(job, BYTES[job.training.adapter_dtype])
    return [adapters, (share(job.whole, stage, layers), _narrowed(job, stored))]


def _narrowed(job: Job, element: int) -> int:
    """DeepSpeed trains a copy of its own, and holds the module in the compute dtype."""
    return min(element, job.precision.compute) if job.deepspeed and job.training.autocast else element


def _trained(job: Job, groups: list[tuple[int, int]]) -> dict[str, int]:
    terms = {"adapters": 0, "optimizer_states": 0, "master_weights": 0}
    if job.training.adapters and job.offload != "all":
        terms["adapters"] = sum(-(-count // job.shards.weights) * element for count, element in groups)
    if job.offload != "none":
        return terms
    for count, element in groups:
        updated = -(-count // job.shards.optimizer)
        copied = job.deepspeed and element < FLOAT32
        kept = FLOAT32 if copied else element
        terms["optimizer_states"] += job.optimizer.state_bytes(updated, kept, adapters=job.training.adapters)
        terms["master_weights"] += FLOAT32 * updated if copied else 0
    return terms


def _buckets(job: Job, groups: list[tuple[int, int]]) -> int:
    """What gradients are put into to be reduced: all of them under DDP, a bucket or a layer's elsewhere."""
    whole = sum(count * element for count, element in groups)
    if job.way.engine is Engine.DDP or (job.way.engine is Engine.FSDP and not job.sharded):
        return whole
    if job.deepspeed and not job.way.shards_weights:
        return min(whole, REDUCE_BUCKET * groups[0][1])
    return -(-whole // job.architecture.num_hidden_layers) if job.sharded or job.deepspeed else 0


def _accumulated(job: Job, groups: list[tuple[int, int]], cut: int) -> int:
    """FSDP does not reduce gradients before the last micro-batch: until then every rank holds all of its own.

    transformers' Trainer accumulates under `accelerator.no_sync` (torch.distributed.fsdp, `no_sync`).
    """
    return sum(count * element for count, element in groups) if job.way.engine is Engine.FSDP else cut


def _loading(job: Job, stage: Stage) -> int:
    """The largest tensor in 16 bits: before it is quantised, or while k-bit preparation makes fp32 of it."""
    if not job.training.quantization:
        return 0
    embedding = job.architecture.vocab_size * job.architecture.hidden_size if stage.embedding or stage.head else 0
    return 2 * max(largest_linear(job.architecture) if stage.layers else 0, embedding)


def _updating(job: Job, groups: list[tuple[int, int]]) -> int:
    """Temporaries of the optimizer; under DeepSpeed an fp32 copy of the gradients instead."""
    if job.offload != "none":
        return 0
    temporaries = 0
    for count, element in groups:
        updated = -(-count // job.shards.optimizer)
        copied = job.deepspeed and element < FLOAT32
        temporaries += FLOAT32 * updated if copied else job.optimizer.temporary_bytes(updated, element)
    return temporaries
