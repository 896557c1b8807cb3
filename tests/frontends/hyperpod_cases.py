"""Recipes of HyperPod, short ones after the form of the public ones (commit 26319955)."""

from __future__ import annotations

LLMFT = """\
instance_types:
- ml.p4de.24xlarge
- ml.p5.48xlarge
run:
  model_type: llm_finetuning_aws
  name: qwen-2d5-7b
  results_dir: ${base_results_dir}/${.name}
scale_config:
  1:
    training_config:
      training_args:
        train_batch_size: 128
trainer:
  devices: 8
  num_nodes: 2
training_config:
  datasets:
    train_val_split_ratio: 0.9
  model_config:
    attn_implementation: sdpa
    model_name_or_path: Qwen/Qwen2.5-7B-Instruct
    peft_config:
      lora_alpha: 32
      lora_dropout: 0.05
      peft_type: lora
      r: 16
      target_modules: all-linear
  training_args:
    adam_betas:
    - 0.9
    - 0.95
    gradient_checkpointing: true
    gradient_checkpointing_use_reentrant: false
    gradient_clipping_threshold: 0.5
    learning_rate: 0.0001
    lr_scheduler: cosine
    lr_warmup_ratio: 0.1
    max_epochs: 5
    max_len: 4096
    max_samples: 100000000.0
    micro_train_batch_size: 2
    strategy:
      fsdp_config:
        auto_wrap_policy: TRANSFORMER_BASED_WRAP
        cpu_offload: false
        forward_prefetch: false
        sharding_strategy: HYBRID_SHARD
    train_batch_size: 64
    trainer_type: sft
"""
VERL = """\
instance_types:
- ml.p5.48xlarge
run:
  model_type: verl
  name: verl-sft-qwen-2-5-7b
trainer:
  devices: 8
  num_nodes: 1
training_config:
  data:
    max_length: 4096
    max_token_len_per_gpu: 16384
    micro_batch_size_per_gpu: 8
    train_batch_size: 64
    use_dynamic_bsz: true
  engine:
    _target_: verl.workers.config.FSDPEngineConfig
    dtype: bfloat16
    forward_prefetch: true
    fsdp_size: -1
    model_dtype: bf16
    reshard_after_forward: true
    strategy: fsdp2
    ulysses_sequence_parallel_size: 1
  model:
    enable_gradient_checkpointing: true
    lora_alpha: 64
    lora_rank: 32
    path: Qwen/Qwen2.5-7B-Instruct
    target_modules: all-linear
    use_liger: true
  optim:
    betas:
    - 0.9
    - 0.95
    clip_grad: 1.0
    lr: 0.0002
    lr_scheduler_type: cosine
    lr_warmup_steps: -1
    lr_warmup_steps_ratio: 0.0
    optimizer: AdamW
    optimizer_impl: torch.optim
    weight_decay: 0.001
  trainer:
    save_freq: after_each_epoch
    total_epochs: 1
"""
NEMO = """\
run:
  name: llama-8b
  model_type: hf
trainer:
  devices: 8
  num_nodes: 2
  precision: bf16
  max_steps: 50
  log_every_n_steps: 1
exp_manager:
  exp_dir: null
  checkpoint_callback_params:
    save_top_k: 0
    every_n_train_steps: 10
use_smp_model: False
model:
  model_type: llama_v3
  train_batch_size: 1
  tensor_model_parallel_degree: 1
  context_parallel_degree: 1
  activation_checkpointing: True
  offload_activations: False
  sharding_strategy: hybrid_shard
  forward_prefetch: False
  shard_degree: 16
  max_context_width: 8192
  use_flash_attention: True
  do_finetune: True
  hf_model_name_or_path: meta-llama/Llama-3.1-8B
  peft:
    peft_type: lora
    rank: 32
    alpha: 16
    dropout: 0.1
  precision: ${recipes.trainer.precision}
  optim:
    name: adamw
    lr: 0.0001
    betas:
    - 0.9
    - 0.98
    sched:
      name: CosineAnnealing
      warmup_steps: 0
"""
RECIPES = {"llmft": LLMFT, "verl": VERL, "nemo": NEMO}
