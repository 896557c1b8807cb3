"""transformers' `TrainingArguments`: what the keys influence that are not read."""

from __future__ import annotations

from hbspec.frontends.reading.influence import Unread

SOURCE = "transformers' default, training_args.py"

DEFAULTS = (
    (("hyperparameters", "per_device_batch_size"), 8, SOURCE),
    (("hyperparameters", "gradient_accumulation_steps"), 1, SOURCE),
    (("hyperparameters", "num_train_epochs"), 3.0, SOURCE),
    (("hyperparameters", "learning_rate"), 5e-5, SOURCE),
    (("hyperparameters", "optim"), "adamw_torch_fused", SOURCE),
    (("hyperparameters", "attn_implementation"), "sdpa", "transformers' default"),
)

MEMORY = {
    "auto_find_batch_size": Unread("less", "halves the micro-batch until it fits"),
    "torch_compile": Unread("either", "compiles the model"),
    "torch_compile_mode": Unread("either", "compiles the model"),
    "eval_accumulation_steps": Unread("less", "moves predictions to the host"),
    "parallelism_config": Unread("either", "divides the work in other ways"),
    "liger_kernel_config": Unread("either", "chooses some of Liger's kernels"),
    "optim_target_modules": Unread("less", "projects gradients of some modules"),
    "use_cpu": Unread("less", "trains on the CPU"),
}

TIME = frozenset(
    (
        *("train_sampling_strategy", "torch_empty_cache_steps"),
        *("eval_on_start", "eval_delay", "skip_memory_metrics"),
    )
)
