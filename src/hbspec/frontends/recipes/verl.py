"""Recipes of verl's trainers for supervised tuning and DPO, on its FSDP engine.

Sources are files of verl (https://github.com/volcengine/verl b178a3cd, verl/workers and verl/trainer).
"""

from __future__ import annotations

from hbspec.frontends.reading.adapters import architecture_of, every_linear, put_targets
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.defaults import put_defaults, usual
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.global_batch import GlobalBatch
from hbspec.frontends.reading.tasks import put_task
from hbspec.frontends.recipes.cluster import gpus, name_placeholders, put_named

PROGRAM = "hyperpod-verl"
"""Its name in the table of defaults."""
TRAINING, INSTANCE = "hyperparameters", "instance"
SECTIONS = ("engine", "optim", "data", "model")
OF_REINFORCEMENT = ("actor_rollout_ref", "rollout", "reward_model", "critic")
DTYPES = {"bf16": "bfloat16", "fp32": "float32", "fp16": "float16"}
OPTIMIZERS = {("torch.optim", "AdamW"): "adamw_torch", ("bitsandbytes.optim", "AdamW8bit"): "adamw_bnb_8bit"}
SCHEDULES = {"constant": "constant_with_warmup"}
SAME_OPTIMIZER = {
    "lr": "learning_rate",
    "weight_decay": "weight_decay",
    "clip_grad": "max_grad_norm",
}
SAME_TRAINER = {
    "total_epochs": "num_train_epochs",
    "total_training_steps": "max_steps",
    "max_ckpt_to_keep": "save_total_limit",
}
WEIGHTS = ("software", "weights_dtype")
SPLITS = "ulysses_sequence_parallel_size"


def translate(foreign: Foreign, building: Building) -> None:
    """The job of a recipe."""
    config = foreign.inside("training_config")
    model, engine = config.inside("model"), config.inside("engine")
    path = put_named(model, "path", building)
    _put_task(config, building)
    _put_method(model, building, path, foreign.peek("defaults"))
    _put_kernels(model, building)
    _put_engine(foreign, engine, building)
    _put_batch(foreign, config, building)
    _put_data(config.inside("data"), building)
    _put_optimizer(config.inside("optim"), building)
    _put_trainer(config.inside("trainer"), building)
    for name in ("checkpoint", "profiler", "mlflow", "trainer_callbacks", "global_profiler"):
        config.get(name)
    put_defaults(building, PROGRAM)


def _put_task(config: Foreign, building: Building) -> None:
    """DPO where the data are pairs (`DPODataConfig`)."""
    data, trainer = config.inside("data"), config.inside("trainer")
    target = data.get("_target_")
    pairs = target if target and "dpo" in target.text.casefold() else data.get("chosen_key")
    if not pairs:
        return
    put_task(building, pairs, "dpo")
    building.put((TRAINING, "beta"), trainer.get("beta"))
    building.put((TRAINING, "loss_type"), trainer.get("loss_type"))


def _put_method(model: Foreign, building: Building, path: ForeignKey | None, included: ForeignKey | None) -> None:
    """LoRA with a rank above 0, which a file of that name sets (`workers/engine/fsdp/transformer_impl.py`)."""
    rank, alpha, targets = model.get("lora_rank"), model.get("lora_alpha"), model.get("target_modules")
    taken = included if rank is None and included and "/peft/lora" in included.text else None
    if not taken and not (rank and (rank.number or 0) > 0):
        building.put((TRAINING, "method"), rank, "full")
        building.default((TRAINING, "method"), "full", usual(building, PROGRAM)["hyperparameters.method"].source)
        return
    building.put((TRAINING, "method"), rank or taken, "lora")
    building.put((TRAINING, "lora_r"), rank)
    building.put((TRAINING, "lora_alpha"), alpha)
    architecture = architecture_of(path)
    if targets:
        put_targets(building, targets, architecture)
    source = usual(building, PROGRAM)["hyperparameters.target_modules"].source
    building.default((TRAINING, "target_modules"), every_linear(architecture), source)


def _put_kernels(model: Foreign, building: Building) -> None:
    recomputes, offloads = model.get("enable_gradient_checkpointing"), model.get("enable_activation_offload")
    building.put((TRAINING, "gradient_checkpointing"), recomputes)
    if offloads and offloads.flag:
        building.put((TRAINING, "activation_offloading"), offloads, True)
    liger, fused = model.get("use_liger"), model.get("use_fused_kernels")
    if liger and liger.flag:
        building.put((TRAINING, "liger"), liger, True)
        building.default((TRAINING, "loss"), "in_place", usual(building, PROGRAM)["hyperparameters.loss"].source)
    if fused and fused.flag:
        building.unread(fused, "less", "computes the loss without holding all logits")
    tiled = model.inside("tiled_mlp")
    splits = tiled.get("enabled")
    tiled.get("num_shards")
    if splits and splits.flag:
        building.unread(splits, "less", "computes the MLP in parts of the row")
    building.put((TRAINING, "attn_implementation"), model.inside("override_config").get("attn_implementation"))


