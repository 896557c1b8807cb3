"""What the memory and the speed of a job are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.adapters import saved_parameters
from hbspec.estimators.precision import Precision, precision_of
from hbspec.estimators.step.lifetimes.program import Program
from hbspec.estimators.step.optimizer import Optimizer, optimizer
from hbspec.estimators.step.placement import Shards, shards
from hbspec.estimators.weights import training_weights
from hbspec.plan import Plan, Training
from hbspec.plan.epochs import FUSED_EXPERTS, INPUTS_DROPPED, LOSS_COPIED_ONCE, NON_REENTRANT
from hbspec.plan.parallelism import PARALLELISMS, Engine, Parallelism

WORKSPACE = {9: 33_554_432}
"""Bytes of a cuBLAS workspace by the major compute capability; a GPU that is not listed has `USUAL_WORKSPACE`."""

USUAL_WORKSPACE = 8_519_680
"""`CUBLAS_WORKSPACE_CONFIG=:4096:2:16:8`, which PyTorch sets."""

WORKSPACES = 2
"""One for the thread of the forward pass and one for that of the backward pass, from the caching allocator."""


class Job(NamedTuple):
    """The side of a plan that every GPU's memory and time follow from.

    Attributes:
        trainable: parameters that are trained.
        whole: of them, those of modules that are trained whole beside the adapters (`modules_to_save`).
        program: what runs, but for batch and length.
        workspaces: bytes of cuBLAS's workspaces, which no trace on a CPU shows.
    """

    architecture: Architecture
    training: Training
    precision: Precision
    program: Program
    weights: Mapping[str, int]
    trainable: int
    whole: int
    optimizer: Optimizer
    shards: Shards
    parallelism: str
    offload: str
    tensor_parallel: int
    workspaces: int

    @property
    def way(self) -> Parallelism:
        """How the GPUs share the job."""
        return PARALLELISMS[self.parallelism]

    @property
    def sharded(self) -> bool:
        """Whether weights are gathered for every layer."""
        return self.shards.weights > 1

    @property
    def deepspeed(self) -> bool:
        """Whether DeepSpeed holds the states."""
        return self.way.engine is Engine.DEEPSPEED


def job_of(plan: Plan) -> Job:
    """The memory-relevant side of a plan.

    Raises:
        NotKnownError: the architecture, what is trained, the processes or the optimizer is not known.
    """
    architecture = plan.require("architecture")
    # before the program: adapters that cannot be counted cannot be placed either
    trainable = plan.require("trainable_parameters")
    training, cut = plan.training, shards(plan)
    precision = _precision(plan, cut)
    return Job(
        architecture=architecture,
        training=training,
        precision=precision,
        program=program_of(training, precision, plan.tensor_parallel, padded=_padded(plan)),
        weights=training_weights(architecture, training),
        trainable=trainable,
        whole=_whole(architecture, training),
        optimizer=optimizer(training.optim),
        shards=cut,
        parallelism=plan.parallelism,
        offload=plan.offload,
        tensor_parallel=plan.tensor_parallel,
        workspaces=_workspaces(plan),
    )


def _padded(plan: Plan) -> bool:
    """Whether a mask says which tokens count: rows of one micro-batch differ in length, or hold several examples."""
    cut = plan.lengths.cut(plan.training.max_length)
    return plan.training.packing or (plan.training.micro_batch > 1 and cut.mean.low < cut.longest.high)


def _workspaces(plan: Plan) -> int:
    capability = plan.hardware.gpu.compute_capability if plan.hardware else None
    return WORKSPACES * WORKSPACE.get(capability[0] if capability else 0, USUAL_WORKSPACE)


def _precision(plan: Plan, cut: Shards) -> Precision:
    """Element sizes while computing.

    FSDP gathers weights in the compute dtype where a step runs in mixed precision (`MixedPrecision.param_dtype`), and
    DeepSpeed narrows the whole module, adapters included: then nothing is left for autocast to copy.
    """
    precision = precision_of(plan.training)
    narrows = plan.way.engine is Engine.DEEPSPEED or cut.weights > 1
    if not (narrows and precision.autocast):
        return precision
    return Precision(precision.compute, precision.compute, precision.compute, autocast=False)


def _whole(architecture: Architecture, training: Training) -> int:
    if not training.adapters:
        return 0
    return saved_parameters(architecture, training.target_modules, training.modules_to_save)


def reentrant(training: Training) -> bool:
    """Whether checkpointing is reentrant, which computes whole layers again and stops nowhere early."""
    return training.gradient_checkpointing and not training.has(NON_REENTRANT)


def program_of(training: Training, precision: Precision, tensor_parallel: int, *, padded: bool) -> Program:
    """What runs on a GPU, but for batch and length."""
    return Program(
        quantization=training.quantization,
        double_quant=training.double_quant,
        targets=training.target_modules if training.adapters else (),
        modules_to_save=training.modules_to_save,
        rank=training.lora_r,
        dropout=training.lora_dropout > 0,
        dora=training.use_dora,
        checkpointing=training.gradient_checkpointing,
        attention=training.attention,
        padded=padded,
        windowed=False,
        standard_loss=training.loss == "standard",
        compute=precision.compute,
        stream=precision.stream,
        trained=precision.trained,
        autocast=precision.autocast,
        accumulates=training.gradient_accumulation > 1,
        experts_listed=not training.has(FUSED_EXPERTS),
        loss_copies=not training.has(LOSS_COPIED_ONCE),
        outputs_held=training.trainer == "loop",
        inputs_kept=not training.has(INPUTS_DROPPED),
        tensor_parallel=tensor_parallel,
        float16=training.compute_dtype == "float16",
        on_gpu=True,
    )
