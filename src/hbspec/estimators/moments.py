"""The moments of a training step on one GPU, each a sum of named terms in whole bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hbspec.catalog import Architecture
from hbspec.diagnostics import known
from hbspec.estimators.activations import backward_working, dequantized, saved_by_layer
from hbspec.estimators.layer import Layer, layer_of, targets_of
from hbspec.estimators.loss import loss_bytes
from hbspec.estimators.optimizer import Optimizer, optimizer
from hbspec.estimators.placement import Shards, Stage, shards
from hbspec.estimators.precision import Precision, precision_of
from hbspec.estimators.weights import EMBEDDING, HEAD, training_weights
from hbspec.plan import Plan, Training

LASTING = frozenset(
    {
        *(EMBEDDING, HEAD, "experts", "linear_weights", "norms_and_biases", "quantized_weights", "quantization_scales"),
        *("adapters", "optimizer_states", "master_weights", "gradients", "gradient_buckets", "gathered_weights"),
    }
)
"""Terms that follow from shapes alone. All others grow with the tokens and are as good as the traces behind them."""

REDUCE_BUCKET = 500_000_000
"""Numbers in a reduce bucket of ZeRO-1 and ZeRO-2 (DeepSpeed's default `reduce_bucket_size`)."""

GATHERED_LAYERS = 2
"""Layers whose weights are whole at once under full sharding: the one that computes and the one that is prefetched."""


@dataclass(frozen=True, slots=True)
class Job:
    """What the memory of every GPU of a job is computed from."""

    architecture: Architecture
    training: Training
    precision: Precision
    layer: Layer
    weights: Mapping[str, int]
    trainable: int
    optimizer: Optimizer
    shards: Shards
    parallelism: str
    offload: str
    tensor_parallel: int


def job_of(plan: Plan) -> Job:
    """The memory-relevant side of a plan.

    Raises:
        NotKnownError: the architecture, what is trained, the processes or the optimizer is not known.
    """
    architecture = known(plan.architecture, plan.unknown.get("architecture", "the architecture"))
    # before the layer: adapters that cannot be counted cannot be placed either
    trainable = known(plan.trainable_parameters, plan.unknown.get("trainable_parameters", "what is trained"))
    return Job(
        architecture=architecture,
        training=plan.training,
        precision=precision_of(plan.training),
        layer=layer_of(architecture, targets_of(plan.training), plan.tensor_parallel),
        weights=training_weights(architecture, plan.training),
        trainable=trainable,
        optimizer=optimizer(plan.training.optim),
        shards=shards(plan),
        parallelism=plan.parallelism,
        offload=plan.offload,
        tensor_parallel=plan.tensor_parallel,
    )


def peak_moment(job: Job, stage: Stage, tokens: int) -> tuple[str, Mapping[str, int]]:
    """The moment that needs most, and its terms.

    Args:
        job: the job.
        stage: what this GPU computes on.
        tokens: T, tokens of each row of the micro-batch.

    Returns:
        "load", "loss", "recompute" (checkpointing: a layer computed again for its backward pass), "backward" (without
        checkpointing its beginning, and for every job its end) or "optimizer".
    """
    return max(moments(job, stage, tokens), key=lambda moment: sum(moment[1].values()))


def moments(job: Job, stage: Stage, tokens: int) -> Iterator[tuple[str, Mapping[str, int]]]:
    """Every moment that can be the largest. Left out: the forward pass, which each backward pass exceeds."""
    base, trained = _weights(job, stage), _trained(job, stage)
    yield "load", {**base, "loading": _loading(job, stage)}
    gradients = trained.pop("gradients")
    states = {**base, **trained}
    held = {"gradients": gradients} if job.training.gradient_accumulation > 1 else {}
    n, hidden = job.training.micro_batch * tokens, job.architecture.hidden_size
    inputs = 24 * n + 8 * job.training.micro_batch * (tokens + 1) if stage.layers or stage.head else 0
    rotary = 2 * job.precision.stream * job.architecture.head_dim * tokens if stage.layers else 0
    around = {"inputs": inputs + rotary}
    checkpointing = job.training.gradient_checkpointing
    saved = sum(saved_by_layer(job.layer, job.precision, job.training, tokens).values())
    if checkpointing:
        kept = {"layer_inputs": stage.layers * job.precision.stream * hidden * n}
    else:
        kept = {"saved_activations": stage.layers * saved * n, "adapter_copies": _copies(job, stage, stage.layers)}
    if stage.head:
        loss = loss_bytes(job.architecture, job.precision, job.training, n)
        yield "loss", {**states, **held, **around, **kept, **loss}
    if stage.layers:
        for working in _backward(job, stage, saved if checkpointing else 0, n, tokens):
            yield "recompute" if checkpointing else "backward", {**states, **held, **around, **kept, **working}
        earlier = {"gradients": gradients - _last_gradients(job, stage)}
        for working in _backward(job, stage, saved, n, tokens):
            yield "recompute" if checkpointing else "backward", {**states, **earlier, **around, **working}
    yield "backward", {**states, **around, "gradients": gradients, **_end_of_backward(job, stage, n)}
    yield "optimizer", {**states, "gradients": gradients, "optimizer_temporaries": _updating(job, stage)}


def _share(total: int, stage: Stage, layers: int) -> int:
    """The part of something spread evenly over all layers that lies in a stage; the parts of all stages add up."""
    return total * stage.last // layers - total * stage.first // layers


def _weights(job: Job, stage: Stage) -> dict[str, int]:
    """The base model's weights on this GPU, and those that are gathered from the other ranks for a while."""
    layers, local, whole = job.architecture.num_hidden_layers, {}, 0
    for term, total in job.weights.items():
        if term == EMBEDDING:
            here = total if stage.embedding or (stage.head and not job.weights[HEAD]) else 0
        elif term == HEAD:
            here = total if stage.head else 0
        else:
            here = _share(total, stage, layers)
            if term != "norms_and_biases":
                here = -(-here // job.tensor_parallel)
        whole += here
        local[term] = 0 if job.offload == "all" else -(-here // job.shards.weights)
    missing = whole - sum(local.values())
    if missing > 0:
        outer = sum(job.weights[term] for term in (EMBEDDING, HEAD))
        layer = -(-(sum(job.weights.values()) - outer) // (layers * job.tensor_parallel))
        local["gathered_weights"] = min(outer + min(GATHERED_LAYERS, layers) * layer, missing)
    return local


def _trained(job: Job, stage: Stage) -> dict[str, int]:
    """Adapters, their gradients and states on this GPU; of a full fine-tune gradients and states."""
    size, cut = job.precision.trained, job.shards
    parameters = _trainable(job, stage)
    on_gpu = job.offload == "none"
    updated = -(-parameters // cut.optimizer)
    terms = {
        "adapters": -(-parameters // cut.weights) * size if job.training.adapters and job.offload != "all" else 0,
        "gradients": -(-parameters // cut.gradients) * size,
        "optimizer_states": 0,
    }
    if on_gpu:
        master = job.parallelism.startswith("zero") and size < 4
        state_size = 4 if master else size
        terms["optimizer_states"] = job.optimizer.state_bytes(updated, state_size, adapters=job.training.adapters)
        terms["master_weights"] = 4 * updated if master else 0
    if job.parallelism == "ddp" or (job.parallelism == "fsdp" and cut.weights == 1):
        terms["gradient_buckets"] = parameters * size
    elif job.parallelism in ("zero1", "zero2"):
        terms["gradient_buckets"] = min(parameters, REDUCE_BUCKET) * size
    elif job.parallelism in ("zero3", "fsdp"):
        terms["gradient_buckets"] = -(-parameters // job.architecture.num_hidden_layers) * size
    return terms


def _trainable(job: Job, stage: Stage) -> int:
    parameters = _share(job.trainable, stage, job.architecture.num_hidden_layers)
    return parameters if job.training.adapters else -(-parameters // job.tensor_parallel)


def _copies(job: Job, stage: Stage, layers: int) -> int:
    """16-bit copies that autocast makes of fp32 adapters, of so many layers."""
    if not (job.training.adapters and job.precision.autocast and job.precision.trained == 4) or not stage.layers:
        return 0
    return job.precision.compute * _trainable(job, stage) * layers // stage.layers


def _loading(job: Job, stage: Stage) -> int:
    """The largest tensor in 16 bits: before it is quantised, or while k-bit preparation makes fp32 of it."""
    if not job.training.quantization:
        return 0
    embedding = job.architecture.vocab_size * job.architecture.hidden_size if stage.embedding or stage.head else 0
    return 2 * max(job.layer.largest if stage.layers else 0, embedding)


def _backward(job: Job, stage: Stage, recomputed: int, n: int, tokens: int) -> Iterator[dict[str, int]]:
    """The backward pass of one layer, by where in it the most is alive."""
    copies = {"adapter_copies": _copies(job, stage, 1)} if recomputed else {}
    working = backward_working(job.layer, job.precision, job.training, tokens)
    yield {**copies, "recomputed_layer": recomputed * n, "backward": working * n}
    if job.training.quantization:
        buffer, beside = dequantized(job.layer, job.precision, job.training)
        terms = {**copies, "recomputed_layer": recomputed * n, "dequantized_weights": buffer}
        if beside < 0:
            terms["recomputed_layer"] = max(0, terms["recomputed_layer"] + beside * n)
        yield {**terms, "backward": max(0, beside) * n}


def _last_gradients(job: Job, stage: Stage) -> int:
    """Gradients that do not exist yet while the first layer's backward pass runs: that layer's, and the embedding's."""
    parameters = _trainable(job, stage)
    tied = job.architecture.tie_word_embeddings
    outer = job.architecture.vocab_size * job.architecture.hidden_size if stage.embedding else 0
    if job.training.adapters or (1 if tied else 2) * outer >= parameters:
        outer = 0
    layer = (parameters - (outer if tied else 2 * outer)) // stage.layers
    return (layer + (0 if tied else outer)) * job.precision.trained // job.shards.gradients


def _end_of_backward(job: Job, stage: Stage, n: int) -> dict[str, int]:
    """What is alive beside all gradients when the first layer is done.

    2 h a token (4 h for adapters), and, where the head is the embedding, the dense gradient of each and their sum.
    """
    hidden, adapters = job.architecture.hidden_size, job.training.adapters
    terms = {"backward": (4 if adapters else 2) * hidden * n if stage.layers else 0}
    if not adapters and job.architecture.tie_word_embeddings and stage.embedding:
        terms["head_gradients"] = 2 * job.precision.trained * job.architecture.vocab_size * hidden
    return terms


def _updating(job: Job, stage: Stage) -> int:
    """Temporaries of the optimizer; under DeepSpeed an fp32 copy of the gradients instead."""
    if job.offload != "none":
        return 0
    updated = -(-_trainable(job, stage) // job.shards.optimizer)
    if job.parallelism.startswith("zero") and job.precision.trained < 4:
        return 4 * updated
    return job.optimizer.temporary_bytes(updated, job.precision.trained)
