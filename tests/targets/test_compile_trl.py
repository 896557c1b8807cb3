"""Target `trl`: TRL's parser and accelerate's loader take what is written, and it says the plan's training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from compiled import BASE, files, project, refusals

from hbspec.api import estimate

ELSEWHERE = ("deployment=null", "instance.type=null", "instance.gpu=A100-80", "instance.gpus=4")
WAYS: dict[str, tuple[str, ...]] = {
    "ddp": (),
    "single": (*ELSEWHERE, "instance.parallelism=single", "hyperparameters.lora_alpha=16"),
    "pipeline": ("instance.parallelism=pipeline", "hyperparameters.lr_scheduler_type=cosine"),
    "fsdp2": ("instance.parallelism=fsdp", "hyperparameters.bnb_4bit_quant_storage=bfloat16"),
    "fsdp1": ("instance.parallelism=fsdp", "instance.fsdp_version=1", "instance.reshard_after_forward=false"),
    "zero3": ("instance.parallelism=zero3", "hyperparameters.method=lora", "hyperparameters.warmup_ratio=0.1"),
    "offload": ("instance.parallelism=zero2", "instance.offload=optimizer", "hyperparameters.warmup_steps=5"),
    "int8": ("hyperparameters.bnb_quant_type=int8", "hyperparameters.bnb_double_quant=null"),
    "full": ("hyperparameters.method=full", "instance.parallelism=zero3", "hyperparameters.weight_decay=0.1"),
    "two hosts": ("instance.count=2", "hyperparameters.max_steps=null", "hyperparameters.num_train_epochs=2"),
    "packed": ("hyperparameters.packing=true", "hyperparameters.packing_strategy=wrapped", "hyperparameters.seed=7"),
    "fp16": ("hyperparameters.fp16=true", "hyperparameters.target_modules=[q_proj, v_proj]"),
}


def written(folder: Path, *overrides: str) -> dict[str, Any]:
    """The values of every file that is not a script, after it was written to the folder."""
    values = {}
    for path, content in files(BASE, "trl", *overrides, force=True).items():
        (folder / path).write_bytes(content)
        if path.endswith((".yaml", ".json")):
            values[path] = yaml.safe_load(content)
    return values


@pytest.fixture(scope="module")
def parsed():
    """TRL's own reading of a configuration: its script's, model's and trainer's arguments; unknown keys fail."""
    from trl import DatasetMixtureConfig, ModelConfig, ScriptArguments, SFTConfig, TrlParser

    def parsed(folder: Path) -> tuple[Any, Any, Any]:
        parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig, DatasetMixtureConfig))
        words = ["--config", str(folder / "sft.yaml"), "--use_cpu", "true"]
        script, trainer, model, _, left = parser.parse_args_and_config(words, return_remaining_strings=True)
        assert left == []
        return script, trainer, model

    return parsed


@pytest.mark.one_in(3)
@pytest.mark.parametrize("way", WAYS)
def test_trl_and_accelerate_read_the_plan_s_training(way: str, parsed, tmp_path: Path, monkeypatch) -> None:
    from accelerate.commands.config.config_args import ClusterConfig

    monkeypatch.chdir(tmp_path)
    overrides = WAYS[way]
    values = written(tmp_path, *overrides)
    script, trainer, model = parsed(tmp_path)
    launched = ClusterConfig.from_yaml_file(tmp_path / "accelerate.yaml")
    analysis = estimate(BASE, overrides=overrides).analysis
    plan, training, given = analysis.plan, analysis.plan.training, analysis.spec.hyperparameters
    assert launched.num_processes == plan.processes
    rows = trainer.per_device_train_batch_size * trainer.gradient_accumulation_steps * plan.data_parallel_size
    assert rows == plan.effective_batch_size
    length = (trainer.max_steps, 3.0) if given.max_steps else (-1, given.num_train_epochs)
    assert (trainer.max_steps, trainer.num_train_epochs) == length
    assert (trainer.learning_rate, trainer.max_length, trainer.optim) == (1e-4, training.max_length, training.optim)
    assert trainer.lr_scheduler_type == (given.lr_scheduler_type or "linear")
    assert trainer.warmup_steps == (given.warmup_steps or given.warmup_ratio or 0)
    assert (trainer.seed, trainer.weight_decay) == (given.seed or 42, given.weight_decay or 0)
    assert trainer.packing == training.packing
    assert (trainer.bf16, trainer.fp16) == (training.compute_dtype == "bfloat16", training.compute_dtype == "float16")
    assert model.use_peft == training.adapters
    assert (model.load_in_4bit, model.load_in_8bit) == (
        training.quantization in ("nf4", "fp4"),
        training.quantization == "int8",
    )
    if training.adapters:
        assert (model.lora_r, model.lora_alpha, model.lora_dropout) == (16, training.lora_alpha, 0.05)
        modules = training.target_modules
        assert model.lora_target_modules == (modules if isinstance(modules, str) else list(modules))
    assert model.dtype == training.compute_dtype
    assert (script.dataset_name, trainer.assistant_only_loss) == ("data", True)
    recomputes = trainer.activation_checkpointing or values["accelerate.yaml"].get("fsdp_config", {}).get(
        "fsdp_activation_checkpointing"
    )
    assert recomputes == training.gradient_checkpointing


def test_accelerate_is_told_how_fsdp_shards(tmp_path: Path) -> None:
    two, one = (written(tmp_path, *WAYS[way])["accelerate.yaml"] for way in ("fsdp2", "fsdp1"))
    assert (two["distributed_type"], two["fsdp_config"]["fsdp_reshard_after_forward"]) == ("FSDP", True)
    assert (one["fsdp_config"]["fsdp_version"], one["fsdp_config"]["fsdp_reshard_after_forward"]) == (
        1,
        "SHARD_GRAD_OP",
    )


def test_deepspeed_s_json_lies_beside_it(tmp_path: Path) -> None:
    told = written(tmp_path, *WAYS["offload"])
    assert told["accelerate.yaml"]["deepspeed_config"]["deepspeed_config_file"] == "deepspeed.json"
    assert "mixed_precision" not in told["accelerate.yaml"]  # accelerate refuses both
    assert told["deepspeed.json"]["zero_optimization"] == {"stage": 2, "offload_optimizer": {"device": "cpu"}}


def test_an_unknown_key_is_seen(parsed, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path)
    with (tmp_path / "sft.yaml").open("a") as config:
        config.write("max_seq_length: 512\n")
    with pytest.raises((AssertionError, ValueError)):
        parsed(tmp_path)


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (("hyperparameters.loss=standard",), "hyperparameters.loss"),
        (("hyperparameters.lora_alpha=1.5",), "hyperparameters.lora_alpha"),
        (("software.trl=1.10.0",), "software.trl"),
        (("software.trainer=transformers",), "software.trainer"),
        (("data.validation={share: 0.1}",), "data.validation.share"),
        (("data.train.weights={a.jsonl: 2}",), "data.train.weights"),
        (("data.columns={messages: turns}",), "data.columns"),
        (("monitoring={gradient_norm: {max: 5}}",), "monitoring.gradient_norm"),
        (("instance.parallelism=fsdp", "instance.sharding=hybrid", "instance.count=2"), "instance.sharding"),
        (("instance.tensor_parallel=2",), "instance.tensor_parallel"),
    ],
)
def test_what_trl_cannot_be_told_is_refused_at_its_key(overrides: tuple[str, ...], key: str) -> None:
    found = [entry for entry in refusals(BASE, "trl", *overrides, force=True) if entry[0] == "HB542"]
    assert ("HB542", key) in found


def test_your_own_script_is_not_trl_s(tmp_path: Path) -> None:
    found = refusals(project(tmp_path, "reads: arguments"), "trl", force=True)
    assert ("HB542", "script") in found


def test_without_steps_between_them_the_evaluation_is_after_the_last_update(tmp_path: Path) -> None:
    assert written(tmp_path)["sft.yaml"]["eval_steps"] == 300
    assert json.dumps(written(tmp_path, "data.validation=null")["sft.yaml"]).count("eval_steps") == 0
