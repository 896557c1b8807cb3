"""Recipes of AWS's own fine-tuning program (`model_type: llm_finetuning_aws`), for supervised tuning and DPO.

The program is not public: in which dtypes it holds weights, and how it computes the loss, no recipe says. Sources are
the recipes' own files (https://github.com/aws/sagemaker-hyperpod-recipes 26319955, `hydra_config/llmft`).
"""

from __future__ import annotations

from hbspec.frontends.reading.adapters import architecture_of, every_linear, put_targets
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.defaults import put_defaults, usual
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.global_batch import GlobalBatch
from hbspec.frontends.reading.sharding import put_fsdp_config
from hbspec.frontends.reading.tasks import put_task
from hbspec.frontends.recipes.cluster import gpus, name_placeholders, put_named

PROGRAM = "hyperpod-llmft"
"""Its name in the table of defaults."""
TRAINING = "hyperparameters"
SAME = {
    "learning_rate": "learning_rate",
    "max_epochs": "num_train_epochs",
    "max_len": "max_length",
    "lr_warmup_ratio": "warmup_ratio",
    "lr_scheduler": "lr_scheduler_type",
    "weight_decay": "weight_decay",
    "logging_steps": "logging_steps",
    "max_ckpt_num": "save_total_limit",
    "seed": "seed",
}
"""Keys of `training_args` that say the same under another name."""
SAME_ADAPTERS = {"r": "lora_r", "lora_alpha": "lora_alpha", "lora_dropout": "lora_dropout", "use_dora": "use_dora"}
OF_TASK = {"sft": (8, 5.0), "dpo": (16, 3.0)}
"""Rows of an update, and epochs, where a recipe does not say them (`hydra_config/llmft/algorithm`)."""
OF_RECIPES = "aws/sagemaker-hyperpod-recipes 26319955: hydra_config/llmft"
LOSSES = ("sigmoid", "hinge", "ipo")


def translate(foreign: Foreign, building: Building) -> None:
    """The job of a recipe."""
    config = foreign.inside("training_config")
    model, given = config.inside("model_config"), config.inside("training_args")
    name = put_named(model, "model_name_or_path", building)
    kind = given.get("trainer_type")
    task = kind.text if kind else "sft"
    if kind and task not in OF_TASK:
        action = "use trainer_type: sft or dpo, if that is meant, or measure the job itself"
        building.refuse(kind, f"a recipe of trainer_type: {task} is not estimated", action)
        task = "sft"
    if kind and task == "dpo":
        put_task(building, kind, task)
        building.put((TRAINING, "beta"), given.get("beta"))
        _put_loss(given, building)
    for key, ours in SAME.items():
        building.put((TRAINING, ours), given.get(key))
    _put_batch(foreign, given, building, task)
    _put_recomputation(given, building)
    _put_optimizer(given, building)
    _put_method(foreign, model, building, name)
    building.put((TRAINING, "attn_implementation"), model.get("attn_implementation"))
    _put_sharding(given, building)
    _put_data(config, given, building)
    _say_what_is_not_public(foreign, building)
    building.default((TRAINING, "num_train_epochs"), OF_TASK[task][1], f"{OF_RECIPES}/algorithm/{task}.yaml")
    put_defaults(building, PROGRAM)


def _put_loss(given: Foreign, building: Building) -> None:
    kind = given.get("loss_type")
    if kind and kind.text in LOSSES:
        building.put((TRAINING, "loss_type"), kind)
    elif kind:
        building.unread(kind, "either", f"computes the loss {kind.text}")


def _put_batch(foreign: Foreign, given: Foreign, building: Building, task: str) -> None:
    total, rows = given.get("train_batch_size"), given.get("micro_train_batch_size")
    name_placeholders(building, total, rows)
    whole = int((total and total.number) or OF_TASK[task][0])
    each = int((rows and rows.number) or 1)
    source = f"{OF_RECIPES}/algorithm/{task}.yaml"
    building.shared = GlobalBatch(_said(total), whole, each, _said(rows), False, gpus(foreign), source)


def _said(given: ForeignKey | None) -> ForeignKey | None:
    return given if given and given.number else None


