"""Target `llamafactory`: every key is one of its own or of transformers, and the values are the plan's training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from compiled import BASE, WHOLE_LOGITS, files, project, refusals

from hbspec.api import estimate
from hbspec.frontends.reading.pinned import pinned

KNOWN = frozenset(pinned("llamafactory")["fields"])
"""The keys that LLaMA-Factory's parser takes: its own, and those of transformers' arguments."""
FULL = ("hyperparameters.method=full", "hyperparameters.loss=standard")
WAYS: dict[str, tuple[str, ...]] = {
    "qlora": WHOLE_LOGITS,
    "int8": (*WHOLE_LOGITS, "hyperparameters.bnb_quant_type=int8", "hyperparameters.bnb_double_quant=null"),
    "lora": (*WHOLE_LOGITS, "hyperparameters.method=lora", "hyperparameters.target_modules=[q_proj, v_proj]"),
    "full": (*FULL, "software.weights_dtype=float32", "instance.parallelism=zero2", "hyperparameters.weight_decay=0.1"),
    "full, zero3": (*FULL, "instance.parallelism=zero3"),
    "hosts": (
        *WHOLE_LOGITS,
        "instance.count=2",
        "hyperparameters.max_steps=null",
        "hyperparameters.num_train_epochs=2",
    ),
    "share": (*WHOLE_LOGITS, "hyperparameters.warmup_ratio=0.1", "hyperparameters.fp16=true"),
}


def written(*overrides: str) -> dict[str, Any]:
    return dict(yaml.safe_load(files(BASE, "llamafactory", *overrides, force=True)["llamafactory.yaml"]))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("way", WAYS)
def test_its_keys_are_known_and_its_values_the_plan_s(way: str) -> None:
    values, analysis = written(*WAYS[way]), estimate(BASE, overrides=WAYS[way]).analysis
    plan, training, given = analysis.plan, analysis.plan.training, analysis.spec.hyperparameters
    assert values.keys() <= KNOWN
    rows = values["per_device_train_batch_size"] * values["gradient_accumulation_steps"] * plan.data_parallel_size
    assert rows == plan.effective_batch_size
    script = files(BASE, "llamafactory", *WAYS[way], force=True)["train.sh"].decode()
    assert f"--num_processes {plan.processes} " in script
    assert (values.get("max_steps"), values.get("num_train_epochs")) == (given.max_steps, given.num_train_epochs)
    assert (values["learning_rate"], values["cutoff_len"]) == (1e-4, training.max_length)
    assert values["finetuning_type"] == ("full" if training.method == "full" else "lora")
    bits = {None: None, "nf4": 4, "int8": 8}
    assert values.get("quantization_bit") == bits[training.quantization]
    assert values["disable_gradient_checkpointing"] != training.gradient_checkpointing
    assert values["use_reentrant_gc"] == training.use_reentrant
    assert values["warmup_steps"] == (given.warmup_ratio or 0)
    assert (values["bf16"], values["fp16"]) == (
        training.compute_dtype == "bfloat16",
        training.compute_dtype == "float16",
    )


def test_a_key_of_another_framework_is_seen() -> None:
    assert {*written(*WHOLE_LOGITS), "sequence_len"} - KNOWN == {"sequence_len"}


def test_the_data_are_described_beside_it() -> None:
    told = json.loads(files(BASE, "llamafactory", *WHOLE_LOGITS)["dataset_info.json"])
    assert {name: entry["file_name"] for name, entry in told.items()} == {
        "train": "data/train",
        "validation": "data/validation",
    }


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("hyperparameters.loss=fused", "hyperparameters.loss"),
        ("software.adapter_dtype=bfloat16", "software.adapter_dtype"),
        ("hyperparameters.bnb_4bit_quant_storage=uint8", "hyperparameters.bnb_4bit_quant_storage"),
        ("hyperparameters.packing=true", "hyperparameters.packing"),
        ("instance.parallelism=fsdp", "instance.parallelism"),
        ("hyperparameters.activation_offloading=true", "hyperparameters.activation_offloading"),
        ("hyperparameters.attn_implementation=flex_attention", "hyperparameters.attn_implementation"),
        ("monitoring={gpu_memory: {max: 35 GB}}", "monitoring.gpu_memory"),
    ],
)
def test_what_it_cannot_be_told_is_refused_at_its_key(override: str, key: str) -> None:
    found = refusals(BASE, "llamafactory", *WHOLE_LOGITS, override, force=True)
    assert ("HB542", key) in found


def test_your_own_script_is_not_its_own(tmp_path: Path) -> None:
    assert ("HB542", "script") in refusals(project(tmp_path, "reads: arguments"), "llamafactory", force=True)


def test_weights_are_as_wide_as_it_trains_them() -> None:
    wide, narrow = ("software.weights_dtype=float32",), ("software.weights_dtype=bfloat16",)
    for way, refused in (("zero2", narrow), ("zero3", wide)):
        given = (*FULL, f"instance.parallelism={way}")
        assert ("HB542", "software.weights_dtype") in refusals(BASE, "llamafactory", *given, *refused, force=True)
        assert files(BASE, "llamafactory", *given, *(wide if refused is narrow else narrow), force=True)
