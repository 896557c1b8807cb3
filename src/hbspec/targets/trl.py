"""Target `trl`: TRL's own configuration of the same training, with the files of accelerate and DeepSpeed beside it.

`train.sh` calls `trl sft --config sft.yaml`, which is TRL's script: it saves no record, ends no run for a watch, and
goes on from no checkpoint unless it is told to. What it cannot be told is refused (HB542).
https://huggingface.co/docs/trl/clis
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.plan.shipped_script import DEFAULTS, SOFTWARE
from hbspec.plan.training import Training
from hbspec.source.written import yaml_text
from hbspec.targets.cluster.job_name import framework_name
from hbspec.targets.frameworks.accelerate_file import DEEPSPEED, FILE, accelerate_file, deepspeed_file
from hbspec.targets.frameworks.starting import OUTPUT, started
from hbspec.targets.frameworks.unsaid import refuse_unsaid
from hbspec.targets.job.shipped_files import REQUIREMENTS
from hbspec.targets.job.source_folder import CHAT_TEMPLATE, source_folder
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import Needs
from hbspec.targets.lowering.target import Target

CONFIG = "sft.yaml"
WHOLE = "TRL has no switch for a loss over whole logits"


class TrlJob(NamedTuple):
    """What the files are written from.

    Attributes:
        name: of the run, with a digest of what it learns.
        config: of TRL.
        accelerate: of `accelerate launch`.
        deepspeed: DeepSpeed's JSON; None without it.
        beside: what is installed for it, and the chat template where the spec names one.
        machines: number of hosts.
    """

    name: str
    config: Mapping[str, Any]
    accelerate: Mapping[str, Any]
    deepspeed: Mapping[str, Any] | None
    beside: tuple[Artifact, ...]
    machines: int


def lower(analysis: Analysis) -> TrlJob:
    """Choose the values of the files.

    Raises:
        LoweringError: the spec does not name the weights, or says what TRL's script cannot be told.
    """
    needs = Needs("trl")
    refuse_unsaid(needs, analysis, "TRL's script", SOFTWARE)
    _refuse(needs, analysis)
    accelerate = accelerate_file(analysis, needs) if analysis.plan.hardware else {}
    needs.done()
    plan = analysis.plan
    config = {
        **_model(analysis),
        **_data(analysis),
        **_course(analysis),
        **_step(analysis),
        **_told(analysis),
    }
    name = framework_name(analysis, config)
    return TrlJob(
        name=name,
        config={**config, "output_dir": OUTPUT},
        accelerate=accelerate,
        deepspeed=deepspeed_file(plan, analysis.deepspeed_json),
        beside=tuple(file for file in source_folder(analysis) if file.path in (REQUIREMENTS, CHAT_TEMPLATE)),
        machines=plan.require("hardware").instances,
    )


def _refuse(needs: Needs, analysis: Analysis) -> None:
    given, training = analysis.spec.hyperparameters, analysis.plan.training
    needs.leave_out(training.loss == "standard", ("hyperparameters", "loss"), WHOLE, "set loss to fused")
    halves = "TRL's alpha is a whole number"
    needs.leave_out(
        training.adapters and training.lora_alpha % 1, ("hyperparameters", "lora_alpha"), halves, "set a whole number"
    )
    data = analysis.spec.data
    known = data.type in ("language_modeling", "prompt_completion")
    needs.leave_out(not known, ("data", "type"), "trl sft does not train it", "set it to language_modeling")
    columns = data.columns.model_dump(exclude_none=True) if data.columns else {}
    renamed = [name for name in columns if name != "text"]
    needs.leave_out(renamed, ("data", "columns"), "TRL's script renames no columns but text", "rename the columns")
    evaluates = data.validation is not None and given.eval_steps is None
    unknown = evaluates and analysis.plan.counts is None and not training.max_steps
    last = "an evaluation at the end needs the number of updates"
    needs.leave_out(unknown, ("hyperparameters", "eval_steps"), last, "set eval_steps, or add data.train.examples")


def _model(analysis: Analysis) -> dict[str, Any]:
    """The model, its adapters and its quantised storage (TRL 1.16.0, `trainer/model_config.py`)."""
    training, spec = analysis.plan.training, analysis.spec
    values: dict[str, Any] = {"model_name_or_path": spec.model.id}
    if spec.model.revision:
        values["model_revision"] = spec.model.revision
    masters = training.method == "full" and training.compute_dtype == "float16"
    values["dtype"] = spec.software.weights_dtype or ("float32" if masters else training.compute_dtype)
    values["attn_implementation"] = training.attention
    if analysis.plan.parallelism == "pipeline":
        values["model_init_kwargs"] = {"device_map": "auto"}
    if training.adapters:
        values["use_peft"] = True
        values |= _adapters(training, use_rslora=bool(spec.hyperparameters.use_rslora))
    if training.quantization == "int8":
        values["load_in_8bit"] = True
    elif training.quantization is not None:
        values |= {
            "load_in_4bit": True,
            "bnb_4bit_quant_type": training.quantization,
            "use_bnb_nested_quant": training.double_quant,
            "bnb_4bit_quant_storage": training.quant_storage,
        }
    return values


def _adapters(training: Training, *, use_rslora: bool) -> dict[str, Any]:
    modules = training.target_modules
    values: dict[str, Any] = {
        "lora_r": training.lora_r,
        "lora_alpha": int(training.lora_alpha),
        "lora_dropout": training.lora_dropout,
        "lora_target_modules": [modules] if isinstance(modules, str) else list(modules),
    }
    if training.modules_to_save:
        values["lora_modules_to_save"] = list(training.modules_to_save)
    return values | {"use_rslora": use_rslora, "use_dora": training.use_dora}


def _data(analysis: Analysis) -> dict[str, Any]:
    """The data: a folder with a folder for each split, which the datasets library takes for the splits."""
    data, training = analysis.spec.data, analysis.plan.training
    values: dict[str, Any] = {"dataset_name": "data", "dataset_train_split": "train"}
    if data.validation is not None:
        values["dataset_test_split"] = "validation"
    if data.columns and data.columns.text:
        values["dataset_text_field"] = data.columns.text
    values["max_length"] = training.max_length
    values["packing"] = training.packing
    if training.packing and training.packing_strategy is not None:
        values["packing_strategy"] = training.packing_strategy
    values["eval_packing"] = False
    if data.format != "standard":
        if data.type == "language_modeling":
            values["assistant_only_loss"] = True
        if data.chat_template is not None:
            values["chat_template_path"] = CHAT_TEMPLATE
    return values


def _course(analysis: Analysis) -> dict[str, Any]:
    """How long is trained, and how the learning rate goes."""
    training, given = analysis.plan.training, analysis.spec.hyperparameters
    length = {"max_steps": given.max_steps} if given.max_steps else {"num_train_epochs": training.epochs}
    return {
        **length,
        "learning_rate": given.learning_rate,
        "lr_scheduler_type": given.lr_scheduler_type or "linear",
        "warmup_steps": given.warmup_steps or given.warmup_ratio or 0,
        "optim": training.optim,
        "weight_decay": given.weight_decay or 0.0,
        "max_grad_norm": DEFAULTS["max_grad_norm"] if given.max_grad_norm is None else given.max_grad_norm,
        "seed": 42 if given.seed is None else given.seed,
    }


def _step(analysis: Analysis) -> dict[str, Any]:
    """What one update takes, and how it is computed."""
    plan, training = analysis.plan, analysis.plan.training
    values: dict[str, Any] = {
        "per_device_train_batch_size": training.micro_batch,
        "per_device_eval_batch_size": training.eval_batch or training.micro_batch,
        "gradient_accumulation_steps": training.gradient_accumulation,
        "accelerator_config": {"gradient_accumulation_kwargs": {"sync_each_batch": training.sync_each_batch}},
        "bf16": training.compute_dtype == "bfloat16",
        "fp16": training.compute_dtype == "float16",
        "use_liger_kernel": training.liger,
        "activation_offloading": training.activation_offloading,
        "ddp_find_unused_parameters": False,
    }
    if plan.fsdp is not None:  # accelerate's file says it
        return values | {"activation_checkpointing": False}
    values["activation_checkpointing"] = training.gradient_checkpointing
    return values | {"activation_checkpointing_kwargs": {"use_reentrant": training.use_reentrant}}


def _told(analysis: Analysis) -> dict[str, Any]:
    """Log, evaluations and checkpoints."""
    given, plan = analysis.spec.hyperparameters, analysis.plan
    values: dict[str, Any] = {"logging_steps": given.logging_steps or 1, "logging_nan_inf_filter": False}
    if analysis.spec.data.validation is None:
        values["eval_strategy"] = "no"
    else:
        values |= {"eval_strategy": "steps", "eval_steps": given.eval_steps or plan.updates}
    values |= {"save_strategy": "steps", "save_steps": given.save_steps or DEFAULTS["save_steps"]}
    values["save_total_limit"] = given.save_total_limit or DEFAULTS["save_total_limit"]
    if given.load_best_model_at_end:
        values |= {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss", "greater_is_better": False}
    return values | {"report_to": "none"}


def emit(job: TrlJob) -> list[Artifact]:
    """Write the files of the folder."""
    about = f"{job.name}: written by hbspec for TRL {SOFTWARE['trl']}; trl sft --config {CONFIG} reads it."
    files = [
        script_artifact("train.sh", [*_start(job)]),
        Artifact(CONFIG, yaml_text(job.config, about).encode()),
        Artifact(FILE, yaml_text(job.accelerate, f"{job.name}: how accelerate launches it.").encode()),
        *job.beside,
    ]
    return [*files, *([json_artifact(DEEPSPEED, dict(job.deepspeed))] if job.deepspeed is not None else [])]


def _start(job: TrlJob) -> Iterator[str]:
    about = f"{job.name}: trains with TRL's own script; written by hbspec. Needs {REQUIREMENTS}."
    yield from started(about, job.name, job.machines)
    if job.accelerate.get("distributed_type") == "NO" and "model_init_kwargs" not in job.config:
        yield "# With several GPUs in sight, the model would be copied to all of them."
        yield "export CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES:-0}"
    resumed = '${checkpoint:+--resume_from_checkpoint "$checkpoint"}'
    yield f'exec trl sft --config {CONFIG} --accelerate_config {FILE} "${{hosts[@]}}" {resumed} "$@"'


TARGET = Target(
    "trl",
    "configuration of TRL for the same training, with the files of accelerate and DeepSpeed",
    lower,
    emit,
    "train.sh",
    asks="DATA",
)
