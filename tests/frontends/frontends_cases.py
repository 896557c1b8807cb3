"""Files of other programs, short ones after the form of those that the programs' examples have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hbspec.analysis.change import Change
from hbspec.frontends.reading.front import ForeignReader
from hbspec.opened import analysed
from hbspec.source import load

AXOLOTL = """\
base_model: NousResearch/Llama-2-7b-hf
load_in_4bit: true
datasets:
  - path: tatsu-lab/alpaca
    type: alpaca
val_set_size: 0.05
output_dir: ./out
adapter: qlora
sequence_len: 4096
sample_packing: true
lora_r: 32
lora_alpha: 16
lora_target_linear: true
micro_batch_size: 2
gradient_accumulation_steps: 4
num_epochs: 4
optimizer: paged_adamw_32bit
learning_rate: 2e-4
bf16: auto
gradient_checkpointing: true
attn_implementation: flash_attention_2
evals_per_epoch: 4
saves_per_epoch: 1
weight_decay: 0.0
"""
TRL = """\
model_name_or_path: Qwen/Qwen2.5-7B
dataset_name: trl-lib/Capybara
learning_rate: 1.0e-5
per_device_train_batch_size: 4
gradient_accumulation_steps: 2
max_length: 2048
attn_implementation: flash_attention_2
output_dir: out
"""
LLAMA_FACTORY = """\
model_name_or_path: Qwen/Qwen2.5-7B
stage: sft
do_train: true
finetuning_type: lora
lora_rank: 16
lora_target: all
dataset: identity,alpaca_en_demo
template: qwen
cutoff_len: 4096
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
learning_rate: 1.0e-4
num_train_epochs: 3.0
bf16: true
output_dir: saves/qwen
"""
ACCELERATE = """\
compute_environment: LOCAL_MACHINE
distributed_type: DEEPSPEED
deepspeed_config:
  zero_stage: 3
  offload_optimizer_device: none
  offload_param_device: none
mixed_precision: bf16
num_machines: 1
num_processes: 8
machine_rank: 0
"""
PROGRAMS = {"axolotl": AXOLOTL, "TRL": TRL, "LLaMA-Factory": LLAMA_FACTORY}


@pytest.fixture
def opened(tmp_path):
    """The document of a text, with files beside it, on a type of which each instance has eight GPUs."""

    def opened(text, *beside, on="ml.p4de.24xlarge", program=None):
        file = tmp_path / "job.yaml"
        file.write_text(text)
        others = []
        for number, other in enumerate(beside):
            others.append(tmp_path / f"{number}.yaml")
            others[-1].write_text(other)
        overrides = (f"instance.type={on}",) if on else ()
        return load(file, overrides=overrides, beside=[*map(str, others)], reader=ForeignReader(program))

    return opened


def weights(document, parallelism=None, method=None):
    """The dtype in which the plan stores weights, where a search has changed the parallelism or the method."""
    analysis = analysed(document, None, None)
    settings = {("instance", "parallelism"): parallelism, ("hyperparameters", "method"): method}
    change = Change("", {route: value for route, value in settings.items() if value})
    return replace(analysis, spec=change.applied(analysis.spec)).plan.training.weights_dtype


def found(document):
    """The codes of what was not understood, with the keys."""
    return [(finding.code, finding.route[-1]) for finding in document.translated.findings]
