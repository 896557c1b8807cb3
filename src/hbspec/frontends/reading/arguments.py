"""The keys of transformers' `TrainingArguments`, which TRL and LLaMA-Factory share (version 5.23.0)."""

from __future__ import annotations

from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.deepspeed import put_deepspeed
from hbspec.frontends.reading.defaults import put_usual
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.sharding import put_fsdp

TRAINING = "hyperparameters"
SAME = {
    "per_device_train_batch_size": "per_device_batch_size",
    "gradient_accumulation_steps": "gradient_accumulation_steps",
    "learning_rate": "learning_rate",
    "num_train_epochs": "num_train_epochs",
    "weight_decay": "weight_decay",
    "lr_scheduler_type": "lr_scheduler_type",
    "warmup_ratio": "warmup_ratio",
    "optim": "optim",
    "save_total_limit": "save_total_limit",
    "load_best_model_at_end": "load_best_model_at_end",
    "seed": "seed",
    "adam_beta1": "adam_beta1",
    "adam_beta2": "adam_beta2",
    "adam_epsilon": "adam_epsilon",
    "lr_scheduler_kwargs": "lr_scheduler_kwargs",
}
"""Keys that say the same under the same name, or under another."""

ABOVE_ZERO = {"max_steps": "max_steps", "max_grad_norm": "max_grad_norm", "warmup_steps": "warmup_steps"}
"""Keys where 0 or less means the same as no key."""

IGNORED = ("do_train", "do_eval", "output_dir", "report_to", "overwrite_output_dir", "logging_strategy")


def put_arguments(foreign: Foreign, building: Building, framework: str | None) -> None:
    """Everything that `TrainingArguments` says and a spec can say; without what differs between frameworks.

    `framework` is the one whose default of `save_steps` holds; None where only the program knows it.
    """
    for key, name in SAME.items():
        building.put((TRAINING, name), foreign.get(key))
    for key, name in ABOVE_ZERO.items():
        given = foreign.get(key)
        if given and ((given.number or 0) > 0 or given.placeholder):
            building.put((TRAINING, name), given)
    logged = foreign.get("logging_steps")
    if logged and (logged.number or 0) > 0:
        building.put((TRAINING, "logging_steps"), logged)
    for key in IGNORED:
        foreign.get(key)
    _put_rhythm(foreign, building, framework)
    liger = foreign.get("use_liger_kernel")
    if liger and liger.flag:
        building.put((TRAINING, "liger"), liger, True)
    syncs = foreign.inside("accelerator_config").inside("gradient_accumulation_kwargs").get("sync_each_batch")
    if syncs and syncs.flag:
        building.put((TRAINING, "sync_each_batch"), syncs, True)


def put_sharding(foreign: Foreign, building: Building) -> None:
    """DeepSpeed or FSDP, whose version is 2 by default since transformers 5.10."""
    put_deepspeed(building, foreign.get("deepspeed"))
    put_fsdp(foreign, building, version=2)


def _put_rhythm(foreign: Foreign, building: Building, framework: str | None) -> None:
    """When checkpoints are written, and when is evaluated: by updates, by epochs, or never."""
    strategy, every = foreign.get("save_strategy"), foreign.get("save_steps")
    if strategy is None or strategy.text == "steps":
        building.put((TRAINING, "save_steps"), every)
        if framework is not None:
            put_usual(building, framework, "hyperparameters.save_steps")
    else:
        _put_strategy(building, "save_strategy", strategy)
    evaluates, steps = foreign.get("eval_strategy", "evaluation_strategy"), foreign.get("eval_steps")
    batch = foreign.get("per_device_eval_batch_size")
    if evaluates is None or not evaluates.acts:
        return
    if not building.has(("data", "validation")):
        building.put(("data", "validation"), evaluates, {})
    if evaluates.text == "epoch":
        building.put((TRAINING, "eval_strategy"), evaluates)
    else:
        building.put((TRAINING, "eval_steps"), steps or foreign.peek("logging_steps"))
    building.put((TRAINING, "per_device_eval_batch_size"), batch)
    if framework is not None:
        put_usual(building, framework, "hyperparameters.per_device_eval_batch_size")


def _put_strategy(building: Building, key: str, given: ForeignKey) -> None:
    """Once an epoch, or never; `best` depends on losses that nobody knows before."""
    if given.text in ("epoch", "no") or given.value is False:
        building.put((TRAINING, key), given, given.text if given.text == "epoch" else "no")
    else:
        building.slower_or_faster(given)


def put_precision(foreign: Foreign, building: Building, *, usual: str) -> str:
    """`bf16` and `fp16`; the dtype that is computed in, which is `usual` where neither is said."""
    bf16, fp16 = foreign.get("bf16"), foreign.get("fp16")
    if fp16 and fp16.flag:
        building.put((TRAINING, "fp16"), fp16, True)
        return "float16"
    if bf16 and not bf16.placeholder:
        building.put((TRAINING, "bf16"), bf16, bf16.flag)
        return "bfloat16" if bf16.flag else "float32"
    return usual
