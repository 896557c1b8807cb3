"""Seconds of one micro-batch and of one update on this hardware: a roofline with a floor for kernel launches."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog import Gpu
from hbspec.catalog.dtypes import FLOAT32
from hbspec.diagnostics import Missing, known
from hbspec.estimators.constants import ATTENTION, ATTENTION_UNKNOWN, INT8_SLOWER, STEP, StepConstants
from hbspec.estimators.step.exchange import (
    all_reduced_seconds,
    computed_weights,
    fetched_tensors,
    hooked_units,
    host_update_seconds,
    offloaded_seconds,
    reduced_seconds,
    sent_seconds,
)
from hbspec.estimators.step.flops import attention_pairs, micro_batch_flops
from hbspec.estimators.step.job import Job, job_of
from hbspec.estimators.step.kernels import kernels
from hbspec.estimators.step.positions import program_at
from hbspec.estimators.step.speed import reached, timed, unknown, untimed
from hbspec.plan import Hardware, Plan
from hbspec.units import Interval


class MicroBatch(NamedTuple):
    """What one micro-batch asks of one GPU, each part in seconds at the GPU's own figures, but for the launches.

    Attributes:
        products: operations of matrix products over what they reach in their dtype when timed alone.
        attention: operations over pairs of tokens over what a kernel of attention alone reaches.
        unknown: factor on the products, as far as their speed on the GPU is not known.
        weights: bytes of weights that the products read over the memory bandwidth, unless the time for it is theirs.
        written: bytes that kernels write over the memory bandwidth.
        unpacked: bytes of unpacked weights over the memory bandwidth.
        launches: kernels, and what DeepSpeed's hooks cost the host, in launches.
        units: what FSDP's hooks gather and free.
        streamed: what crosses PCIe beside the work.
        sent: what ranks send each other.
        handover: factor on all of it where layers run on one GPU after another.
    """

    products: float
    attention: float
    unknown: Interval
    weights: float
    written: float
    unpacked: float
    launches: int
    units: int
    streamed: float
    sent: Interval
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
        """The GPU's work and what is sent beside it, or, if longer, the host's launching, or all that is sent."""
        unknown = self.products / constants.products * self.unknown
        work = constants.error * (unknown + (self.work(constants) - unknown.expected))
        launch = constants.launch * (self.launches + constants.unit * self.units)
        exposed = constants.exposed * self.sent
        return (
            Interval(
                max(work.low + exposed.low, launch.low, self.sent.low, self.streamed),
                max(work.expected + exposed.expected, launch.expected, self.sent.expected, self.streamed),
                max(work.high + exposed.high, launch.high, self.sent.high, self.streamed),
            )
            * self.handover
        )


class Update(NamedTuple):
    """What happens once an update, in seconds.

    Attributes:
        work: the GPU's kernels of the optimizer.
        host: the optimizer on the host.
        sent: what ranks send each other.
    """

    work: float
    host: Interval
    sent: Interval

    def seconds(self, constants: StepConstants = STEP) -> Interval:
        """One after another."""
        return constants.error * self.work + self.host + self.sent


def micro_batch(plan: Plan, tokens: float, *, backward: bool = True) -> MicroBatch:
    """What one micro-batch asks of one GPU, forward and backward, or only forward as an evaluation does.

    products: FLOPs over the speed of products of as many rows as there are tokens (`hbspec.estimators.step.speed`);
    what is multiplied in float32 over the speed of that, a sixteenth on an A100 (the head and the adapters of a model
    after k-bit preparation, without autocast). attention: by the pairs that its kernel computes and the rows'
    unevenness.
    weights: all of them once a pass, in the dtype that is multiplied, but for products that were timed with it; each
    expert has fewer rows than there are tokens, so that a mixture's are not taken from there. written, unpacked,
    launches: see `hbspec.estimators.step.kernels`. streamed, sent: see `hbspec.estimators.step.exchange`. Under
    `pipeline` all layers run one after another, on whatever GPU they are, and slower by what handing over costs.

    Args:
        plan: the plan.
        tokens: T of each row of the micro-batch, padding included.
        backward: whether gradients are computed.

    Raises:
        NotKnownError: what the estimate of memory needs, or the GPU's speed in the compute dtype or bandwidth.
    """
    job, hardware = job_of(plan), _hardware(plan)
    training, gpu = job.training, hardware.gpu
    bandwidth = known(gpu.bandwidth, Missing(f"the memory bandwidth of {gpu.name}", ("instance",)))
    forward, back = kernels(job, max(1, round(tokens)))
    run = forward.plus(back) if backward else forward
    passes = (3 if training.gradient_checkpointing else 2) if backward else 1
    whole = computed_weights(job) / job.tensor_parallel
    n = training.micro_batch * tokens
    speed = None if job.architecture.is_sparse else timed(gpu, training.compute_dtype, n)
    if _wide_stream(job) or job.precision.compute == FLOAT32:
        speed = None
    products, attention = _products(job, gpu, tokens, speed, backward=backward)
    return MicroBatch(
        products=products / job.tensor_parallel,
        attention=plan.unevenness * attention / job.tensor_parallel,
        unknown=unknown(gpu, training.quantization),
        weights=0.0 if speed else passes * whole / bandwidth,
        written=run.written / bandwidth,
        unpacked=run.unpacked / bandwidth,
        launches=run.launches + STEP.fetch * fetched_tensors(job, passes),
        units=hooked_units(job, passes),
        streamed=offloaded_seconds(job, hardware, passes, tokens),
        sent=sent_seconds(job, hardware, passes, n),
        handover=STEP.handover if plan.way.splits_layers and hardware.gpus > 1 else 1.0,
    )


def update(plan: Plan) -> Update:
    """What happens once an update: the reduction of gradients and the optimizer.

    work: the optimizer's kernels move what `Optimizer.update_bytes` says. sent: gradients of d ranks are reduced
    (2 G (d - 1) / d bytes, half of it where each rank keeps its part).

    Raises:
        NotKnownError: as `micro_batch`.
    """
    job, hardware = job_of(plan), _hardware(plan)
    bandwidth = known(hardware.gpu.bandwidth, Missing(f"the memory bandwidth of {hardware.gpu.name}", ("instance",)))
    size, parameters = job.precision.trained, -(-job.trainable // job.shards.optimizer)
    moved = job.optimizer.update_bytes(parameters, size, adapters=plan.training.adapters)
    on_host = plan.offload != "none"
    sent = all_reduced_seconds(job, hardware, plan.data_parallel_size or 1)
    return Update(
        work=0.0 if on_host else moved / (bandwidth * STEP.bandwidth),
        host=host_update_seconds(job, hardware, parameters) if on_host else Interval.exact(0.0),
        sent=sent + reduced_seconds(job, hardware) if job.defers_gradients else sent,
    )


def _hardware(plan: Plan) -> Hardware:
    return plan.require("hardware")


def _products(job: Job, gpu: Gpu, tokens: float, speed: float | None, *, backward: bool) -> tuple[float, float]:
    """Seconds of all products with weights, and of attention, were each kernel alone."""
    training, n = job.training, job.training.micro_batch * tokens
    flops = micro_batch_flops(job.architecture, training, tokens, program=program_at(job, tokens))
    run = flops if backward else flops.forward
    pairs, others = run.attention * _computed_share(job, tokens), run.products
    wide = min(others, _wide_flops(job, n, others, backward=backward))
    products = (others - wide) / (speed or untimed(gpu, training.compute_dtype))
    products += wide / untimed(gpu, "float32") if wide else 0.0
    products *= INT8_SLOWER.expected if training.quantization == "int8" else 1.0
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
