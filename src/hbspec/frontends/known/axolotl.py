"""axolotl 0.19.0: defaults, and what the keys influence that are not read.

Every source is a file of https://github.com/axolotl-ai-cloud/axolotl, src/axolotl.
"""

from __future__ import annotations

from hbspec.frontends.reading.influence import ProgramKeys, Unread
from hbspec.frontends.reading.pinned import pinned, title

TRAINING = "axolotl's default, utils/schemas/training.py"
CONFIG = "axolotl's default, utils/schemas/config.py"
LOADED = "axolotl, loaders/model.py"
BUILT = "axolotl's default, core/builders/base.py"
PEFT = "axolotl's default, utils/schemas/peft.py"
REQUIRED = "axolotl 0.19.0's requirements"

DEFAULTS = (
    (("hyperparameters", "per_device_batch_size"), 1, TRAINING),
    (("hyperparameters", "gradient_accumulation_steps"), 1, TRAINING),
    (("hyperparameters", "num_train_epochs"), 1.0, TRAINING),
    (("hyperparameters", "max_length"), 512, CONFIG),
    (("hyperparameters", "optim"), "adamw_torch_fused", TRAINING),
    (("hyperparameters", "lr_scheduler_type"), "cosine", BUILT),
    (("hyperparameters", "save_total_limit"), 4, BUILT),
    (("hyperparameters", "gradient_checkpointing"), False, CONFIG),
    (("hyperparameters", "attn_implementation"), "sdpa", "transformers' default"),
    (("hyperparameters", "loss"), "standard", "transformers.Trainer"),
    (("software", "transformers"), "5.16.1", REQUIRED),
    (("software", "trl"), "1.9.0", REQUIRED),
    (("software", "peft"), "0.20.0", REQUIRED),
    (("software", "accelerate"), "1.13.0", REQUIRED),
    (("software", "bitsandbytes"), "0.50.2", REQUIRED),
)
"""Of every training: route, value and source."""

ADAPTER_DEFAULTS = (
    (("hyperparameters", "lora_r"), 8, "peft's LoraConfig"),
    (("hyperparameters", "lora_alpha"), 8, "peft's LoraConfig"),
    (("hyperparameters", "lora_dropout"), 0.0, PEFT),
    (("software", "adapter_dtype"), "float32", "peft's autocast_adapter_dtype"),
)

FOUR_BIT_DEFAULTS = (
    (("hyperparameters", "bnb_quant_type"), "nf4", LOADED),
    (("hyperparameters", "bnb_double_quant"), True, LOADED),
    (("hyperparameters", "bnb_4bit_quant_storage"), "bfloat16", LOADED),
)

_LESS, _MORE, _EITHER = "less", "more", "either"