def _put_recomputation(given: Foreign, building: Building) -> None:
    recomputes = given.get("gradient_checkpointing")
    building.put((TRAINING, "gradient_checkpointing"), recomputes)
    reentrant = given.get("gradient_checkpointing_use_reentrant")
    if not (recomputes and not recomputes.flag):
        building.put((TRAINING, "use_reentrant"), reentrant)


def _put_optimizer(given: Foreign, building: Building) -> None:
    """AdamW's betas, and the norm that gradients are cut to."""
    betas = given.get("adam_betas")
    if betas and isinstance(betas.value, list) and len(betas.value) == 2:
        for number, value in enumerate(betas.value, 1):
            building.put((TRAINING, f"adam_beta{number}"), betas, value)
    cuts, most = given.get("gradient_clipping"), given.get("gradient_clipping_threshold")
    if most and (most.number or 0) > 0 and not (cuts and not cuts.flag):
        building.put((TRAINING, "max_grad_norm"), most)


def _put_method(foreign: Foreign, model: Foreign, building: Building, name: ForeignKey | None) -> None:
    """LoRA where `peft_config` says so, or a file of that name is taken; all weights otherwise."""
    adapters, null = model.inside("peft_config"), model.null("peft_config")
    kind, included = adapters.get("peft_type"), foreign.peek("defaults")
    taken = included if included and "/peft/lora" in included.text and not null else None
    if kind and kind.text.casefold() != "lora":
        building.unread(kind, "either", f"is {kind.text}, which is read as LoRA")
    if not (kind or taken or adapters):
        if null:
            building.put((TRAINING, "method"), null, "full")
        building.default((TRAINING, "method"), "full", "a recipe without peft_config trains all weights")
        return
    building.put((TRAINING, "method"), kind or taken or model.peek("peft_config"), "lora")
    for key, ours in SAME_ADAPTERS.items():
        building.put((TRAINING, ours), adapters.get(key))
    targets, architecture = adapters.get("target_modules"), architecture_of(name)
    if targets:
        put_targets(building, targets, architecture)
    source = usual(building, PROGRAM)["hyperparameters.target_modules"].source
    building.default((TRAINING, "target_modules"), every_linear(architecture), source)


def _put_sharding(given: Foreign, building: Building) -> None:
    """FSDP, which every recipe asks for; hybrid for LoRA, and full otherwise."""
    strategy = given.inside("strategy")
    config = strategy.inside("fsdp_config")
    way = ("instance", "parallelism")
    building.put(way, strategy.peek("fsdp_config"), "fsdp")
    building.default(way, "fsdp", f"{OF_RECIPES}/strategy")
    put_fsdp_config(config, building, version=1)
    sharding = "full" if building.value((TRAINING, "method")) == "full" else "hybrid"
    if not building.has(("instance", "reshard_after_forward")):
        building.default(("instance", "sharding"), sharding, f"{OF_RECIPES}/strategy")


def _put_data(config: Foreign, given: Foreign, building: Building) -> None:
    """A share that is held out, or a file of its own, and limits on the examples."""
    data = config.inside("datasets")
    held, train = data.inside("val_data"), data.inside("train_data")
    share, own, most = data.get("train_val_split_ratio"), held.get("file_path"), train.get("limit")
    if own and own.acts:
        building.put(("data", "validation"), own, {})
    elif share and share.number and 0 < share.number < 1:
        building.put(("data", "validation", "share"), share, round(1 - share.number, 6))
    for limit in (most, given.get("max_samples")):
        if limit and limit.number:
            building.capped.append((limit, int(limit.number), 1))


def _say_what_is_not_public(foreign: Foreign, building: Building) -> None:
    """Dtypes and the loss, which are taken to be those of transformers' trainer under FSDP by accelerate."""
    building.default((TRAINING, "bf16"), True, "no recipe says its precision, which is taken to be bfloat16")
    given = foreign.inside("run").peek("model_type") or foreign.peek("training_config")
    if given:
        building.unread(given, "either", "is for a program that is not public and whose dtypes are guessed")
