"""TRL 1.16.0's `trl sft`: defaults, and what the keys influence that are not read.

Sources are files of https://github.com/huggingface/trl, trl.
"""

from __future__ import annotations

from hbspec.frontends.known import arguments
from hbspec.frontends.reading.influence import ProgramKeys, Unread
from hbspec.frontends.reading.pinned import pinned, title

SFT = "TRL's default, trainer/sft_config.py"
MODEL = "TRL's default, trainer/model_config.py"

DEFAULTS = (
    (("hyperparameters", "max_length"), 1024, SFT),
    (("hyperparameters", "learning_rate"), 2e-5, SFT),
    (("hyperparameters", "gradient_checkpointing"), True, "TRL's default, trainer/base_config.py"),
    *arguments.DEFAULTS,
    (("software", "trainer"), "trl", "TRL's SFTTrainer"),
    (("software", "trl"), "1.16.0", "the newest release whose keys are known"),
)
ADAPTER_DEFAULTS = (
    (("hyperparameters", "lora_r"), 16, MODEL),
    (("hyperparameters", "lora_alpha"), 32, MODEL),
    (("hyperparameters", "lora_dropout"), 0.05, MODEL),
)
FOUR_BIT_DEFAULTS = (
    (("hyperparameters", "bnb_quant_type"), "nf4", MODEL),
    (("hyperparameters", "bnb_double_quant"), False, f"{MODEL} (use_bnb_nested_quant)"),
    (("hyperparameters", "bnb_4bit_quant_storage"), "uint8", "bitsandbytes' default"),
)

ALIASES = {"max_seq_length": "max_length", "torch_dtype": "dtype", "evaluation_strategy": "eval_strategy"}
"""Keys of earlier versions, which are read as those that took their place."""
EARLIER = frozenset(
    (
        *("warmup_ratio", "overwrite_output_dir", "logging_dir", "save_safetensors", "group_by_length", "do_train"),
        *(
            "dataset_mixture",
            "dataset_mixer",
            "dataset_splits",
            "dataset_configs",
            "chat_template",
            "preprocessing_num_workers",
        ),
        *("dataset_batch_size", "max_prompt_length", "hub_model_revision", "hub_private_repo", "datasets", "do_eval"),
        *("auto_insert_empty_system_msg", "seed_for_data", "push_to_hub_revision"),
    )
)
"""Keys of earlier versions, or of the alignment handbook's scripts, that influence neither memory nor time here."""

MEMORY = {
    **arguments.MEMORY,
    "lora_target_parameters": Unread("more", "adapts fused parameters"),
    "model_init_kwargs": Unread("either", "loads the model in its own way"),
    "padding_free": Unread("less", "joins rows without padding"),
    "pad_to_multiple_of": Unread("more", "pads rows further"),
    "eval_packing": Unread("either", "packs evaluations otherwise"),
}
TIME = arguments.TIME | {"dataset_streaming", "shuffle_dataset"}


def fields() -> ProgramKeys:
    """The keys of `trl sft`, and what they influence."""
    known = frozenset(pinned("trl")["fields"]) | EARLIER
    return ProgramKeys(title("trl", "TRL"), known, MEMORY, TIME, ALIASES)
