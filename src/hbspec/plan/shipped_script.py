"""What the shipped training script takes by itself, and the names it knows: equal to `templates/` by a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEMPLATE = "the shipped training script"

SOFTWARE: Mapping[str, str] = {
    "transformers": "5.23.0",
    "trl": "1.16.0",
    "peft": "0.21.2",
    "bitsandbytes": "0.50.2",
    "accelerate": "1.15.0",
}
"""What `templates/requirements.txt` pins."""

LEAST_PYTHON, LEAST_TORCH = (3, 11), (2, 6)
"""What these versions need, by their own metadata: `Requires-Python`, and the extra `torch` of transformers."""

DEFAULTS: Mapping[str, Any] = {
    "method": "qlora",
    "num_train_epochs": 3.0,
    "packing_strategy": "bfd",
    "lora_r": 16,
    "lora_alpha": 32.0,
    "lora_dropout": 0.05,
    "target_modules": "all-linear",
    "bnb_quant_type": "nf4",
    "bnb_double_quant": True,
    "bnb_4bit_quant_storage": "uint8",
    "gradient_checkpointing": True,
    "attn_implementation": "sdpa",
    "loss": "fused",
    "optim": "adamw_torch",
    "max_grad_norm": 1.0,
    "save_steps": 50,
    "save_total_limit": 3,
    "sync_each_batch": False,
}
"""Defaults of `templates/settings.py`, by the key of a spec."""

WATCH = "WATCH_"
"""Beginning of the settings that are bounds of `monitoring`; a job is the same job under other bounds."""

SUFFIXES = (
    *(".jsonl", ".jsonl.gz", ".jsonl.zst", ".json", ".json.gz", ".json.zst", ".csv", ".csv.gz", ".csv.zst"),
    ".parquet",
)
"""Ends of the names of files that `templates/folders.py` lists."""
SHOWN_SUFFIXES = ".jsonl, .json, .csv (also with .gz or .zst), .parquet"
"""The same for people."""

DATA_TYPES = ("language_modeling", "prompt_completion")
"""Dataset types that the script trains: `DATA_TYPE` of `templates/settings.py`."""

PRINTED = (
    *("step", "loss", "grad_norm", "learning_rate", "epoch", "step_seconds", "gpu_memory_bytes"),
    *("gpu_peak_allocated_bytes", "eval_loss"),
)
"""Keys of the metric lines that `templates/metrics.py` prints, `hbspec: step=12 loss=2.34568 ...`."""

METRICS = (
    *("train:loss", "train:grad_norm", "train:learning_rate", "train:epoch", "train:step_seconds"),
    *("train:gpu_memory_bytes", "train:gpu_peak_allocated_bytes", "eval:loss"),
)
"""Names of the metrics that a job of the script sends."""

FSDP_VERSION = 2
"""`FSDP_VERSION` of `templates/settings.py`."""

ATTENTION = ("eager", "sdpa", "flash_attention_2", "flex_attention")
"""What `attn_implementation` may be."""

LOSSES = ("standard", "chunked", "fused")
"""What `loss` may be."""

LIGER_KERNEL = "0.8.5"
"""The version of liger-kernel that a job with `liger` installs."""

OPTIMIZERS = (
    "adamw_torch", "adamw_torch_fused", "adamw_bnb_8bit", "adamw_8bit", "paged_adamw_32bit", "paged_adamw_8bit",
    "lion_32bit", "lion_8bit", "paged_lion_32bit", "paged_lion_8bit", "adafactor", "sgd", "adagrad", "rmsprop",
)  # fmt: skip
"""What `optim` may be."""

SCHEDULERS = (
    "linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup", "inverse_sqrt",
)  # fmt: skip
"""What `lr_scheduler_type` may be."""
