"""What the memory and the speed of a job are computed from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.adapters import adapter_tensors, saved_parameters, saved_tensors
from hbspec.catalog.weights import updated_weights
from hbspec.diagnostics import Missing, NotKnownError
from hbspec.estimators.precision import Precision, precision_of
from hbspec.estimators.step.colocated import engine_bytes
from hbspec.estimators.step.held import held
from hbspec.estimators.step.lifetimes.program import Program
from hbspec.estimators.step.objectives import refuse_objective
from hbspec.estimators.step.optimizer import PAGED_NUMBERS, Optimizer, optimizer
from hbspec.estimators.step.placement import Shards, shards
from hbspec.estimators.step.uncounted import refuse_uncounted
from hbspec.estimators.step.unreached import Unreached, unreached
from hbspec.estimators.weights import training_weights
from hbspec.plan import Plan, Training
from hbspec.plan.allocator import AllocatorSettings
from hbspec.plan.deepspeed import ROUTE, DeepSpeed
from hbspec.plan.epochs import EXACT_LINEAR, FUSED_EXPERTS, INPUTS_DROPPED, LABELS_SHIFTED, LOGITS_KEPT
from hbspec.plan.fsdp import Fsdp
from hbspec.plan.loading import loads_whole
from hbspec.plan.parallelism import PARALLELISMS, Engine, Parallelism
from hbspec.plan.training import COPYING, IN_PLACE

WORKSPACE = {9: 33_554_432}
"""Bytes of a cuBLAS workspace by the major compute capability; a GPU that is not listed has `USUAL_WORKSPACE`."""

USUAL_WORKSPACE = 8_519_680
"""`CUBLAS_WORKSPACE_CONFIG=:4096:2:16:8`, which PyTorch sets."""

WORKSPACES = 2
"""One for the thread of the forward pass and one for that of the backward pass, from the caching allocator."""


class Job(NamedTuple):
    """The side of a plan that every GPU's memory and time follow from.

    Attributes:
        trainable: parameters that are trained and get gradients.
        whole: of them, those of modules that are trained whole beside the adapters (`modules_to_save`).
        idle: bytes of adapters and modules trained whole, beside those, that no gradient reaches.
        pageable: trained parameters in tensors whose states a paged optimizer pages.
        program: what runs, but for batch and length.
        deepspeed: DeepSpeed's settings; None where another engine holds the states.
        allocator: settings of torch's allocator.
        workspaces: bytes of cuBLAS's workspaces, which no trace on a CPU shows.
        engine: bytes of a vLLM that generates on the same GPUs.
    """

    architecture: Architecture
    training: Training
    precision: Precision
    program: Program
    trainable: int
    whole: int
    idle: int
    pageable: int
    optimizer: Optimizer
    shards: Shards
    parallelism: str
    offload: str
    fsdp: Fsdp | None
    deepspeed: DeepSpeed | None
    tensor_parallel: int
    allocator: AllocatorSettings
    workspaces: int
    engine: int = 0

    @property
    def weights(self) -> Mapping[str, int]:
        """Bytes of the base model by term."""
        return training_weights(self.architecture, self.training)

    @property
    def way(self) -> Parallelism:
        """How the GPUs share the job."""
        return PARALLELISMS[self.parallelism]

    @property
    def sharded(self) -> bool:
        """Whether weights are gathered for every layer."""
        return self.shards.weights > 1

    @property
    def defers_gradients(self) -> bool:
        """Whether gradients stay unsharded until an update's last micro-batch."""
        return self.fsdp is not None and self.fsdp.defers

    @property
    def loads_whole(self) -> bool | None:
        """Whether the whole model is on every GPU before it is sharded; None where that is not known."""
        if self.fsdp is not None:
            return self.fsdp.loads_whole
        return self.way.shards_weights and loads_whole(self.training, self.way.engine)

    @property
    def leaves_quantized_whole(self) -> bool:
        """Whether FSDP leaves quantised weights whole on every GPU."""
        return self.fsdp is not None and self.fsdp.leaves_whole

    @property
    def gradients_offloaded(self) -> bool:
        """Whether reduced gradients move to the host, as torch moves them to where the parameters are.

        torch 2.13, `_fsdp_collectives.py`, `foreach_reduce`, and `_runtime_utils.py`, `_post_reduce_grad_callback`.
        """
        return self.fsdp is not None and self.offload == "all"


_LAST: list[tuple[Plan, Job]] = []
"""The plan that was asked for last, and its job: an estimate asks several times for one plan."""


def job_of(plan: Plan) -> Job:
    """The memory-relevant side of a plan.

    Raises:
        NotKnownError: the architecture, what is trained, the processes or the optimizer is not known, or a setting of
            DeepSpeed or something that LitGPT does is not counted.
    """
    for last, job in _LAST:
        if last is plan:
            return job
    found = _job_of(plan)
    _LAST[:] = [(plan, found)]
    return found