MEMORY = {
    "unfrozen_parameters": Unread(_LESS, "trains some of the weights only"),
    "lisa_n_layers": Unread(_LESS, "trains some of the layers at a time"),
    "relora": Unread(_EITHER, "merges and restarts the adapters"),
    "relora_cpu_offload": Unread(_LESS, "keeps merged weights in host memory"),
    "spectrum_top_fraction": Unread(_LESS, "trains some of the weights only"),
    "peft_layers_to_transform": Unread(_LESS, "adapts some of the layers only"),
    "peft_layer_replication": Unread(_MORE, "repeats layers"),
    "peft_trainable_token_indices": Unread(_MORE, "trains rows of the embedding"),
    "lora_rank_pattern": Unread(_EITHER, "gives some adapters another rank"),
    "lora_target_parameters": Unread(_MORE, "adapts fused parameters"),
    "lora_on_cpu": Unread(_LESS, "keeps adapters on the host while loading"),
    "peft": Unread(_EITHER, "changes how adapters are made"),
    "quantize_moe_experts": Unread(_LESS, "quantises fused experts"),
    "experts_implementation": Unread(_EITHER, "chooses the kernel of the experts"),
    "use_scattermoe": Unread(_EITHER, "chooses the kernel of the experts"),
    "use_sonicmoe": Unread(_EITHER, "chooses the kernel of the experts"),
    "llama4_linearized_experts": Unread(_EITHER, "makes linear modules of the experts"),
    "model_quantization_config": Unread(_EITHER, "loads weights that are quantised already"),
    "use_onebitllms": Unread(_EITHER, "trains 1.58-bit weights"),
    "gptq": Unread(_LESS, "loads weights that are quantised already"),
    "qat": Unread(_MORE, "trains with simulated quantisation"),
    "fp8": Unread(_EITHER, "computes in 8 bits"),
    "torch_compile": Unread(_EITHER, "compiles the model"),
    "tiled_mlp": Unread(_LESS, "computes the MLP in parts of the row"),
    "selective_checkpointing": Unread(_MORE, "keeps some activations"),
    "layer_offloading": Unread(_LESS, "keeps layers in host memory"),
    "ple_cpu_offload": Unread(_LESS, "keeps embeddings of layers in host memory"),
    "context_parallel_size": Unread(_LESS, "splits rows over GPUs"),
    "sequence_parallel_degree": Unread(_LESS, "splits rows over GPUs"),
    "expert_parallel_size": Unread(_LESS, "divides the experts among GPUs"),
    "dp_replicate_size": Unread(_MORE, "shards in groups of GPUs"),
    "device_map": Unread(_EITHER, "places layers by itself"),
    "max_memory": Unread(_EITHER, "places layers by itself"),
    "gpu_memory_limit": Unread(_EITHER, "places layers by itself"),
    "processor_type": Unread(_MORE, "reads images or sound with the text"),
    "auto_find_batch_size": Unread(_LESS, "halves the micro-batch until it fits"),
    "eval_sequence_len": Unread(_EITHER, "gives evaluations another length"),
    "fp32_norms": Unread(_MORE, "keeps norms in float32"),
    "kd_trainer": Unread(_MORE, "distils from another model's answers"),
    "diffusion": Unread(_EITHER, "trains by diffusion"),
    "dynamic_checkpoint": Unread(_EITHER, "changes what is saved"),
    "llmcompressor": Unread(_EITHER, "trains sparse weights"),
    "dp_shard_size": Unread(_EITHER, "shards over some of the GPUs"),
    "lora_model_dir": Unread(_EITHER, "goes on from adapters, whose rank and modules count"),
    "nonexpert_quantization": Unread(_LESS, "quantises what is not an expert"),
    "quantization": Unread(_EITHER, "simulates quantised weights"),
    "tokens": Unread(_MORE, "adds rows to the embedding and the head"),
    "resize_token_embeddings_to_32x": Unread(_MORE, "adds rows to the embedding"),
    "max_packed_sequence_len": Unread(_EITHER, "packs rows of another length"),
    "s2_attention": Unread(_LESS, "attends within groups"),
    "trainer_cls": Unread(_EITHER, "names a trainer of its own"),
}
"""Keys that influence memory, with what they do; they count where they are set to something."""

TIME = frozenset(
    (
        *("lora_mlp_kernel", "lora_qkv_kernel", "lora_o_kernel", "lora_embedding_kernel", "flash_attn_fuse_mlp"),
        *("use_kernels", "fused_attn_kernel", "gemma4_hybrid_attn_impl", "large_head_attention", "sdpa_varlen"),
        *("group_by_length", "deepcompile", "use_ray", "streaming", "min_sample_len", "excess_length_strategy"),
        *("early_stopping_patience", "loss_watchdog_threshold", "do_bench_eval", "do_causal_lm_eval"),
    )
)
"""Keys that influence time only."""

REWARDS = ("reward_model", "process_reward_model")


def fields() -> ProgramKeys:
    """The keys of axolotl, and what they influence."""
    return ProgramKeys(title("axolotl", "axolotl"), frozenset(pinned("axolotl")["fields"]), MEMORY, TIME)
