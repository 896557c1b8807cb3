"""Files of torchtune, after the form of those that its recipes have."""

LORA = """\
output_dir: /tmp/out
model:
  _component_: torchtune.models.llama3_1.lora_llama3_1_8b
  lora_attn_modules: ['q_proj', 'v_proj', 'output_proj']
  apply_lora_to_mlp: True
  apply_lora_to_output: False
  lora_rank: 32
  lora_alpha: 64
  lora_dropout: 0.0
tokenizer:
  _component_: torchtune.models.llama3.llama3_tokenizer
  path: /tmp/llama/tokenizer.model
  max_seq_len: 2048
checkpointer:
  _component_: torchtune.training.FullModelHFCheckpointer
  checkpoint_dir: /tmp/llama/
  checkpoint_files: [model-00001-of-00001.safetensors]
  recipe_checkpoint: null
  output_dir: ${output_dir}
  model_type: LLAMA3
resume_from_checkpoint: False
save_adapter_weights_only: True
dataset:
  _component_: torchtune.datasets.alpaca_cleaned_dataset
  packed: True
dataset_val:
  _component_: torchtune.datasets.alpaca_cleaned_dataset
  split: train[95%:]
run_val_every_n_steps: 50
batch_size_val: ${batch_size}
seed: 7
shuffle: True
batch_size: 4
optimizer:
  _component_: torch.optim.AdamW
  fused: True
  weight_decay: 0.01
  lr: 3e-4
lr_scheduler:
  _component_: torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup
  num_warmup_steps: 100
loss:
  _component_: torchtune.modules.loss.LinearCrossEntropyLoss
epochs: 2
max_steps_per_epoch: null
gradient_accumulation_steps: 8
clip_grad_norm: 1.0
compile: False
metric_logger:
  _component_: torchtune.training.metric_logging.DiskLogger
  log_dir: ${output_dir}/logs
log_every_n_steps: 1
log_peak_memory_stats: True
device: cuda
dtype: bf16
enable_activation_checkpointing: True
enable_activation_offloading: False
profiler:
  _component_: torchtune.training.setup_torch_profiler
  enabled: False
"""
ADAPTERS = LORA[LORA.index("  lora_attn") : LORA.index("tokenizer:")]
FULL = (
    LORA.replace(ADAPTERS, "")
    .replace("lora_llama3_1_8b", "llama3_1_8b")
    .replace("torch.optim.AdamW\n  fused: True", "bitsandbytes.optim.PagedAdamW8bit")
    .replace("gradient_accumulation_steps: 8", "gradient_accumulation_steps: 1\noptimizer_in_bwd: True")
    .replace("save_adapter_weights_only: True\n", "")
)
