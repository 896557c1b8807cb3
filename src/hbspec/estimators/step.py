"""Seconds of one micro-batch and of one update on this hardware: a roofline with a floor for kernel launches."""

from __future__ import annotations

from dataclasses import dataclass

from hbspec.catalog import Architecture, Gpu
from hbspec.diagnostics import known
from hbspec.estimators.communication import host_bytes_per_second, link_bytes_per_second, ring_bytes
from hbspec.estimators.constants import (
    ACTIVATION_PASSES,
    BANDWIDTH_EFFICIENCY,
    DEQUANTIZATION_EFFICIENCY,
    GEMM_EFFICIENCY,
    GEMM_EFFICIENCY_UNKNOWN,
    LAUNCH_SECONDS_PER_LAYER,
    PIPELINE_SLOWDOWN,
)
from hbspec.estimators.flops import Flops, micro_batch_flops
from hbspec.estimators.job import Job, job_of
from hbspec.estimators.moments import saved_bytes
from hbspec.plan import Hardware, Plan

CAUSAL_SHARE = 0.5
"""Part of all pairs of tokens that a causal kernel computes; eager attention computes all."""


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """Where the seconds of one micro-batch on one GPU go, `slowdown` being a factor on all of it."""

    products: float
    activations: float
    dequantization: float
    communication: float
    launches: float
    slowdown: float

    @property
    def seconds(self) -> float:
        """The GPU's work one after the other, or, if longer, the host's launching of it or the links' sending."""
        work = self.products + self.activations + self.dequantization
        return max(work, self.communication, self.launches) * self.slowdown


def micro_batch(plan: Plan, tokens: float) -> MicroBatch:
    """Seconds of one micro-batch, forward and backward.

    products: FLOPs / (dense peak x efficiency), causal attention counted half. activations: 8 crossings of the memory
    bus for each saved byte. dequantization: reading 4 bits and writing 16 for each quantised weight in each pass.
    communication: all-gathers of sharded weights in forward and backward and the reduce-scatter of gradients, hidden
    behind the work where they are shorter. launches: a floor a layer. Under `pipeline` all layers run one after
    another, on whatever GPU they are, and slower by what handing over costs.

    Args:
        plan: the plan.
        tokens: T of each row of the micro-batch, padding included.

    Raises:
        NotKnownError: what the estimate of memory needs, or the GPU's speed in the compute dtype or bandwidth.
    """
    job, hardware = job_of(plan), _hardware(plan)
    training, gpu = plan.training, hardware.gpu
    flops = _flops(plan, job.architecture, tokens)
    pairs = flops.attention * (0 if training.attention == "eager" else 1 - CAUSAL_SHARE)
    speed = compute_speed(gpu, training.compute_dtype)
    bandwidth = known(gpu.bandwidth, f"the memory bandwidth of {gpu.name}")
    layers = job.architecture.num_hidden_layers
    n = training.micro_batch * tokens
    saved = saved_bytes(job, round(tokens))
    passes = 3 if training.gradient_checkpointing else 2
    crossings = ACTIVATION_PASSES * passes / 3
    return MicroBatch(
        products=(flops.total - pairs) / speed / job.tensor_parallel,
        activations=crossings * saved / (bandwidth * BANDWIDTH_EFFICIENCY),
        dequantization=passes * _unpacked(job) / (bandwidth * DEQUANTIZATION_EFFICIENCY),
        communication=_communication(plan, job, hardware, passes, n),
        launches=layers * LAUNCH_SECONDS_PER_LAYER * passes / 3,
        slowdown=PIPELINE_SLOWDOWN if plan.parallelism == "pipeline" and hardware.gpus > 1 else 1.0,
    )


def update_seconds(plan: Plan) -> float:
    """Seconds of what happens once an update: the reduction of gradients and the optimizer.

    Gradients of d ranks are reduced (2 G (d - 1) / d bytes); the optimizer reads gradients and reads and writes
    parameters and states; offloaded states cross PCIe twice.

    Raises:
        NotKnownError: as `micro_batch`.
    """
    job, hardware = job_of(plan), _hardware(plan)
    bandwidth = known(hardware.gpu.bandwidth, f"the memory bandwidth of {hardware.gpu.name}")
    size, parameters = job.precision.trained, -(-job.trainable // job.shards.optimizer)
    states = job.optimizer.state_bytes(parameters, size, adapters=plan.training.adapters)
    seconds = (3 * parameters * size + 2 * states) / (bandwidth * BANDWIDTH_EFFICIENCY)
    if plan.offload != "none":
        seconds += 2 * parameters * size / host_bytes_per_second(hardware)
    ranks = plan.data_parallel_size or 1
    if ranks > 1 and job.shards.gradients == 1:
        seconds += 2 * ring_bytes(job.trainable * size, ranks) / link_bytes_per_second(hardware)
    return seconds


def compute_speed(gpu: Gpu, dtype: str) -> float:
    """FLOP/s that large matrix products reach on a GPU.

    Raises:
        NotKnownError: the GPU's peak in this dtype is not known, or it has none.
    """
    peak = {"bfloat16": gpu.bf16_flops, "float16": gpu.fp16_flops}.get(dtype)
    efficiency = GEMM_EFFICIENCY.get(gpu.compute_capability or (0, 0), GEMM_EFFICIENCY_UNKNOWN)
    return known(peak, f"the speed of {gpu.name} in {dtype}") * efficiency


def _hardware(plan: Plan) -> Hardware:
    return known(plan.hardware, plan.unknown.get("hardware", "the hardware"))


def _flops(plan: Plan, architecture: Architecture, tokens: float) -> Flops:
    training = plan.training
    return micro_batch_flops(
        architecture,
        training.micro_batch,
        tokens,
        adapters=plan.trainable_parameters if training.adapters else None,
        checkpointing=training.gradient_checkpointing,
        rank=training.lora_r,
    )


def _unpacked(job: Job) -> float:
    """Bytes read and written to unpack all quantised weights once; 4-bit ones are four times as large after."""
    packed = job.weights["quantized_weights"] / job.tensor_parallel
    growth = 2 if job.training.quantization == "int8" else 4
    return packed * (1 + growth) + job.weights["quantization_scales"] / job.tensor_parallel


def _communication(plan: Plan, job: Job, hardware: Hardware, passes: int, n: float) -> float:
    seconds, weights = 0.0, sum(job.weights.values())
    ranks = job.shards.weights
    if ranks > 1:
        moved = 2 * ring_bytes(weights / job.tensor_parallel, ranks)
        seconds += moved / link_bytes_per_second(hardware)
    if ranks > 1 or job.shards.gradients > 1:
        gradients = job.trainable * job.precision.trained
        seconds += ring_bytes(gradients, job.shards.gradients) / link_bytes_per_second(hardware)
    if plan.offload == "all":
        seconds += passes * weights / ranks / host_bytes_per_second(hardware)
    if job.tensor_parallel > 1:
        hidden = 2 * job.architecture.num_hidden_layers * n * job.architecture.hidden_size * job.precision.compute
        seconds += passes * 2 * ring_bytes(hidden, job.tensor_parallel) / link_bytes_per_second(hardware)
    return seconds
