"""An option has no effect, because another setting disables it.

Why: An author who sets an option expects it to act: a rank where all weights are trained, a 4-bit type where nothing is
quantised, a sharding strategy where nothing is sharded. Either the option or the setting that disables it is a mistake.

Example:

    model: {id: Qwen/Qwen2.5-7B}
    hyperparameters: {method: lora}

Instead:

    model: {id: Qwen/Qwen2.5-7B}
    hyperparameters: {method: lora, bnb_quant_type: null, bnb_double_quant: null}

References:

    https://huggingface.co/docs/peft/package_reference/lora
    https://huggingface.co/docs/transformers/quantization/bitsandbytes
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.plan.parallelism import Engine
from hbspec.plan.tasks import SETTINGS, TASKS
from hbspec.plan.training_job import IN_S3
from hbspec.rules.causes import Beside, at_its_cause, same_route
from hbspec.rules.rule import Rule, plain

RULE = Rule(__name__, Severity.WARNING, beside=(Beside("HB124", same_route), Beside("HB117", at_its_cause)))

ADAPTERS = (
    *("lora_r", "lora_alpha", "lora_dropout", "target_modules", "modules_to_save", "use_rslora", "use_dora"),
    *("layers_to_transform", "merge_weights"),
)
QUANTIZATION = ("bnb_quant_type", "bnb_double_quant", "bnb_4bit_quant_storage", "quantize_experts")
OF_FOUR_BITS = QUANTIZATION[1:3]

UNWARMED = ("constant", "reduce_lr_on_plateau", "greedy")
"""Schedules that get no warm-up (transformers 5.23.0, `optimization.py`, `get_scheduler`)."""

OF_FSDP = ("sharding", "fsdp_version", "reshard_after_forward", "loads_whole")
OF_A_GPU = ("gpus", "host_memory", "gpu_memory", "network")

OF_COLOCATED = (
    *("vllm_gpu_memory_utilization", "vllm_tensor_parallel_size", "vllm_max_model_length", "vllm_enable_sleep_mode"),
)
"""Settings of a vLLM on the GPUs that train."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find every option that is set and cannot act."""
    for route, value, reason in _silent(analysis):
        if value and value != "none":
            described = route[0] == "instance" and route[-1] in OF_A_GPU
            shown = (
                "true" if value is True else ", ".join(map(str, value)) if isinstance(value, tuple) else plain(value)
            )
            yield RULE.at(
                route,
                f"{route[-1]} {shown} has no effect: {reason}",
                f"delete {route[-1]}, or change the setting that disables it",
                fixes=(Fix("delete it", route, safe=True),),
                cause=route[:1] if described else None,
            )


def _silent(analysis: Analysis) -> Iterator[tuple[Route, str | float | tuple[str, ...] | None, str]]:
    """The options that cannot act, set or not: route, value and reason."""
    spec = analysis.spec
    given, instance, method = spec.hyperparameters, spec.instance, analysis.plan.training.method
    for names, silent, reason in (
        (ADAPTERS, method == "full", "method: full trains all weights"),
        (QUANTIZATION, method != "qlora", f"method: {method} quantises nothing"),
        (OF_FOUR_BITS, method == "qlora" and given.bnb_quant_type == "int8", "only 4-bit weights use it"),
    ):
        for name in names if silent else ():
            yield ("hyperparameters", name), getattr(given, name), reason
    yield from _silent_in_training(analysis)
    yield from _silent_in_task(analysis)
    if not analysis.plan.way.takes_strategy:
        for name in OF_FSDP:
            set_to = getattr(instance, name)
            shown = "false" if set_to is False else set_to
            yield ("instance", name), shown, f"parallelism is {instance.parallelism}, not fsdp"
    if given.sync_each_batch and (nothing := _nothing_to_sync(analysis)):
        yield ("hyperparameters", "sync_each_batch"), True, nothing
    offloaded = analysis.plan.offload
    if offloaded != instance.offload:
        what = {"none": "nothing", "optimizer": "optimizer states only"}[offloaded]
        yield ("instance", "offload"), instance.offload, f"parallelism: {instance.parallelism} offloads {what}"
    if not spec.shipped:
        yield ("data", "chat_template"), spec.data.chat_template, "your script sets the template itself, or not at all"
        yield from _silent_with_your_script(analysis)
    elif spec.data.format == "standard":
        yield ("data", "chat_template"), spec.data.chat_template, "data.format is standard: plain texts have no turns"
    if instance.type is None:
        mode = spec.data.input_mode
        yield ("data", "input_mode"), "" if mode == "File" else mode, "only a SageMaker job has input modes"
        yield ("instance", "retries"), instance.retries, "only SageMaker repeats a job"
        topic = spec.monitoring.alarm_topic if spec.monitoring else None
        yield ("monitoring", "alarm_topic"), topic, "only a SageMaker job has alarms"
    if instance.gpu is None:
        for name in OF_A_GPU:
            yield ("instance", name), getattr(instance, name), "it describes instance.gpu, which is not set"
    if spec.deployment and analysis.serving_plan.adapters != "separate":
        yield ("deployment", "max_lora_rank"), spec.deployment.max_lora_rank, "the adapters are merged"


