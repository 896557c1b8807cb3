"""What ranks send each other, and what crosses PCIe to the host and back, in a micro-batch and in an update."""

from __future__ import annotations

from hbspec.catalog.adapters import adapter_tensors
from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.weights import weights
from hbspec.estimators.constants import HOST_THREAD_BYTES_PER_SECOND
from hbspec.estimators.step.communication import host_bytes_per_second, link, network, ring_bytes
from hbspec.estimators.step.fsdp1 import gathers_twice
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.offloaded import offloaded_tensors
from hbspec.estimators.step.optimizer import optimizer
from hbspec.estimators.step.positions import program_at, row_tokens
from hbspec.estimators.weights import QUANTIZED_TOWER, TOWER
from hbspec.plan import Hardware
from hbspec.plan.parallelism import Engine
from hbspec.units import Interval

NOTHING = Interval.exact(0.0)

SATURATING_THREADS = 8
"""Threads that together use what a host's memory gives. Assumed."""


def sent_seconds(job: Job, hardware: Hardware, passes: int, tokens: float) -> Interval:
    """Seconds in which ranks send in a micro-batch, hidden behind work or not.

    All-gathers of sharded weights, layer by layer: one where they stay gathered, one a pass through the layers, and one
    more where FSDP1 gathers a layer anew that is computed again. The reduce-scatter of gradients, unless they are
    accumulated unsharded. Under tensor parallelism two all-reduces of hidden states a layer and pass.

    Args:
        job: the job.
        hardware: its GPUs.
        passes: passes through the layers, 1 in an evaluation.
        tokens: of the micro-batch.

    Raises:
        NotKnownError: several hosts, and the network's speed is not known.
    """
    found, ranks, layers = NOTHING, job.shards.weights, job.architecture.num_hidden_layers
    if ranks > 1:
        gathered = (computed_weights(job) - left_whole(job)) / job.tensor_parallel
        times = _gathers(job, passes)
        joined = link(hardware, ranks, each=job.tensor_parallel, rings=job.tensor_parallel)
        found += joined.seconds(times * ring_bytes(gathered, ranks), times * (layers + 1))
    if passes > 1 and (ranks > 1 or job.shards.gradients > 1) and not job.defers_gradients:
        found += reduced_seconds(job, hardware)
    if job.tensor_parallel > 1:
        hidden = tokens * job.architecture.hidden_size * job.precision.compute
        # an all-reduce is a reduce-scatter and an all-gather
        reductions, sent = 2 * layers * passes, 2 * ring_bytes(hidden, job.tensor_parallel)
        found += link(hardware, job.tensor_parallel).seconds(reductions * sent, 2 * reductions)
    return found


def reduced_seconds(job: Job, hardware: Hardware) -> Interval:
    """Seconds of one reduce-scatter of all gradients."""
    gradients, ranks = job.trainable * job.precision.trained, job.shards.gradients
    joined = link(hardware, ranks, each=job.tensor_parallel)
    return joined.seconds(ring_bytes(gradients, ranks), job.architecture.num_hidden_layers + 1)


def all_reduced_seconds(job: Job, hardware: Hardware, ranks: int) -> Interval:
    """Seconds of what replicas of gradients send each other once an update.

    An all-reduce over all ranks where each has all gradients. Where they are cut over a host's GPUs only, another over
    the hosts for each part, at the same time for all GPUs of a host, which share its network.
    """
    whole, cut = job.trainable * job.precision.trained, job.shards.gradients
    if cut == 1:
        joined = link(hardware, ranks, each=job.tensor_parallel)
        return joined.seconds(2 * ring_bytes(whole, ranks), 2) if ranks > 1 else NOTHING
    replicas = ranks // cut
    if replicas < 2:
        return NOTHING
    # each GPU's ring goes over the network beside those of the others
    return network(hardware).seconds(2 * ring_bytes(whole, replicas), 2)


