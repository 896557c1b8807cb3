"""Configurations of other training programs, and requests of SageMaker, recognised by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REQUEST = "CreateTrainingJob of SageMaker"
"""What `program_of` calls the body of a request, which a policy can judge."""

ACCELERATE = "accelerate"
"""What `program_of` calls a file that says how processes are started, and not what they train."""

KEYS: dict[str, frozenset[str]] = {
    # axolotl, src/axolotl/utils/schemas/{config,model,training,datasets,peft}.py
    "axolotl": frozenset(
        (
            "base_model", "base_model_config", "adapter", "micro_batch_size", "sequence_len", "val_set_size",
            "datasets", "test_datasets", "pretraining_dataset", "dataset_prepared_path", "sample_packing",
            "eval_sample_packing", "pad_to_sequence_len", "lora_target_linear", "num_epochs", "evals_per_epoch",
            "saves_per_epoch", "load_in_4bit", "load_in_8bit", "train_on_inputs", "wandb_project", "plugins",
        )
    ),
    # LLaMA-Factory, src/llamafactory/hparams/*_args.py and, from `model_class` on, src/llamafactory/v1/config/*_args.py
    "LLaMA-Factory": frozenset(
        (
            "model_name_or_path", "stage", "do_train", "finetuning_type", "lora_rank", "lora_target", "dataset",
            "eval_dataset", "dataset_dir", "template", "cutoff_len", "max_samples", "overwrite_cache", "plot_loss",
            "preprocessing_num_workers", "quantization_bit", "adapter_name_or_path", "infer_backend", "export_dir",
            "model_class", "peft_config", "kernel_config", "dist_config", "train_dataset", "sample_backend",
        )
    ),
    # TRL, trl/scripts/utils.py ScriptArguments, trl/trainer/{model,sft}_config.py
    "TRL": frozenset(
        (
            "model_name_or_path", "dataset_name", "dataset_config", "dataset_mixer", "dataset_mixture",
            "dataset_train_split", "dataset_test_split", "use_peft", "lora_task_type", "use_bnb_nested_quant",
            "attn_implementation", "max_seq_length", "dataset_text_field", "dataset_num_proc", "packing_strategy",
        )
    ),
    # https://github.com/aws/sagemaker-hyperpod-recipes, recipes_collection/recipes
    "HyperPod": frozenset(
        (
            "run", "training_config", "instance_types", "elastic_policy", "scale_config", "display_name",
            "exp_manager", "use_smp_model", "distributed_backend",
        )
    ),
    # Hugging Face accelerate, src/accelerate/commands/config/config_args.py
    ACCELERATE: frozenset(
        (
            "compute_environment", "distributed_type", "machine_rank", "main_training_function", "num_machines",
            "num_processes", "rdzv_backend", "downcast_bf16", "same_network", "main_process_ip", "dynamo_config",
        )
    ),
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
    REQUEST: frozenset(
        (
            "TrainingJobName", "RoleArn", "AlgorithmSpecification", "ResourceConfig", "StoppingCondition",
            "OutputDataConfig", "InputDataConfig", "HyperParameters",
        )
    ),
}  # fmt: skip
"""Top-level keys by program. LLaMA-Factory and TRL share the key of the model's name, so `ENOUGH` are required."""
ENOUGH = 2
OURS = frozenset(("hbspec", "instance", "hyperparameters"))
"""A file with one of these keys is meant as a spec, whatever else it holds."""


def program_of(values: Mapping[str, Any]) -> str | None:
    """The program that a document configures; None if the document may be meant as a spec.

    >>> program_of({"base_model": "Qwen/Qwen2.5-7B", "adapter": "qlora", "sequence_len": 2048})
    'axolotl'
    >>> program_of({"hbspec": 1, "base_model": "Qwen/Qwen2.5-7B", "adapter": "qlora"}) is None
    True
    """
    if not OURS.isdisjoint(values):
        return None
    if any(_is_component(value) for value in values.values()):
        return "torchtune"
    shared = {program: len(keys.intersection(values)) for program, keys in KEYS.items()}
    program = max(shared, key=shared.__getitem__)
    return program if shared[program] >= ENOUGH else None


def _is_component(value: Any) -> bool:
    """Whether a value is a component of torchtune: a mapping that names a Python object to make (torchtune/config)."""
    return isinstance(value, Mapping) and "_component_" in value
