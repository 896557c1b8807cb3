"""Seconds of one micro-batch and of one update on this hardware: a roofline with a floor for kernel launches."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog import Gpu
from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.weights import weights
from hbspec.diagnostics import Missing, known
from hbspec.estimators.constants import ATTENTION, ATTENTION_UNKNOWN, REACHED, REACHED_UNKNOWN, STEP, StepConstants
from hbspec.estimators.step.communication import host_bytes_per_second, link_bytes_per_second, ring_bytes
from hbspec.estimators.step.flops import attention_pairs, micro_batch_flops
from hbspec.estimators.step.job import Job, job_of
from hbspec.estimators.step.kernels import kernels
from hbspec.estimators.step.offloaded import offloaded_tensors
from hbspec.estimators.step.positions import program_at, row_tokens
from hbspec.estimators.weights import QUANTIZED_TOWER, TOWER
from hbspec.plan import Hardware, Plan
from hbspec.units import Interval


class MicroBatch(NamedTuple):
    """What one micro-batch asks of one GPU, each part in seconds at the GPU's own figures, but for the launches.

    Attributes:
        products: operations of matrix products over what one alone reaches in their dtype.
        attention: operations over pairs of tokens over what a kernel of attention alone reaches.
        weights: bytes of weights that the products read over the memory bandwidth.
        written: bytes that kernels write over the memory bandwidth.
        unpacked: bytes of unpacked weights over the memory bandwidth.
        launches: kernels.
        communication: what ranks send each other, at the speed that links reach.
        handover: factor on all of it where layers run on one GPU after another.
    """

    products: float
    attention: float
    weights: float
    written: float
    unpacked: float
    launches: int
    communication: float
    handover: float

    def work(self, constants: StepConstants = STEP) -> float:
        """Seconds of the GPU's kernels, one after another."""
        return (
            self.products / constants.products
            + self.attention / constants.attention
            + self.weights
            + self.written * constants.crossings
            + self.unpacked * constants.unpacking
        )

    def seconds(self, constants: StepConstants = STEP) -> Interval:
        """The GPU's work or, if longer, the host's launching of it or the links' sending."""
        work, launch, sent = self.work(constants), constants.launch * self.launches, self.communication
        error, links = constants.error, constants.links
        return Interval(
            max(work * error.low, launch.low, sent * links.low) * self.handover,
            max(work * error.expected, launch.expected, sent * links.expected) * self.handover,
            max(work * error.high, launch.high, sent * links.high) * self.handover,
        )


def micro_batch(plan: Plan, tokens: float, *, backward: bool = True) -> MicroBatch:
    """What one micro-batch asks of one GPU, forward and backward, or only forward as an evaluation does.

    products: FLOPs over what one product reaches, attention's by the pairs that its kernel computes and the rows'
    unevenness; what is multiplied in float32 over the speed of that, a sixteenth on an A100 (the head and the adapters
    of a model after k-bit preparation, without autocast).
    weights: all of them once a pass, in the dtype that is multiplied. written, unpacked, launches: see
    `hbspec.estimators.step.kernels`. communication: all-gathers of sharded weights in forward and backward (one,
    where FSDP keeps them gathered) and the reduce-scatter of gradients, unless they are accumulated unsharded, hidden
    behind the work where they are shorter. Under `pipeline` all layers run one
    after another, on whatever GPU they are, and slower by what handing over costs.

    Args:
        plan: the plan.
        tokens: T of each row of the micro-batch, padding included.
        backward: whether gradients are computed.

    Raises:
        NotKnownError: what the estimate of memory needs, or the GPU's speed in the compute dtype or bandwidth.
    """
    job, hardware = job_of(plan), _hardware(plan)
    training, gpu = plan.training, hardware.gpu
    bandwidth = known(gpu.bandwidth, Missing(f"the memory bandwidth of {gpu.name}", ("instance",)))
    forward, back = kernels(job, max(1, round(tokens)))
    run = forward.plus(back) if backward else forward
    passes = (3 if training.gradient_checkpointing else 2) if backward else 1
    whole = _computed_weights(job) / job.tensor_parallel
    n = training.micro_batch * tokens
    products, attention = _products(job, gpu, tokens, backward=backward)
    return MicroBatch(
        products=products / job.tensor_parallel,
        attention=plan.unevenness * attention / job.tensor_parallel,
        weights=passes * whole / bandwidth,
        written=run.written / bandwidth,
        unpacked=run.unpacked / bandwidth,
        launches=run.launches + _fetches(job, passes),
        communication=_communication(plan, job, hardware, passes, n)
        + (_offloading_seconds(job, hardware, tokens) if backward else 0.0),
        handover=STEP.handover if plan.way.splits_layers and hardware.gpus > 1 else 1.0,
    )


