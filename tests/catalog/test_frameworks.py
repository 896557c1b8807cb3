"""Defaults of other frameworks: keys that the spec has, values that it takes, and TRL's against TRL itself."""

from __future__ import annotations

from dataclasses import fields

import pytest
from trl import ModelConfig, SFTConfig

from hbspec.catalog.frameworks import framework_defaults
from hbspec.catalog.rows import rows
from hbspec.spec.sections import Hyperparameters, Instance, Software

SECTIONS = {"hyperparameters": Hyperparameters, "software": Software, "instance": Instance}
BASE = {"learning_rate": 1e-4, "per_device_batch_size": 1, "max_length": 512}

TRL = {
    "max_length": "max_length",
    "learning_rate": "learning_rate",
    "per_device_batch_size": "per_device_train_batch_size",
    "per_device_eval_batch_size": "per_device_eval_batch_size",
    "gradient_accumulation_steps": "gradient_accumulation_steps",
    "num_train_epochs": "num_train_epochs",
    "save_steps": "save_steps",
    "packing": "packing",
    "packing_strategy": "packing_strategy",
    "lora_r": "lora_r",
    "lora_alpha": "lora_alpha",
    "lora_dropout": "lora_dropout",
    "bnb_quant_type": "bnb_4bit_quant_type",
    "bnb_double_quant": "use_bnb_nested_quant",
    "gradient_checkpointing": "gradient_checkpointing",
    "optim": "optim",
    "logging_steps": "logging_steps",
}


@pytest.mark.parametrize("row", list(rows("frameworks.csv")), ids=lambda row: f"{row['framework']} {row['key']}")
def test_every_row_is_one_that_a_spec_could_say(row):
    section, key = row["key"].split(".")
    value = framework_defaults(row["framework"], row["method"] or None, row["parallelism"] or None)[row["key"]].value
    if key == "per_device_eval_batch_size" and value == "per_device_batch_size":
        return
    beside = {"hyperparameters": BASE, "instance": {"gpu": "A10G", "parallelism": row["parallelism"]}}
    given = {**beside.get(section, {}), key: value}
    assert SECTIONS[section].model_validate(given)
    assert row["source"].startswith("https://")


def test_trl_s_are_trl_s():
    theirs = {field.name: field.default for config in (SFTConfig, ModelConfig) for field in fields(config)}
    ours = framework_defaults("trl")
    for key, name in TRL.items():
        assert ours[f"hyperparameters.{key}"].value == theirs[name], key
    assert theirs["dtype"] == ours["software.weights_dtype"].value
    assert theirs["lora_target_modules"] is theirs["bnb_4bit_quant_storage"] is None
    assert theirs["loss_type"] == "nll"


def test_a_default_may_depend_on_the_method():
    dtypes = [framework_defaults("llamafactory", method)["software.weights_dtype"].value for method in ("full", "lora")]
    assert dtypes == ["float32", "bfloat16"]
    assert "software.weights_dtype" not in framework_defaults("llamafactory")


def test_no_row_is_twice():
    columns = ("framework", "key", "method", "parallelism")
    keys = [tuple(row[column] for column in columns) for row in rows("frameworks.csv")]
    assert len(keys) == len({*keys})