def _silent_with_your_script(analysis: Analysis) -> Iterator[tuple[Route, str, str]]:
    """What only the shipped script does with the data."""
    data = analysis.spec.data
    if data.columns is not None:
        yield ("data", "columns"), ", ".join(data.columns.model_dump(exclude_none=True)), "your script reads the data"
    if data.train is not None and data.train.weights:
        yield ("data", "train", "weights"), ", ".join(data.train.weights), "your script reads the data"


def _silent_in_training(analysis: Analysis) -> Iterator[tuple[Route, str | float | tuple[str, ...] | None, str]]:
    """Those of packing, of evaluations, of checkpointing and of the schedule."""
    given, spec = analysis.spec.hyperparameters, analysis.spec
    strategy, training = given.packing_strategy, analysis.plan.training
    if spec.shipped and training.trainer == "transformers":
        yield ("hyperparameters", "packing"), given.packing, "trainer: transformers does not pack"
    if not training.packing:
        yield ("hyperparameters", "packing_strategy"), strategy, "packing is not set"
    elif training.packing_strategy is None:
        by = f"TRL {dict(training.software)['trl']}" if training.trainer == "trl" else f"trainer: {training.trainer}"
        yield ("hyperparameters", "packing_strategy"), strategy, f"{by} has no packing strategies"
    yield from _silent_cadence(analysis)
    if training.eval_batch is None:
        yield (
            ("hyperparameters", "per_device_eval_batch_size"),
            given.per_device_eval_batch_size,
            "nothing is evaluated",
        )
    if not training.gradient_checkpointing:
        yield ("hyperparameters", "use_reentrant"), given.use_reentrant, "gradient_checkpointing is false"
    elif analysis.plan.way.engine is Engine.FSDP and spec.shipped:
        yield ("hyperparameters", "use_reentrant"), given.use_reentrant, "FSDP recomputes without it in the script"
    if given.lr_scheduler_type in UNWARMED and not training.own_loop:
        for name in ("warmup_steps", "warmup_ratio"):
            yield (
                ("hyperparameters", name),
                getattr(given, name),
                f"lr_scheduler_type: {given.lr_scheduler_type} does not warm up",
            )


def _silent_cadence(analysis: Analysis) -> Iterator[tuple[Route, str | float | tuple[str, ...] | None, str]]:
    """Updates between saves and evaluations that a strategy passes over, and what only trains where all weights are."""
    given = analysis.spec.hyperparameters
    for key, strategy in (("save_steps", given.save_strategy), ("eval_steps", given.eval_strategy)):
        if strategy in ("epoch", "no"):
            reason = f"{key.partition('_')[0]}_strategy is {strategy}"
            yield ("hyperparameters", key), getattr(given, key), reason
    own = not analysis.spec.shipped  # which HB277 tells that it does not have it
    if own and given.optimizer_in_bwd and not analysis.plan.training.updates_in_backward:
        reason = "DeepSpeed updates after the backward pass"
        if given.gradient_accumulation_steps > 1:
            reason = "gradient_accumulation_steps adds gradients up, which must stay until then"
        yield ("hyperparameters", "optimizer_in_bwd"), True, reason
    if analysis.plan.training.adapters:
        reason = f"method: {analysis.plan.training.method} trains adapters"
        yield ("hyperparameters", "unfrozen_parameters"), given.unfrozen_parameters, reason


def _silent_in_task(analysis: Analysis) -> Iterator[tuple[Route, str | float | None, str]]:
    """Those of other tasks, and those that the task's trainer does not have; a revision of no adapters on the Hub."""
    spec, given, training = analysis.spec, analysis.spec.hyperparameters, analysis.plan.training
    if (adapter := spec.model.adapter) is None or adapter.startswith(IN_S3):
        kept = "model.adapter is not set" if adapter is None else "only the Hub has revisions, and S3 keeps none"
        yield ("model", "adapter_revision"), spec.model.adapter_revision, kept
    facts, reason = TASKS[spec.task], f"task is {spec.task}"
    for name in SETTINGS:
        if name not in facts.settings:
            yield ("hyperparameters", name), getattr(given, name), reason
    if spec.reward is not None and spec.task != "grpo":
        yield ("reward", "functions"), ", ".join(spec.reward.functions), reason
    if spec.script is None and "ref_model" in facts.settings:
        yield ("hyperparameters", "ref_model"), given.ref_model, "the shipped script gives no second model"
    if not facts.next_token:
        yield ("hyperparameters", "packing"), given.packing, f"{facts.trainer} does not pack"
        if given.loss != training.loss and training.trainer == "trl":
            yield ("hyperparameters", "loss"), given.loss, f"{facts.trainer} has a head of its own"
    if spec.task == "grpo" and not given.use_vllm:
        for name in ("vllm_mode", *OF_COLOCATED):
            yield ("hyperparameters", name), getattr(given, name), "use_vllm is not set"
    elif spec.task == "grpo" and given.vllm_mode == "server":
        for name in OF_COLOCATED:
            yield ("hyperparameters", name), getattr(given, name), "vllm_mode is server, which is told when it starts"


def _nothing_to_sync(analysis: Analysis) -> str | None:
    """The reason why gradients are reduced after every micro-batch anyway, or never."""
    way = analysis.plan.way
    if not way.distributed:
        return f"parallelism: {way.name} runs one process"
    if way.engine is Engine.DEEPSPEED:
        return "DeepSpeed reduces gradients by itself"
    return "an update is one micro-batch" if analysis.plan.training.gradient_accumulation == 1 else None
