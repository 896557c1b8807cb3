"""Arguments of training scripts, by the names that examples of Hugging Face and AWS give them.

Sources: https://github.com/huggingface/notebooks (`sagemaker`), https://github.com/philschmid/llm-sagemaker-sample and
https://github.com/aws/amazon-sagemaker-examples.
"""

from __future__ import annotations

import re

MODEL = (
    *("model_id", "model_name_or_path", "model_name", "base_model", "base_model_id", "hf_model_id", "model"),
    *("pretrained_model_name_or_path", "model_checkpoint", "checkpoint"),
)
OTHER_NAMES = {
    "num_train_epochs": ("epochs", "num_epochs", "epoch", "n_epochs", "max_epochs"),
    "learning_rate": ("lr",),
    "per_device_train_batch_size": (
        *("train_batch_size", "per_device_batch_size", "micro_batch_size", "per_gpu_train_batch_size", "batch_size"),
    ),
    "per_device_eval_batch_size": ("eval_batch_size",),
    "gradient_accumulation_steps": ("gradient_accumulation", "grad_accum_steps", "accumulation_steps"),
    "max_length": (
        *("max_seq_length", "max_seq_len", "max_input_length", "block_size", "cutoff_len", "model_max_length"),
        *("seq_length", "sequence_len", "sequence_length", "max_sequence_length", "max_context_length"),
    ),
    "eval_strategy": ("evaluation_strategy",),
    "optim": ("optimizer",),
    "lora_r": ("lora_rank", "peft_lora_r"),
    "lora_alpha": ("peft_lora_alpha",),
    "lora_dropout": ("peft_lora_dropout",),
    "lora_target_modules": ("target_modules", "lora_target", "peft_target_modules"),
    "use_peft": ("use_lora", "peft", "lora", "enable_peft"),
    "load_in_4bit": ("use_4bit", "use_qlora", "qlora", "use_int4"),
    "load_in_8bit": ("use_8bit", "use_int8"),
    "finetuning_type": (
        "method",
        "training_method",
        "finetune_method",
        "finetuning_method",
        "peft_type",
        "peft_method",
    ),
    "gradient_checkpointing": ("activation_checkpointing", "use_gradient_checkpointing"),
    "use_flash_attention": ("use_flash_attn", "use_flash_attention_2", "flash_attention", "flash_attn"),
    "dtype": ("torch_dtype", "model_dtype"),
    "merge_weights": ("merge_adapters", "merge_and_push"),
}
"""By the name that transformers, TRL or peft has, others that mean the same."""
CANONICAL = {other: name for name, others in OTHER_NAMES.items() for other in others}

WITHOUT_INFLUENCE = re.compile(
    r"(?:^|_)(?:data|dataset|datasets|dir|path|paths|file|files|folder|uri|url|s3|hub|repo|token|tokens_file|wandb|mlflow|"
    r"report|logging|log|logger|verbosity|seed|output|bucket|region|name|task|split|column|columns|field|prompt|template|"
    r"script|access|project|run|tags|tag|language|tf32|metric|push|merge|safetensors|debug|disable|overwrite|workers|"
    r"proc|cache|config_name|tokenizer|labels|label|id2label|do|strategy|scheduler|warmup|patience|beta1|beta2|epsilon|"
    r"momentum|seed_everything|shuffle|drop|remove|"
    r"stride|generate|checkpoints|pad|wrap)(?:_|$)"
)
"""Names of arguments that say where something is, how it is called or how it is logged, or that only steer the loss."""
WITH_INFLUENCE = re.compile(r"batch|length|len|quant|bits|rank|offload|fp8|parallel|lora|layers|freeze|image|vision")
"""Names with such a part may influence memory, whatever else is in them."""
