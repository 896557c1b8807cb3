"""Recipes of HyperPod's adapter for NeMo, named `hf_…`: FSDP by Lightning, with `exp_manager`, `trainer` and `model`.

Sources are files of the adapter (https://github.com/aws/sagemaker-hyperpod-training-adapter-for-nemo 0f91fdd5,
src/hyperpod_nemo_adapter).
"""

from __future__ import annotations

from hbspec.frontends.reading.adapters import architecture_of, every_linear, put_targets
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.defaults import put_defaults, usual
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.tasks import put_task
from hbspec.frontends.recipes.cluster import gpus, put_named

PROGRAM = "hyperpod-nemo"
"""Its name in the table of defaults."""
TRAINING, INSTANCE = "hyperparameters", "instance"
SAME = {"train_batch_size": "per_device_batch_size", "max_context_width": "max_length", "seed": "seed"}
SAME_ADAPTERS = {"rank": "lora_r", "alpha": "lora_alpha", "dropout": "lora_dropout"}
WHOLE = {"full_shard": "full", "no_shard": "none"}
PRECISION = "${recipes.trainer.precision}"
"""What recipes have as the model's precision: the trainer's, which is read."""
WEIGHTS = ("software", "weights_dtype")
MODEL = "collections/model/sagemaker_base_model.py"


def translate(foreign: Foreign, building: Building) -> None:
    """The job of a recipe."""
    model, trainer = foreign.inside("model"), foreign.inside("trainer")
    name = put_named(model, "hf_model_name_or_path", building)
    tunes, dpo = model.get("do_finetune"), model.inside("dpo")
    pairs = dpo.get("enabled")
    if pairs and pairs.flag:
        put_task(building, pairs, "dpo")
        building.put((TRAINING, "beta"), dpo.get("beta"))
    elif tunes and not tunes.flag:
        put_task(building, tunes, "pretrain")
    for key, ours in SAME.items():
        building.put((TRAINING, ours), model.get(key))
    _put_method(model, building, name)
    _put_precision(model, trainer, building)
    _put_sharding(foreign, model, building)
    _put_kernels(model, building)
    _put_optimizer(model, building)
    _put_rhythm(foreign, trainer, building)
    put_defaults(building, PROGRAM)


def _put_method(model: Foreign, building: Building, name: ForeignKey | None) -> None:
    adapters = model.inside("peft")
    kind = adapters.get("peft_type")
    if kind is None or not kind.acts:
        building.default((TRAINING, "method"), "full", usual(building, PROGRAM)["hyperparameters.method"].source)
        return
    if kind.text not in ("lora", "qlora_4bit"):
        building.unread(kind, "either", f"is {kind.text}, which is read as LoRA")
    building.put((TRAINING, "method"), kind, "qlora" if kind.text == "qlora_4bit" else "lora")
    for key, ours in SAME_ADAPTERS.items():
        building.put((TRAINING, ours), adapters.get(key))
    targets, architecture = adapters.get("target_modules"), architecture_of(name)
    if targets and len(targets.texts) == 1 and not isinstance(targets.value, str):
        building.unread(targets, "either", "names modules by a pattern")  # one entry counts as a pattern
    elif targets:
        put_targets(building, targets, architecture)
    source = usual(building, PROGRAM)["hyperparameters.target_modules"].source
    building.default((TRAINING, "target_modules"), every_linear(architecture), source)


def _put_precision(model: Foreign, trainer: Foreign, building: Building) -> None:
    """Products in 16 bits; weights are float32, or bfloat16 with adapters (`_build_model_from_pretrain_peft`)."""
    own, of_trainer = model.get("precision"), trainer.get("precision")
    given = of_trainer if own is None or own.value == PRECISION else own
    if given and given.text in ("16", "16-mixed", "fp16"):
        building.put((TRAINING, "fp16"), given, True)
    elif given and given.text in ("32", "32-true"):
        building.put((TRAINING, "bf16"), given, False)
    else:
        building.put((TRAINING, "bf16"), given, True)
        building.default((TRAINING, "bf16"), True, f"hyperpod_nemo_adapter, conf/config_schemas.py ({PRECISION})")
    full = building.value((TRAINING, "method")) == "full"
    building.default(WEIGHTS, "float32" if full else "bfloat16", f"hyperpod_nemo_adapter, {MODEL}")