def _job_of(plan: Plan) -> Job:
    architecture = plan.require("architecture")
    settings = _deepspeed(plan)
    # before the program: adapters that cannot be counted cannot be placed either
    trainable = plan.require("trainable_parameters")
    training, cut = held(plan), shards(plan)
    idle = unreached(architecture, training)
    refuse_objective(architecture, training, plan.offload)
    refuse_uncounted(architecture, training, cut, plan.tensor_parallel, plan.way, idle.name)
    precision = _precision(plan, cut)
    return Job(
        architecture=architecture,
        training=training,
        precision=precision,
        program=program_of(training, precision, plan.tensor_parallel, padded=_padded(plan, architecture))._replace(
            rows=rows_of(architecture, training)
        ),
        trainable=trainable - idle.parameters,
        whole=_whole(architecture, training) - idle.whole,
        idle=idle.held,
        pageable=_pageable(architecture, training, idle),
        optimizer=optimizer(training.optim) if settings is None else _of_deepspeed(settings, training.optim),
        shards=cut,
        parallelism=plan.parallelism,
        offload=plan.offload,
        fsdp=plan.fsdp,
        deepspeed=settings,
        tensor_parallel=plan.tensor_parallel,
        allocator=plan.allocator,
        workspaces=_workspaces(plan),
        engine=engine_bytes(plan),
    )


def _deepspeed(plan: Plan) -> DeepSpeed | None:
    if plan.way.engine is not Engine.DEEPSPEED:
        return None
    settings = plan.require("deepspeed")
    settings.require_counted()
    return settings


def _of_deepspeed(settings: DeepSpeed, optim: str) -> Optimizer:
    """The optimizer of the author's JSON, which goes before `optim`, or else that of `optim`.

    DeepSpeed's own Adam is one kernel without temporaries (DeepSpeed 0.19.8, `ops/adam/fused_adam.py`); `torch_adam`
    asks for torch's.

    Raises:
        NotKnownError: the JSON names an optimizer that is not listed here.
    """
    if settings.optimizer is None:
        return optimizer(optim)
    named = {"adam": "adamw_torch_fused", "adamw": "adamw_torch_fused"}
    named |= {f"torch {name}": "adamw_torch" for name in ("adam", "adamw")}
    known = named.get(settings.optimizer)
    if known is None:
        raise NotKnownError(Missing(f"the states of DeepSpeed's optimizer {settings.optimizer}", ROUTE))
    return optimizer(known)


def _padded(plan: Plan, architecture: Architecture) -> bool:
    """Whether a mask says which tokens count: rows of one micro-batch differ in length, or examples are kept apart.

    Some models always make one.
    """
    if architecture.masked:
        return True
    if plan.training.packing:
        return plan.training.joined and plan.require("architecture").family.packed_apart
    cut = plan.lengths.cut(plan.training.max_length)
    return plan.training.rows > 1 and cut.mean.low < cut.longest.high


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


def _pageable(architecture: Architecture, training: Training, idle: Unreached) -> int:
    """Parameters in trained tensors that are large enough, as they are before they are cut among ranks."""
    if training.adapters:
        targets, saved = training.target_modules, training.modules_to_save
        made = adapter_tensors(architecture, training.lora_r, targets, saved, use_dora=training.use_dora)
        tensors = Counter(made)
        tensors += Counter(saved_tensors(architecture, targets, saved))
        tensors -= Counter(idle.tensors)
    else:
        tensors = Counter()
        for weight in updated_weights(architecture):
            tensors[weight.parameters // weight.count] += weight.count
    return sum(size * number for size, number in tensors.items() if size >= PAGED_NUMBERS)


def rows_of(architecture: Architecture, training: Training) -> int:
    """Rows of a micro-batch, where layers make something once for all of them; else 1 (`Program.rows`)."""
    family = architecture.family
    once = family.rotated_anew or family.learned_once or not architecture.stateless
    return 1 if training.joined or not once else training.micro_batch


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
        reentrant=training.use_reentrant,
        attention=training.kernel,
        several_rows=training.micro_batch > 1 and not training.joined,
        padded=padded,
        windowed=False,
        standard_loss=training.whole_logits,
        compute=precision.compute,
        stream=precision.stream,
        trained=precision.trained,
        autocast=precision.autocast,
        accumulates=training.gradient_accumulation > 1,
        subclasses_quantised=not training.has(EXACT_LINEAR),
        experts_listed=not training.has(FUSED_EXPERTS),
        loss_copies=training.loss == COPYING or not training.has(LABELS_SHIFTED),
        loss_in_place=training.loss in IN_PLACE,
        logits_replaced=not training.has(LOGITS_KEPT),
        logits_returned=training.autocast and not training.own_loop,
        outputs_held=training.trainer == "loop",
        inputs_kept=not training.has(INPUTS_DROPPED),
        tensor_parallel=tensor_parallel,
        float16=training.compute_dtype == "float16",
        on_gpu=True,
        liger=training.liger,
        liger_head=training.liger_head,
        offloads=training.activation_offloading,
        litgpt=training.trainer == "litgpt",
        in_parts=training.in_parts,
        rewards=training.objective.rewards,
        experts_quantised=training.quantize_experts,
        balances=training.balances,
    )
