"""The editors' schema accepts what hbspec reads, and refuses what it refuses."""

from __future__ import annotations

import json

import pytest
from documentation import DOCS, ROOT, spec_of_readme
from jsonschema import Draft202012Validator

from hbspec.source import load

SCHEMA = json.loads((DOCS / "hbspec.schema.json").read_text(encoding="utf-8"))
SPECS = sorted([*(ROOT / "specs").glob("*.yaml"), ROOT / "src/hbspec/cli/starter.yaml", ROOT / "tests/rules/base.yaml"])
LEAST = {
    "hbspec": 1,
    "name": "least",
    "model": {"id": "Qwen/Qwen2.5-7B"},
    "instance": {"type": "ml.g5.2xlarge"},
    "hyperparameters": {"learning_rate": 1e-4, "per_device_batch_size": 1, "max_length": 1024},
}


def faults(value):
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(value)]


def test_it_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_specs_are_accepted(path):
    assert faults(load(path).values) == []


def test_the_readme_s_spec_is_accepted(tmp_path):
    (tmp_path / "spec.yaml").write_text(spec_of_readme())
    assert faults(load(tmp_path / "spec.yaml").values) == []


def test_a_spec_that_extends_another_may_say_only_what_differs():
    assert faults({"extends": "./base.yaml", "hyperparameters": {"lora_r": 8}, "budget": None}) == []


@pytest.mark.parametrize(
    "part",
    [
        {"hyperparameters": {"learning_rate": 1e-4, "per_device_batch_size": 1}},
        {"script": {"source_dir": "."}},
        {"data": {"tokens": {"mean": 3}}},
        {"instance": {"parallelism": "dpp"}},
        {"evaluation": [{"suite": "no score"}]},
        {"expect": {"training.epoch": 3}},
        {"expect": {"price.ml.g5.2xlarge": "1 USD/h"}},
        {"nonsense": 1},
    ],
    ids=str,
)
def test_faults_are_found(part):
    assert faults(LEAST) == []
    assert faults(LEAST | part)


def test_claims_may_be_numbers_or_texts():
    expect = {"training.epochs": 3, "training.cost": "..20 USD", "price.ml.g5.2xlarge.us-east-1": "1.515 USD/h"}
    assert faults(LEAST | {"expect": expect}) == []
