"""LLaMA-Factory 0.9.5: defaults, and what the keys influence that are not read.

Sources are files of https://github.com/hiyouga/LLaMA-Factory, src/llamafactory.
"""

from __future__ import annotations

from hbspec.frontends.known import arguments
from hbspec.frontends.reading.influence import ProgramKeys, Unread
from hbspec.frontends.reading.pinned import pinned, title

DATA = "LLaMA-Factory's default, hparams/data_args.py"
TUNING = "LLaMA-Factory's default, hparams/finetuning_args.py"
MODEL = "LLaMA-Factory's default, hparams/model_args.py"
REQUIRED = "LLaMA-Factory 0.9.5's requirements, the newest allowed"

DEFAULTS = (
    (("hyperparameters", "max_length"), 2048, DATA),
    (("hyperparameters", "gradient_checkpointing"), True, MODEL),
    *arguments.DEFAULTS,
    (("hyperparameters", "loss"), "standard", "transformers.Trainer"),
    (("software", "transformers"), "5.6.0", REQUIRED),
    (("software", "trl"), "0.24.0", REQUIRED),
    (("software", "peft"), "0.18.1", REQUIRED),
    (("software", "accelerate"), "1.11.0", REQUIRED),
)
ADAPTER_DEFAULTS = (
    (("hyperparameters", "lora_r"), 8, TUNING),
    (("hyperparameters", "lora_dropout"), 0.0, TUNING),
)
FOUR_BIT_DEFAULTS = (
    (("hyperparameters", "bnb_quant_type"), "nf4", MODEL),
    (("hyperparameters", "bnb_double_quant"), True, MODEL),
)

MEMORY = {
    **arguments.MEMORY,
    "predict_with_generate": Unread("more", "generates answers in evaluations"),
    "use_unsloth": Unread("less", "trains by Unsloth"),
    "use_unsloth_gc": Unread("less", "moves layer inputs to the host"),
    "use_galore": Unread("less", "projects gradients"),
    "use_apollo": Unread("less", "projects gradients"),
    "use_badam": Unread("less", "trains one block at a time"),
    "use_adam_mini": Unread("less", "keeps fewer states of the optimizer"),
    "use_muon": Unread("less", "keeps fewer states of the optimizer"),
    "use_mca": Unread("either", "trains by Megatron-Core"),
    "use_hyper_parallel": Unread("either", "divides the work in other ways"),
    "use_kt": Unread("less", "computes experts on the CPU"),
    "use_llama_pro": Unread("less", "trains added layers only"),
    "use_asft_loss": Unread("more", "holds a reference model beside the trained one"),
    "mixture_of_depths": Unread("either", "changes the model"),
    "shift_attn": Unread("less", "attends within groups"),
    "fp8": Unread("either", "computes in 8 bits"),
    "upcast_layernorm": Unread("more", "keeps norms in float32"),
    "upcast_lmhead_output": Unread("more", "holds logits in float32"),
    "train_from_scratch": Unread("either", "initialises the weights"),
    "resize_vocab": Unread("more", "adds rows to the embedding"),
    "quantization_device_map": Unread("either", "places layers by itself"),
    "image_max_pixels": Unread("more", "reads images with the text"),
    "video_max_pixels": Unread("more", "reads videos with the text"),
    "compute_accuracy": Unread("more", "keeps the logits of evaluations"),
    "tensor_model_parallel_size": Unread("less", "divides layers among GPUs"),
    "pipeline_model_parallel_size": Unread("less", "divides the layers among GPUs"),
    "adapter_name_or_path": Unread("either", "goes on from adapters, whose rank and modules count"),
    "add_tokens": Unread("more", "adds rows to the embedding"),
    "add_special_tokens": Unread("more", "adds rows to the embedding"),
    "freeze_trainable_layers": Unread("less", "trains some of the layers only"),
}
TIME = arguments.TIME | {"neat_packing", "use_v1_kernels", "streaming", "early_stopping_steps", "use_kv_cache"}


def fields() -> ProgramKeys:
    """The keys of LLaMA-Factory, and what they influence."""
    known = frozenset(pinned("llamafactory")["fields"])
    return ProgramKeys(title("llamafactory", "LLaMA-Factory"), known, MEMORY, TIME)