def _put_engine(foreign: Foreign, engine: Foreign, building: Building) -> None:
    """FSDP over all GPUs or groups of them, and the dtype that weights are loaded in, which it leaves as they are."""
    kind, size = engine.get("strategy"), engine.get("fsdp_size")
    if kind and kind.text not in ("fsdp", "fsdp2"):
        building.unread(kind, "either", f"is {kind.text}, which is read as FSDP")
    building.put((INSTANCE, "parallelism"), kind, "fsdp")
    building.default((INSTANCE, "parallelism"), "fsdp", "verl, workers/config/engine.py")
    building.put((INSTANCE, "fsdp_version"), kind, 2 if kind and kind.text == "fsdp2" else 1)
    building.default((INSTANCE, "fsdp_version"), 1, "verl, workers/config/engine.py")
    ahead = engine.get("forward_prefetch")
    if ahead and ahead.flag and building.value((INSTANCE, "fsdp_version")) == 1:  # FSDP 2 is not told of it
        building.unread(ahead, "more", "gathers weights ahead")
    whole, devices = gpus(foreign), foreign.inside("trainer").get("devices")
    if size and 0 < (size.number or 0) < whole:
        if devices and devices.number == size.number:
            building.put((INSTANCE, "sharding"), size, "hybrid")
        else:
            building.unread(size, "either", "shards over a part of the GPUs")
    building.put((INSTANCE, "reshard_after_forward"), engine.get("reshard_after_forward"))
    offloads = engine.get("offload_policy")
    if offloads and offloads.flag:
        building.put((INSTANCE, "offload"), offloads, "all")
    loaded, computed = engine.get("model_dtype"), engine.get("dtype")
    name = DTYPES.get(loaded.text, loaded.text) if loaded else "float32"
    building.put(WEIGHTS, loaded, name)
    building.default(WEIGHTS, "float32", "verl, workers/config/engine.py (model_dtype)")
    building.certain.add(WEIGHTS)
    if computed and DTYPES.get(computed.text, computed.text) == "float16":
        building.put((TRAINING, "fp16"), computed, True)
    else:
        building.put((TRAINING, "bf16"), computed, True)
        building.default((TRAINING, "bf16"), True, "verl, workers/config/engine.py (dtype)")
    building.put((TRAINING, "seed"), engine.get("seed"))


def _put_batch(foreign: Foreign, config: Foreign, building: Building) -> None:
    """Rows of an update, and of a micro-batch: as many as have the tokens that a GPU may take.

    With `use_dynamic_bsz` rows are joined up to `max_token_len_per_gpu` tokens (`workers/engine/utils.py`), which is
    that many rows of the greatest length.
    """
    data = config.inside("data")
    total, length, rows = data.get("train_batch_size"), data.get("max_length"), data.get("micro_batch_size_per_gpu")
    most, joins = data.get("max_token_len_per_gpu"), data.get("use_dynamic_bsz")
    building.put((TRAINING, "max_length"), length)
    name_placeholders(building, total, rows, most)
    by: ForeignKey | None = rows
    number = int((rows and rows.number) or 4)
    if not (joins and not joins.flag):
        longest, room = int((length and length.number) or 1024), int((most and most.number) or 8192)
        number, by = max(1, room // longest), most
        if most and room % longest:
            building.unread(most, "more", f"has room for more than the {number} x max_length that is counted")
        if most and number > 1:
            building.slower_or_faster(most)
    across = config.inside("engine").peek(SPLITS)
    ranks = max(1, gpus(foreign) // int((across and across.number) or 1))
    given = total if total and total.number else None
    source = "verl, trainer/config/sft_trainer_engine.yaml"
    building.shared = GlobalBatch(given, int((given and given.number) or 256), number, by, True, ranks, source)


def _put_data(data: Foreign, building: Building) -> None:
    share, own = data.get("train_val_split_ratio"), data.get("val_files")
    if own and own.acts:
        building.put(("data", "validation"), own, {})
    elif share and share.number and 0 < share.number < 1:
        building.put(("data", "validation", "share"), share, round(1 - share.number, 6))
    most = data.get("train_max_samples")
    if most and (most.number or 0) > 0:
        building.capped.append((most, int(most.number or 0), 1))


def _put_optimizer(given: Foreign, building: Building) -> None:
    for key, ours in SAME_OPTIMIZER.items():
        building.put((TRAINING, ours), given.get(key))
    steps, share, betas = (given.get(key) for key in ("lr_warmup_steps", "lr_warmup_steps_ratio", "betas"))
    if steps and (steps.number or 0) > 0:  # which count before the share
        building.put((TRAINING, "warmup_steps"), steps)
    else:
        building.put((TRAINING, "warmup_ratio"), share)
    if betas and isinstance(betas.value, list) and len(betas.value) == 2:
        for number, value in enumerate(betas.value, 1):
            building.put((TRAINING, f"adam_beta{number}"), betas, value)
    shape = given.get("lr_scheduler_type")
    if shape:  # a constant rate is warmed up to, too (`utils/torch_functional.py`)
        building.put((TRAINING, "lr_scheduler_type"), shape, SCHEDULES.get(shape.text, shape.text))
    kind, package = given.get("optimizer"), given.get("optimizer_impl")
    named = OPTIMIZERS.get((package.text if package else "torch.optim", kind.text if kind else "AdamW"))
    if named:
        building.put((TRAINING, "optim"), kind, named)
    elif kind:
        building.unread(kind, "either", f"is {kind.text}, whose states are not known")


def _put_trainer(given: Foreign, building: Building) -> None:
    """Epochs and updates, checkpoints and evaluations (`trainer/sft_trainer.py`)."""
    for key, ours in SAME_TRAINER.items():
        building.put((TRAINING, ours), given.get(key))
    saves, tests = given.get("save_freq"), given.get("test_freq")
    if saves and saves.text == "after_each_epoch":
        building.put((TRAINING, "save_strategy"), saves, "epoch")
    elif saves and (saves.number or 0) > 0:
        building.put((TRAINING, "save_steps"), saves)
    elif saves:
        building.put((TRAINING, "save_strategy"), saves, "no")
    if not (tests and building.has(("data", "validation"))):
        return
    if tests.text == "after_each_epoch":
        building.put((TRAINING, "eval_strategy"), tests, "epoch")
    elif (tests.number or 0) > 0:
        building.put((TRAINING, "eval_steps"), tests)
