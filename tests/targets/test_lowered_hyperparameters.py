"""Keys that the shipped script reads under another name, or not at all, in the compiled hyperparameters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hbspec.api import InvalidSpecError, compile_spec

BASE = (Path(__file__).parent.parent / "rules" / "base.yaml").read_text()


def compiled(fragment: str, folder: Path) -> dict[str, str]:
    """The hyperparameters of a fragment over the base."""
    (folder / "base.yaml").write_text(BASE)
    (folder / "spec.yaml").write_text(f"extends: ./base.yaml\n{fragment}\n")
    files = {file.path: file.content for file in compile_spec(folder / "spec.yaml", "launch")}
    found: dict[str, str] = json.loads(files["hyperparameters.json"])
    return found


def test_an_epoch_is_a_count_per_epoch(tmp_path):
    values = compiled("hyperparameters: {save_strategy: epoch, eval_strategy: epoch}", tmp_path)
    assert (values["SAVES_PER_EPOCH"], values["EVALS_PER_EPOCH"]) == ("1", "1")
    assert not {"SAVE_STRATEGY", "EVAL_STRATEGY"} & {*values}
    assert "SAVE_STEPS" not in values


def test_no_cap_is_written_out(tmp_path):
    (tmp_path / "spec.yaml").write_text(BASE.replace("max_length: 704", "max_length: null"))
    files = {file.path: file.content for file in compile_spec(tmp_path / "spec.yaml", "launch")}
    assert json.loads(files["hyperparameters.json"])["MAX_LENGTH"] == "none"


def test_layers_come_with_the_names_that_peft_needs(tmp_path):
    values = compiled("hyperparameters: {layers_to_transform: [0, 1]}", tmp_path)
    assert values["LAYERS_TO_TRANSFORM"] == "[0, 1]"
    assert "q_proj" in json.loads(values["TARGET_MODULES"])


def test_the_best_of_evaluations_per_epoch_is_saved_as_often(tmp_path):
    values = compiled("hyperparameters: {evals_per_epoch: 2, load_best_model_at_end: true}", tmp_path)
    assert values["SAVES_PER_EPOCH"] == values["EVALS_PER_EPOCH"] == "2"


def test_a_framework_needs_a_script_that_starts_it(tmp_path):
    with pytest.raises(InvalidSpecError, match="HB040") as refused:
        compiled("software: {trainer: axolotl}\nhyperparameters: {gradient_checkpointing: true}", tmp_path)
    assert "trainer is axolotl" in str(refused.value)
