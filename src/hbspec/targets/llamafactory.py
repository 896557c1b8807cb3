"""Target `llamafactory`: LLaMA-Factory's configuration of the same training, which its own script trains from.

LLaMA-Factory trains its parameters in float32, except all weights under ZeRO-3, and holds all logits, unlike the
shipped script: the spec has to say both, so that what was judged is what runs. Its 4-bit weights are stored in the
compute dtype (`model_utils/quantization.py`).
https://llamafactory.readthedocs.io/en/latest/advanced/arguments.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.plan.parallelism import Engine
from hbspec.plan.shipped_script import DEFAULTS
from hbspec.plan.training import Training
from hbspec.source.written import yaml_text
from hbspec.targets.cluster.job_name import framework_name
from hbspec.targets.frameworks.accelerate_file import DEEPSPEED, deepspeed_file
from hbspec.targets.frameworks.conversations import messages_column, refuse_all_but_conversations
from hbspec.targets.frameworks.starting import OUTPUT, started
from hbspec.targets.frameworks.unsaid import refuse_unsaid
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import Needs
from hbspec.targets.lowering.target import Target

CONFIG, DATA_INFO = "llamafactory.yaml", "dataset_info.json"
RELEASE = "0.9.5"
ATTENTION = {"eager": "disabled", "sdpa": "sdpa", "flash_attention_2": "fa2", "flash_attention_3": "fa3"}
"""Its names of attention kernels (`extras/constants.py`, `AttentionFunction`)."""


class FactoryJob(NamedTuple):
    """What the files are written from.

    Attributes:
        name: of the run, with a digest of what it learns.
        config: of LLaMA-Factory.
        data: its description of the data.
        deepspeed: DeepSpeed's JSON; None without it.
        processes: of all machines.
        machines: number of hosts.
    """

    name: str
    config: Mapping[str, Any]
    data: Mapping[str, Any]
    deepspeed: Mapping[str, Any] | None
    processes: int
    machines: int


def lower(analysis: Analysis) -> FactoryJob:
    """Choose the values of the files.

    Raises:
        LoweringError: the spec does not name the weights, or says what LLaMA-Factory cannot be told.
    """
    needs = Needs("llamafactory")
    refuse_unsaid(needs, analysis, "LLaMA-Factory", {}, chosen=("autocast",))
    _refuse(needs, analysis)
    refuse_all_but_conversations(needs, analysis)
    needs.done()
    plan = analysis.plan
    config = {**_model(analysis), **_data(analysis), **_course(analysis), **_step(analysis), **_told(analysis)}
    return FactoryJob(
        name=framework_name(analysis, config),
        config={**config, "output_dir": OUTPUT},
        data=_described(analysis),
        deepspeed=deepspeed_file(plan, analysis.deepspeed_json),
        processes=plan.require("processes"),
        machines=plan.require("hardware").instances,
    )


def _refuse(needs: Needs, analysis: Analysis) -> None:
    plan, training, given = analysis.plan, analysis.plan.training, analysis.spec.hyperparameters
    whole = "LLaMA-Factory holds all logits"
    needs.leave_out(training.loss != "standard", ("hyperparameters", "loss"), whole, "set loss to standard")
    _refuse_dtypes(needs, analysis)
    stored = training.quantization in ("nf4", "fp4") and given.bnb_4bit_quant_storage not in (
        None,
        training.compute_dtype,
    )
    route = ("hyperparameters", "bnb_4bit_quant_storage")
    needs.leave_out(
        stored, route, "4-bit weights are stored in the compute dtype", f"set it to {training.compute_dtype}"
    )
    packs = "LLaMA-Factory packs rows of one token less, and otherwise"
    needs.leave_out(training.packing, ("hyperparameters", "packing"), packs, "set packing to false")
    needs.leave_out(training.liger, ("hyperparameters", "liger"), "its Liger has other switches", "leave liger out")
    unnamed = training.attention not in ATTENTION
    kernel = f"it has no name for {training.attention}"
    needs.leave_out(unnamed, ("hyperparameters", "attn_implementation"), kernel, "set it to sdpa")
    offloaded = training.activation_offloading
    route = ("hyperparameters", "activation_offloading")
    needs.leave_out(offloaded, route, "LLaMA-Factory keeps activations on the GPU", "set it to false")
    ways = plan.way.engine is Engine.FSDP or plan.parallelism == "pipeline"
    choose = "choose ddp, zero1, zero2 or zero3"
    needs.leave_out(ways, ("instance", "parallelism"), "its file is written for DDP and DeepSpeed", choose)
    halves = training.adapters and training.lora_alpha % 1
    needs.leave_out(halves, ("hyperparameters", "lora_alpha"), "its alpha is a whole number", "set a whole number")


def _refuse_dtypes(needs: Needs, analysis: Analysis) -> None:
    """Adapters are float32, by peft; weights that are trained are, too, but under ZeRO-3 (`model/adapter.py`)."""
    training, way = analysis.plan.training, analysis.plan.way
    if training.adapters:
        key, dtype, why, takes = "adapter_dtype", training.adapter_dtype, "peft makes adapters in float32", "float32"
    elif way.engine is Engine.DEEPSPEED and way.shards_weights:
        why = "LLaMA-Factory leaves weights as they are loaded under ZeRO-3"
        key, dtype, takes = "weights_dtype", training.weights_dtype, training.compute_dtype
    else:
        key, dtype, takes = "weights_dtype", training.weights_dtype, "float32"
        why = "LLaMA-Factory trains weights in float32"
    needs.leave_out(dtype != takes, ("software", key), why, f"set {key} to {takes}")


def _model(analysis: Analysis) -> dict[str, Any]:
    training, spec = analysis.plan.training, analysis.spec
    values: dict[str, Any] = {"model_name_or_path": spec.model.id}
    if spec.model.revision:
        values["model_revision"] = spec.model.revision
    values |= {"flash_attn": ATTENTION[training.attention], "stage": "sft", "do_train": True}
    if training.quantization is not None:
        values["quantization_method"] = "bnb"
        values["quantization_bit"] = 8 if training.quantization == "int8" else 4
        if training.quantization != "int8":
            values |= {"quantization_type": training.quantization, "double_quantization": training.double_quant}
    if not training.adapters:
        return values | {"finetuning_type": "full"}
    return values | _adapters(training, use_rslora=bool(spec.hyperparameters.use_rslora))


def _adapters(training: Training, *, use_rslora: bool) -> dict[str, Any]:
    modules = training.target_modules
    values: dict[str, Any] = {
        "finetuning_type": "lora",
        "lora_rank": training.lora_r,
        "lora_alpha": int(training.lora_alpha),
        "lora_dropout": training.lora_dropout,
        "lora_target": "all" if modules == "all-linear" else ",".join(modules),
    }
    if training.modules_to_save:
        values["additional_target"] = ",".join(training.modules_to_save)
    return values | {"use_rslora": use_rslora, "use_dora": training.use_dora}


def _data(analysis: Analysis) -> dict[str, Any]:
    """The data; without `template`, that of the tokenizer is taken (`data/template.py`)."""
    values: dict[str, Any] = {"dataset_dir": ".", "dataset": "train"}
    if analysis.spec.data.validation is not None:
        values["eval_dataset"] = "validation"
    return values | {"cutoff_len": analysis.plan.training.max_length, "packing": False}


def _described(analysis: Analysis) -> dict[str, Any]:
    """`dataset_info.json`: conversations of messages with a role and a content."""
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    form = {
        "formatting": "sharegpt",
        "columns": {"messages": messages_column(analysis)},
        "tags": {**tags, "system_tag": "system"},
    }
    splits = ("train", "validation") if analysis.spec.data.validation is not None else ("train",)
    return {name: {"file_name": f"data/{name}", **form} for name in splits}


def _course(analysis: Analysis) -> dict[str, Any]:
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
    training = analysis.plan.training
    values: dict[str, Any] = {
        "per_device_train_batch_size": training.micro_batch,
        "per_device_eval_batch_size": training.eval_batch or training.micro_batch,
        "gradient_accumulation_steps": training.gradient_accumulation,
        "accelerator_config": {"gradient_accumulation_kwargs": {"sync_each_batch": training.sync_each_batch}},
        "bf16": training.compute_dtype == "bfloat16",
        "fp16": training.compute_dtype == "float16",
        "disable_gradient_checkpointing": not training.gradient_checkpointing,
        "use_reentrant_gc": training.use_reentrant,
        "ddp_find_unused_parameters": False,
    }
    deepspeed = analysis.plan.way.engine is Engine.DEEPSPEED
    return values | ({"deepspeed": DEEPSPEED} if deepspeed else {})


def _told(analysis: Analysis) -> dict[str, Any]:
    given, plan = analysis.spec.hyperparameters, analysis.plan
    values: dict[str, Any] = {"logging_steps": given.logging_steps or 1}
    if analysis.spec.data.validation is None:
        values["eval_strategy"] = "no"
    else:
        values |= {"eval_strategy": "steps", "eval_steps": given.eval_steps or plan.updates}
    values["save_steps"] = given.save_steps or DEFAULTS["save_steps"]
    values["save_total_limit"] = given.save_total_limit or DEFAULTS["save_total_limit"]
    best = {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss", "greater_is_better": False}
    return values | (best if given.load_best_model_at_end else {}) | {"report_to": "none"}


def emit(job: FactoryJob) -> list[Artifact]:
    """Write the files of the folder."""
    about = f"{job.name}: written by hbspec for LLaMA-Factory {RELEASE}; train.sh runs it where the folder data is."
    return [
        script_artifact("train.sh", [*_start(job)]),
        Artifact(CONFIG, yaml_text(job.config, about).encode()),
        json_artifact(DATA_INFO, dict(job.data)),
        *([json_artifact(DEEPSPEED, dict(job.deepspeed))] if job.deepspeed is not None else []),
    ]


def _start(job: FactoryJob) -> Iterator[str]:
    about = f"{job.name}: trains with LLaMA-Factory {RELEASE}; written by hbspec."
    yield from started(about, job.name, job.machines)
    ranks = f"--num_processes {job.processes} --num_machines {job.machines}"
    yield f'exec accelerate launch {ranks} "${{hosts[@]}}" -m llamafactory.launcher {CONFIG} "$@"'


TARGET = Target(
    "llamafactory", "configuration of LLaMA-Factory for the same training", lower, emit, "train.sh", asks="DATA"
)
