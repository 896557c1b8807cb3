"""Target `axolotl`: every key is one of axolotl's own, and the values are the plan's training."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compiled import BASE, FLOAT_ADAPTERS, files, project, refusals

from hbspec.api import estimate
from hbspec.frontends.reading.pinned import pinned

FIELDS = json.loads(Path(__file__).with_name("framework_fields.json").read_text())["axolotl"]
"""Of its sections, from the package that it names."""
WAYS: dict[str, tuple[str, ...]] = {
    "qlora": (),
    "int8": ("hyperparameters.bnb_quant_type=int8", "hyperparameters.bnb_double_quant=null"),
    "lora": ("hyperparameters.method=lora", "hyperparameters.target_modules=[q_proj, v_proj]", "model.revision=main"),
    "full": ("hyperparameters.method=full", "instance.parallelism=zero3", "hyperparameters.weight_decay=0.1"),
    "fsdp": ("instance.parallelism=fsdp", "hyperparameters.bnb_4bit_quant_storage=bfloat16"),
    "hosts": ("instance.count=2", "hyperparameters.max_steps=null", "hyperparameters.num_train_epochs=2"),
    "share": ("hyperparameters.warmup_steps=0.1", "hyperparameters.loss=standard", "hyperparameters.fp16=true"),
}


def written(*overrides: str) -> dict[str, Any]:
    return dict(yaml.safe_load(files(BASE, "axolotl", *overrides, force=True)["axolotl.yaml"]))


def unknown(values: dict[str, Any]) -> list[str]:
    """Keys that axolotl does not have, in the file, in its data sets and in its section of FSDP."""
    found = values.keys() - set(pinned("axolotl")["fields"]) - set(FIELDS["cut_cross_entropy"])
    for entry in (*values["datasets"], *values.get("test_datasets", [])):
        found |= entry.keys() - set(FIELDS["dataset"])
    return sorted(found | (values.get("fsdp_config", {}).keys() - set(FIELDS["fsdp"])))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("way", WAYS)
def test_its_keys_are_axolotl_s_and_its_values_the_plan_s(way: str) -> None:
    values, analysis = written(*WAYS[way]), estimate(BASE, overrides=(*FLOAT_ADAPTERS, *WAYS[way])).analysis
    plan, training, given = analysis.plan, analysis.plan.training, analysis.spec.hyperparameters
    assert unknown(values) == []
    script = files(BASE, "axolotl", *WAYS[way], force=True)["train.sh"].decode()
    ranks = f"--num_processes {plan.processes} --num_machines {plan.require('hardware').instances} "
    assert ranks in script
    rows = values["micro_batch_size"] * values["gradient_accumulation_steps"] * plan.data_parallel_size
    assert rows == plan.effective_batch_size
    assert (values.get("max_steps"), values.get("num_epochs")) == (given.max_steps, given.num_train_epochs)
    assert (values["learning_rate"], values["sequence_len"]) == (1e-4, training.max_length)
    adapter = {"qlora": "qlora" if training.quantization == "nf4" else "lora", "lora": "lora", "full": None}
    assert values.get("adapter") == adapter[training.method]
    assert (values["bf16"], values["fp16"]) == (
        training.compute_dtype == "bfloat16",
        training.compute_dtype == "float16",
    )
    assert values["excess_length_strategy"] == "truncate"  # the default drops the example
    assert "warmup_ratio" in values if way == "share" else values["warmup_steps"] == 0  # it warms up by default
    assert values.get("cut_cross_entropy", False) == (training.loss != "standard")


def test_a_key_of_another_framework_is_seen() -> None:
    assert unknown({**written(), "cutoff_len": 512}) == ["cutoff_len"]


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("hyperparameters.bnb_quant_type=fp4", "hyperparameters.bnb_quant_type"),
        ("hyperparameters.bnb_double_quant=false", "hyperparameters.bnb_double_quant"),
        ("hyperparameters.bnb_4bit_quant_storage=uint8", "hyperparameters.bnb_4bit_quant_storage"),
        ("hyperparameters.packing=true", "hyperparameters.packing"),
        ("instance.parallelism=pipeline", "instance.parallelism"),
        ("hyperparameters.sync_each_batch=true", "hyperparameters.sync_each_batch"),
        ("data.type=prompt_completion", "data.type"),
        ("data.format=standard", "data.format"),
        ("monitoring={gpu_memory: {max: 35 GB}}", "monitoring.gpu_memory"),
    ],
)
def test_what_axolotl_cannot_be_told_is_refused_at_its_key(override: str, key: str) -> None:
    found = refusals(BASE, "axolotl", override, force=True)
    assert ("HB542", key) in found


def test_your_own_script_is_not_axolotl_s(tmp_path: Path) -> None:
    assert ("HB542", "script") in refusals(project(tmp_path, "reads: arguments"), "axolotl", force=True)


def test_it_starts_in_a_folder_of_its_own_beside_the_data(tmp_path: Path) -> None:
    compiled, data, work = tmp_path / "compiled", tmp_path / "my data", tmp_path / "work"
    for folder in (compiled, data, work):
        folder.mkdir()
    for path, content in files(BASE, "axolotl", "instance.count=2").items():
        (compiled / path).write_bytes(content)
    (tmp_path / "accelerate").write_text('#!/bin/sh\npwd\nls\nreadlink data\necho "$@"\n')
    (tmp_path / "accelerate").chmod(0o755)
    told = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "NODE_RANK": "1", "MASTER_ADDR": "10.0.0.7"}
    words = ["bash", str(compiled / "train.sh"), str(data), "--debug"]
    done = subprocess.run(words, cwd=work, env={**os.environ, **told}, capture_output=True, text=True)
    place, *listed, linked, words_of_accelerate = done.stdout.splitlines()
    assert Path(place).parent == work
    assert (listed, linked) == (["axolotl.yaml", "data"], str(data))
    assert words_of_accelerate == (
        "launch --num_processes 16 --num_machines 2 --machine_rank 1 --main_process_ip 10.0.0.7 "
        "--main_process_port 7777 -m axolotl.cli.train axolotl.yaml --debug"
    )
