"""Target `axolotl`: axolotl's configuration of the same training, which its own script trains from.

Axolotl's defaults are written out where they differ from the shipped script's: it drops long examples instead of
cutting them, warms up, and computes the loss over whole logits unless a plugin does it. What it cannot be told is
refused (HB542). Its 4-bit weights are always stored as bfloat16, with quantised scales (`loaders/model.py`).
https://docs.axolotl.ai/docs/config-reference.html
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

CONFIG = "axolotl.yaml"
RELEASE = "0.19.0"
FUSED = ("axolotl.integrations.cut_cross_entropy.CutCrossEntropyPlugin",)
"""The plugin that never holds all logits."""


class AxolotlJob(NamedTuple):
    """What the files are written from.

    Attributes:
        name: of the run, with a digest of what it learns.
        config: of axolotl.
        deepspeed: DeepSpeed's JSON; None without it.
        processes: of all machines.
        machines: number of hosts.
    """

    name: str
    config: Mapping[str, Any]
    deepspeed: Mapping[str, Any] | None
    processes: int
    machines: int


def lower(analysis: Analysis) -> AxolotlJob:
    """Choose the values of the files.

    Raises:
        LoweringError: the spec does not name the weights, or says what axolotl cannot be told.
    """
    needs = Needs("axolotl")
    refuse_unsaid(needs, analysis, "axolotl", {}, chosen=("autocast",))
    _refuse(needs, analysis)
    refuse_all_but_conversations(needs, analysis)
    needs.done()
    plan = analysis.plan
    config = {**_model(analysis), **_data(analysis), **_course(analysis), **_step(analysis), **_told(analysis)}
    config |= _sharding(analysis)
    name = framework_name(analysis, config)
    return AxolotlJob(
        name=name,
        config={**config, "output_dir": OUTPUT, "dataset_prepared_path": "prepared"},
        deepspeed=deepspeed_file(plan, analysis.deepspeed_json),
        processes=plan.require("processes"),
        machines=plan.require("hardware").instances,
    )


def _refuse(needs: Needs, analysis: Analysis) -> None:
    spec, plan, training = analysis.spec, analysis.plan, analysis.plan.training
    given = spec.hyperparameters
    fp4 = training.quantization == "fp4"
    needs.leave_out(fp4, ("hyperparameters", "bnb_quant_type"), "axolotl quantises to nf4 or int8", "set it to nf4")
    quantised = training.quantization in ("nf4", "fp4")
    single = quantised and not training.double_quant
    scales = "axolotl always quantises the scales"
    needs.leave_out(single, ("hyperparameters", "bnb_double_quant"), scales, "set it to true")
    stored = quantised and given.bnb_4bit_quant_storage not in (None, "bfloat16")
    route = ("hyperparameters", "bnb_4bit_quant_storage")
    needs.leave_out(stored, route, "axolotl always stores 4-bit weights as bfloat16", "set it to bfloat16")
    upcast = training.adapters and training.adapter_dtype != "float32"
    route = ("software", "adapter_dtype")
    needs.leave_out(upcast, route, "axolotl trains adapters in float32, as peft makes them", "set it to float32")
    packs = "axolotl fills bins, so that an update has other examples"
    needs.leave_out(training.packing, ("hyperparameters", "packing"), packs, "set packing to false")
    liger = "its plugin for Liger has other switches"
    needs.leave_out(training.liger, ("hyperparameters", "liger"), liger, "leave liger out")
    pipes = "axolotl starts one process a GPU"
    needs.leave_out(plan.parallelism == "pipeline", ("instance", "parallelism"), pipes, "choose another parallelism")
    sharding = plan.fsdp is not None and (plan.fsdp.version == 1 or plan.sharding != "full")
    shards = "its file is written for FSDP 2, over all GPUs"
    needs.leave_out(sharding, ("instance", "fsdp_version"), shards, "set fsdp_version to 2 and sharding to full")
    halves = training.adapters and training.lora_alpha % 1
    needs.leave_out(
        halves, ("hyperparameters", "lora_alpha"), "axolotl's alpha is a whole number", "set a whole number"
    )
    synced = training.sync_each_batch and plan.way.distributed
    route = ("hyperparameters", "sync_each_batch")
    needs.leave_out(synced, route, "axolotl reduces gradients once an update", "set it to false")


def _model(analysis: Analysis) -> dict[str, Any]:
    training, spec = analysis.plan.training, analysis.spec
    values: dict[str, Any] = {"base_model": spec.model.id}
    if spec.model.revision:
        values["revision_of_model"] = spec.model.revision
    values["attn_implementation"] = training.attention
    if training.quantization == "int8":
        values |= {"adapter": "lora", "load_in_8bit": True}
    elif training.quantization is not None:
        values |= {"adapter": "qlora", "load_in_4bit": True}
    elif training.adapters:
        values["adapter"] = "lora"
    if training.adapters:
        values |= _adapters(training, use_rslora=bool(spec.hyperparameters.use_rslora))
    return values


def _adapters(training: Training, *, use_rslora: bool) -> dict[str, Any]:
    values: dict[str, Any] = {
        "lora_r": training.lora_r,
        "lora_alpha": int(training.lora_alpha),
        "lora_dropout": training.lora_dropout,
    }
    if training.target_modules == "all-linear":
        values["lora_target_linear"] = True
    else:
        values["lora_target_modules"] = list(training.target_modules)
    if training.modules_to_save:
        values["lora_modules_to_save"] = list(training.modules_to_save)
    return values | {"peft_use_rslora": use_rslora, "peft_use_dora": training.use_dora}


def _data(analysis: Analysis) -> dict[str, Any]:
    data = analysis.spec.data
    column = messages_column(analysis)

    def split(name: str) -> list[dict[str, Any]]:
        kind = {"type": "chat_template", "field_messages": column, "roles_to_train": ["assistant"]}
        return [{"path": f"data/{name}", **kind, "message_property_mappings": {"role": "role", "content": "content"}}]

    values: dict[str, Any] = {"datasets": split("train"), "chat_template": "tokenizer_default", "val_set_size": 0.0}
    if data.validation is not None:
        values["test_datasets"] = [{**each, "split": "train"} for each in split("validation")]
    length = analysis.plan.training.max_length
    return values | {"sequence_len": length, "excess_length_strategy": "truncate", "sample_packing": False}


def _course(analysis: Analysis) -> dict[str, Any]:
    training, given = analysis.plan.training, analysis.spec.hyperparameters
    length = {"max_steps": given.max_steps} if given.max_steps else {"num_epochs": training.epochs}
    share = given.warmup_ratio or (given.warmup_steps if given.warmup_steps and given.warmup_steps < 1 else None)
    warmup = {"warmup_ratio": share} if share else {"warmup_steps": int(given.warmup_steps or 0)}
    return {
        **length,
        "learning_rate": given.learning_rate,
        "lr_scheduler": given.lr_scheduler_type or "linear",
        **warmup,
        "optimizer": training.optim,
        "weight_decay": given.weight_decay or 0.0,
        "max_grad_norm": DEFAULTS["max_grad_norm"] if given.max_grad_norm is None else given.max_grad_norm,
        "seed": 42 if given.seed is None else given.seed,
    }


def _step(analysis: Analysis) -> dict[str, Any]:
    training = analysis.plan.training
    values: dict[str, Any] = {
        "micro_batch_size": training.micro_batch,
        "eval_batch_size": training.eval_batch or training.micro_batch,
        "gradient_accumulation_steps": training.gradient_accumulation,
        "bf16": training.compute_dtype == "bfloat16",
        "fp16": training.compute_dtype == "float16",
        "activation_offloading": training.activation_offloading,
    }
    if training.loss in ("fused", "chunked"):
        values |= {"plugins": list(FUSED), "cut_cross_entropy": True}
    if analysis.plan.fsdp is not None:
        return values
    values["gradient_checkpointing"] = training.gradient_checkpointing
    return values | {"gradient_checkpointing_kwargs": {"use_reentrant": training.use_reentrant}}


def _told(analysis: Analysis) -> dict[str, Any]:
    given, plan = analysis.spec.hyperparameters, analysis.plan
    values: dict[str, Any] = {"logging_steps": given.logging_steps or 1}
    if analysis.spec.data.validation is None:
        values["eval_strategy"] = "no"
    else:
        values["eval_steps"] = given.eval_steps or plan.updates
    values["save_steps"] = given.save_steps or DEFAULTS["save_steps"]
    values["save_total_limit"] = given.save_total_limit or DEFAULTS["save_total_limit"]
    values["auto_resume_from_checkpoints"] = True
    return values | ({"load_best_model_at_end": True} if given.load_best_model_at_end else {})


def _sharding(analysis: Analysis) -> dict[str, Any]:
    plan = analysis.plan
    if plan.way.engine is Engine.DEEPSPEED:
        return {"deepspeed": DEEPSPEED}
    if plan.fsdp is None:
        return {}
    return {
        "fsdp_version": 2,
        "fsdp_config": {
            "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "reshard_after_forward": plan.fsdp.reshards,
            "activation_checkpointing": plan.training.gradient_checkpointing,
            "offload_params": plan.offload == "all",
            "cpu_ram_efficient_loading": plan.training.method != "qlora",
            "state_dict_type": "FULL_STATE_DICT",
        },
    }


def emit(job: AxolotlJob) -> list[Artifact]:
    """Write the files of the folder."""
    about = f"{job.name}: written by hbspec for axolotl {RELEASE}; train.sh runs it where the folder data is."
    return [
        script_artifact("train.sh", [*_start(job)]),
        Artifact(CONFIG, yaml_text(job.config, about).encode()),
        *([json_artifact(DEEPSPEED, dict(job.deepspeed))] if job.deepspeed is not None else []),
    ]


def _start(job: AxolotlJob) -> Iterator[str]:
    about = f"{job.name}: trains with axolotl {RELEASE}; written by hbspec."
    yield from started(about, job.name, job.machines)
    ranks = f"--num_processes {job.processes} --num_machines {job.machines}"
    yield f'exec accelerate launch {ranks} "${{hosts[@]}}" -m axolotl.cli.train {CONFIG} "$@"'


TARGET = Target("axolotl", "configuration of axolotl for the same training", lower, emit, "train.sh", asks="DATA")