def offloaded_seconds(job: Job, hardware: Hardware, passes: int, tokens: float) -> float:
    """Seconds in which weights and activations cross PCIe in a micro-batch, on streams of their own.

    Offloaded shards come to the GPU each time they are gathered, at least once a pass; activations go and come back.
    """
    seconds, speed = 0.0, host_bytes_per_second(hardware)
    if job.offload == "all":
        seconds += passes * (computed_weights(job) - left_whole(job)) / job.shards.weights / speed
    if passes > 1:
        row, n = row_tokens(job, round(tokens)), job.training.micro_batch * round(tokens)
        moved = sum(number * size.at(n, row) for size, number in offloaded_tensors(job, program_at(job, tokens)))
        seconds += 2 * moved / speed
    return seconds


def host_update_seconds(job: Job, hardware: Hardware, parameters: int) -> Interval:
    """Seconds of an optimizer on the host: gradients and parameters cross PCIe, and its passes use the host's memory.

    DeepSpeed's own Adam is one kernel (`ops/adam/cpu_adam.py`); torch's has a pass for every term of the formula. A
    process has one thread where several share a host, since `torchrun` sets OMP_NUM_THREADS=1; else as many as the
    host has vCPUs.

    Args:
        job: the job.
        hardware: its hosts.
        parameters: those that one process updates.
    """
    fused = job.way.engine is Engine.DEEPSPEED and job.optimizer.copies
    kind = optimizer("adamw_torch_fused") if fused else job.optimizer
    moved = kind.update_bytes(parameters, FLOAT32, adapters=job.training.adapters)
    known = hardware.instance.vcpus if hardware.instance is not None else None
    threads = 1 if hardware.gpus_per_instance > 1 else max(1, (known or 2) // 2)
    speed = HOST_THREAD_BYTES_PER_SECOND * min(threads, SATURATING_THREADS)
    crossed = 2 * parameters * job.precision.trained / host_bytes_per_second(hardware)
    return Interval(moved / speed.high, moved / speed.expected, moved / speed.low) + crossed


def fetched_tensors(job: Job, passes: int) -> int:
    """Tensors that hooks of DeepSpeed's stage 3 fetch: each in every pass."""
    if job.deepspeed is None or not job.way.shards_weights:
        return 0
    return passes * sum(weight.count for weight in weights(job.architecture) if weight.kind != "expert")


def hooked_units(job: Job, passes: int) -> int:
    """Units that FSDP's hooks gather and free, in every pass.

    Layers and what is around them; under FSDP1 each matrix of an adapter too, which peft's `fsdp_auto_wrap_policy`
    makes a unit of its own.
    """
    if job.fsdp is None:
        return 0
    units, training = job.architecture.num_hidden_layers + 1, job.training
    if job.fsdp.version == 1 and training.adapters:
        targets, saved = training.target_modules, training.modules_to_save
        units += sum(adapter_tensors(job.architecture, training.lora_r, targets, saved).values())
    return passes * units


def computed_weights(job: Job) -> float:
    """Bytes of the weights as they are gathered and multiplied: what is not quantised in the compute dtype.

    A tower that no text goes through is not gathered.
    """
    stored = {"float32": FLOAT32}.get(job.training.weights_dtype, job.precision.compute)
    quantised = job.weights["quantized_weights"] + job.weights["quantization_scales"]
    run = sum(size for term, size in job.weights.items() if term not in (TOWER, QUANTIZED_TOWER))
    return quantised + (run - quantised) * min(1.0, job.precision.stream / stored)


def left_whole(job: Job) -> int:
    """Bytes of weights that FSDP leaves whole on every GPU."""
    scales = job.weights["quantization_scales"] if job.fsdp else 0
    return scales + job.weights["quantized_weights"] if job.leaves_quantized_whole else scales


def _gathers(job: Job, passes: int) -> int:
    if passes == 1 or (job.fsdp is not None and not job.fsdp.reshards):
        return 1
    return 3 if job.fsdp is not None and job.fsdp.version == 1 and gathers_twice(job) else 2
