"""Programs that start jobs with SageMaker's SDK, short ones after the form of those that its examples have."""

from __future__ import annotations

import json

import pytest

from hbspec.frontends.reading.front import ForeignReader
from hbspec.source import load

ESTIMATOR = """\
import sagemaker
from sagemaker.huggingface import HuggingFace

role = sagemaker.get_execution_role()
model_id = "Qwen/Qwen2.5-7B"
hyperparameters = {
    "model_id": model_id,
    "epochs": 3,
    "per_device_train_batch_size": 2,
    "lr": 2e-4,
    "max_seq_length": 2048,
    "lora_r": 32,
    "load_in_4bit": True,
    "bf16": True,
    "gradient_checkpointing": True,
    "dataset_path": "/opt/ml/input/data/training",
    "merge_weights": True,
}
estimator = HuggingFace(
    entry_point="run_sft.py",
    source_dir="./scripts",
    instance_type="ml.g5.12xlarge",
    instance_count=2,
    base_job_name=f"{model_id}-qlora",
    role=role,
    volume_size=300,
    max_run=2 * 24 * 60 * 60,
    use_spot_instances=True,
    max_wait=3 * 24 * 60 * 60,
    checkpoint_s3_uri="s3://bucket/checkpoints",
    output_path="s3://bucket/output",
    transformers_version="4.56.2",
    pytorch_version="2.8.0",
    py_version="py312",
    hyperparameters=hyperparameters,
    distribution={"torch_distributed": {"enabled": True}},
    environment={"NCCL_DEBUG": "INFO"},
    keep_alive_period_in_seconds=1800,
)
estimator.fit({"training": "s3://bucket/train/"})
"""
TRAINER = """\
from sagemaker.modules.configs import Compute, InputData, SourceCode, StoppingCondition
from sagemaker.modules.distributed import Torchrun
from sagemaker.modules.train import ModelTrainer

IMAGE = (
    "763104351884.dkr.ecr.us-west-2.amazonaws.com/"
    "huggingface-pytorch-training:2.8.0-transformers4.56.2-gpu-py312-cu129-ubuntu22.04"
)
compute = Compute(instance_type="ml.p4d.24xlarge", instance_count=1, enable_managed_spot_training=False)
trainer = ModelTrainer(
    training_image=IMAGE,
    source_code=SourceCode(source_dir="src", entry_script="train.py"),
    compute=compute,
    distributed=Torchrun(),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=7200),
    hyperparameters={"model-name": "Qwen/Qwen2.5-7B", "max_length": 4096, "use_peft": True},
)
trainer.train(input_data_config=[InputData(channel_name="train", data_source="s3://bucket/train/")])
"""


def notebook(*cells):
    """The text of a notebook with these cells of code, behind one of text."""
    head = {"cell_type": "markdown", "metadata": {}, "source": ["# Training\n"]}
    code = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": cell.splitlines(keepends=True)} for cell in cells
    ]
    return json.dumps({"cells": [head, *code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


@pytest.fixture
def coded(tmp_path):
    """The document of a program, or of a notebook where the name of the file says so."""

    def coded(text, *overrides, name="job.py", program=None):
        file = tmp_path / name
        file.write_text(text)
        return load(file, overrides=overrides, reader=ForeignReader(program))

    return coded


def said(document, code):
    """The messages with a code."""
    return [finding.message for finding in document.translated.findings if finding.code == code]