def update_seconds(plan: Plan) -> float:
    """Seconds of what happens once an update: the reduction of gradients and the optimizer.

    Gradients of d ranks are reduced (2 G (d - 1) / d bytes, half of it where each rank keeps its part); the optimizer's
    kernels move what `Optimizer.update_bytes` says; offloaded states cross PCIe twice.

    Raises:
        NotKnownError: as `micro_batch`.
    """
    job, hardware = job_of(plan), _hardware(plan)
    bandwidth = known(hardware.gpu.bandwidth, Missing(f"the memory bandwidth of {hardware.gpu.name}", ("instance",)))
    size, parameters = job.precision.trained, -(-job.trainable // job.shards.optimizer)
    moved = job.optimizer.update_bytes(parameters, size, adapters=plan.training.adapters)
    seconds = moved / (bandwidth * STEP.bandwidth)
    if plan.offload != "none":
        seconds += 2 * parameters * size / host_bytes_per_second(hardware)
    ranks = plan.data_parallel_size or 1
    if ranks > 1 and job.shards.gradients == 1:
        seconds += 2 * ring_bytes(job.trainable * size, ranks) / link_bytes_per_second(hardware)
    elif job.defers_gradients:
        seconds += _reduce_seconds(job, hardware)
    return seconds


def _reduce_seconds(job: Job, hardware: Hardware) -> float:
    """Seconds of one reduce-scatter of all gradients."""
    gradients = job.trainable * job.precision.trained
    return ring_bytes(gradients, job.shards.gradients) / link_bytes_per_second(hardware)


def reached(gpu: Gpu, dtype: str) -> float:
    """FLOP/s that one large matrix product alone reaches: a measured share of the data sheet's dense peak.

    Raises:
        NotKnownError: the GPU's peak in this dtype is not known, or it has none.
    """
    speeds = {"bfloat16": gpu.bf16_flops, "float16": gpu.fp16_flops, "float32": gpu.fp32_flops}
    share = REACHED.get(gpu.name, REACHED_UNKNOWN)
    return known(speeds.get(dtype), Missing(f"the speed of {gpu.name} in {dtype}", ("instance",))) * share


def _offloading_seconds(job: Job, hardware: Hardware, tokens: float) -> float:
    """Activations on their way to the host and back, on a stream of their own."""
    row, n = row_tokens(job, round(tokens)), job.training.micro_batch * round(tokens)
    moved = sum(number * size.at(n, row) for size, number in offloaded_tensors(job, program_at(job, tokens)))
    return 2 * moved / host_bytes_per_second(hardware)


def _hardware(plan: Plan) -> Hardware:
    return plan.require("hardware")


def _products(job: Job, gpu: Gpu, tokens: float, *, backward: bool) -> tuple[float, float]:
    """Seconds of all products with weights, and of attention, were each kernel alone."""
    training, n = job.training, job.training.micro_batch * tokens
    flops = micro_batch_flops(job.architecture, training, tokens, program=program_at(job, tokens))
    run = flops if backward else flops.forward
    pairs, others = run.attention * _computed_share(job, tokens), run.products
    wide = min(others, _wide_flops(job, n, others, backward=backward))
    products = (others - wide) / reached(gpu, training.compute_dtype)
    products += wide / reached(gpu, "float32") if wide else 0.0
    # the kernels of flash attention take 16-bit numbers only
    narrow = training.kernel == "flash_attention_2" or not _wide_stream(job)
    dtype = training.compute_dtype if narrow else "float32"
    if training.kernel == "eager":
        return products + pairs / reached(gpu, dtype), 0.0
    return products, pairs / (reached(gpu, dtype) * ATTENTION.get(gpu.compute_capability or (0, 0), ATTENTION_UNKNOWN))


def _computed_share(job: Job, tokens: float) -> float:
    """Of all pairs of tokens, those that the attention kernels compute."""
    architecture, kernel = job.architecture, job.training.kernel
    pairs = attention_pairs(architecture, tokens, attention=kernel, masked=job.program.padded)
    return pairs / (architecture.num_hidden_layers * tokens**2)


def _wide_stream(job: Job) -> bool:
    """Whether products of the residual stream itself are in float32: it is, and nothing casts it."""
    return job.precision.stream == FLOAT32 > job.precision.compute and not job.precision.autocast


def _wide_flops(job: Job, n: float, others: float, *, backward: bool) -> float:
    """Operations in float32 where the rest is narrower: of head and adapters, or of everything that is trained.

    2 n V h for the head in each direction, 2 n P for adapters forward and again when computed again, 4 n P back.
    """
    if job.precision.autocast or job.precision.compute == FLOAT32:
        return 0.0
    if not job.training.adapters:
        return others if job.precision.stream == FLOAT32 else 0.0
    head = 2 * n * job.architecture.vocab_size * job.architecture.hidden_size if _wide_stream(job) else 0.0
    adapters = 2 * n * job.trainable if job.precision.trained == FLOAT32 else 0.0
    if not backward:
        return head + adapters
    return 2 * head + (4 if job.training.gradient_checkpointing else 3) * adapters


def _computed_weights(job: Job) -> float:
    """Bytes of the weights as they are gathered and multiplied: what is not quantised in the compute dtype.

    A tower that no text goes through is not gathered.
    """
    stored = {"float32": FLOAT32}.get(job.training.weights_dtype, job.precision.compute)
    quantised = job.weights["quantized_weights"] + job.weights["quantization_scales"]
    run = sum(size for term, size in job.weights.items() if term not in (TOWER, QUANTIZED_TOWER))
    return quantised + (run - quantised) * min(1.0, job.precision.stream / stored)


def _left_whole(job: Job) -> int:
    """Bytes of weights that FSDP leaves whole on every GPU."""
    scales = job.weights["quantization_scales"] if job.fsdp else 0
    return scales + job.weights["quantized_weights"] if job.leaves_quantized_whole else scales


def _fetches(job: Job, passes: int) -> int:
    """What DeepSpeed's hooks on every module cost the host under ZeRO-3, in launches: each tensor is fetched a pass."""
    if not (job.deepspeed is not None and job.way.shards_weights):
        return 0
    tensors = sum(weight.count for weight in weights(job.architecture) if weight.kind != "expert")
    return passes * tensors * STEP.fetch


def _communication(plan: Plan, job: Job, hardware: Hardware, passes: int, n: float) -> float:
    seconds, weights = 0.0, _computed_weights(job)
    ranks = job.shards.weights
    if ranks > 1:
        gathers = 1 if job.fsdp and not job.fsdp.reshards else 2
        moved = gathers * ring_bytes((weights - _left_whole(job)) / job.tensor_parallel, ranks)
        seconds += moved / link_bytes_per_second(hardware)
    if (ranks > 1 or job.shards.gradients > 1) and not job.defers_gradients:
        seconds += _reduce_seconds(job, hardware)
    if plan.offload == "all":
        seconds += passes * (weights - _left_whole(job)) / ranks / host_bytes_per_second(hardware)
    if job.tensor_parallel > 1:
        hidden = 2 * job.architecture.num_hidden_layers * n * job.architecture.hidden_size * job.precision.compute
        seconds += passes * 2 * ring_bytes(hidden, job.tensor_parallel) / link_bytes_per_second(hardware)
    return seconds