def _put_sharding(foreign: Foreign, model: Foreign, building: Building) -> None:
    """FSDP 1 over all GPUs, or over groups of `shard_degree`; tensor parallelism below it."""
    kind, degree, across = (
        model.get(key) for key in ("sharding_strategy", "shard_degree", "tensor_model_parallel_degree")
    )
    building.default((INSTANCE, "parallelism"), "fsdp", "hyperpod_nemo_adapter, conf/config_schemas.py (fsdp)")
    building.default((INSTANCE, "fsdp_version"), 1, "hyperpod_nemo_adapter, collections/parts/fsdp_strategy.py")
    if across and (across.number or 1) > 1:
        building.put((INSTANCE, "tensor_parallel"), across)
    word = kind.text.casefold() if kind else "hybrid_shard"
    devices = foreign.inside("trainer").get("devices")
    each, size = devices.number if devices else 8, degree.number if degree else None
    if word in WHOLE:
        building.put((INSTANCE, "sharding"), kind, WHOLE[word])
    elif word == "shard_grad_op":
        building.put((INSTANCE, "reshard_after_forward"), kind, False)
    elif word == "hybrid_shard" and size == gpus(foreign):
        building.put((INSTANCE, "sharding"), degree, "full")
    elif word == "hybrid_shard" and size == each:
        building.put((INSTANCE, "sharding"), degree, "hybrid")
    elif word == "hybrid_shard" and degree:
        building.unread(degree, "either", "shards over a part of the GPUs")
    else:
        given = kind or model.peek("train_batch_size") or foreign.peek("model")
        if given:
            building.unread(given, "either", "shards over GPUs whose number is not said")


def _put_kernels(model: Foreign, building: Building) -> None:
    recomputes, offloads = model.get("activation_checkpointing"), model.get("offload_activations")
    building.put((TRAINING, "gradient_checkpointing"), recomputes)
    if offloads and offloads.flag:
        building.put((TRAINING, "activation_offloading"), offloads, True)
    flash = model.get("use_flash_attention")
    building.put((TRAINING, "attn_implementation"), flash, "flash_attention_2" if flash and flash.flag else "sdpa")


def _put_optimizer(model: Foreign, building: Building) -> None:
    optim = model.inside("optim")
    kind, betas = optim.get("name"), optim.get("betas")
    building.put((TRAINING, "learning_rate"), optim.get("lr"))
    building.put((TRAINING, "weight_decay"), optim.get("weight_decay"))
    if kind and kind.text != "adamw":
        building.unread(kind, "either", f"is {kind.text}, whose states are not known")
    if betas and isinstance(betas.value, list) and len(betas.value) == 2:
        for number, value in enumerate(betas.value, 1):
            building.put((TRAINING, f"adam_beta{number}"), betas, value)
    clip = model.get("grad_clip")
    if clip and (clip.number or 0) > 0:
        building.put((TRAINING, "max_grad_norm"), clip)
    schedule = optim.inside("sched")
    shape, warmup = schedule.get("name"), schedule.get("warmup_steps")
    if shape:
        building.put((TRAINING, "lr_scheduler_type"), shape, "linear" if "Linear" in shape.text else "cosine")
    building.put((TRAINING, "warmup_steps"), warmup)


def _put_rhythm(foreign: Foreign, trainer: Foreign, building: Building) -> None:
    """Updates, how they are logged, and checkpoints, which `save_top_k: 0` turns off."""
    steps, logged, times = (trainer.get(key) for key in ("max_steps", "log_every_n_steps", "accumulate_grad_batches"))
    if steps and (steps.number or 0) > 0:
        building.put((TRAINING, "max_steps"), steps)
    if logged and (logged.number or 0) > 0:
        building.put((TRAINING, "logging_steps"), logged)
    building.put((TRAINING, "gradient_accumulation_steps"), times)
    manager = foreign.inside("exp_manager")
    saving = manager.inside("checkpoint_callback_params")
    kept, every = saving.get("save_top_k"), saving.get("every_n_train_steps")
    if kept and kept.number and every and (every.number or 0) > 0:
        building.put((TRAINING, "save_steps"), every)
        building.put((TRAINING, "save_total_limit"), kept)
    elif kept:
        building.put((TRAINING, "save_strategy"), kept, "no")
