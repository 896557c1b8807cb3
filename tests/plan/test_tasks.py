"""Tasks beside the trainers and the configurations of the installed TRL."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import MISSING, fields
from functools import cache
from typing import get_args

import pytest
import trl

from hbspec.plan.tasks import SETTINGS, TASKS
from hbspec.spec.objectives import OTHER_TASKS, LossType, ObjectiveSettings, Task


@cache
def defaults(trainer):
    config = getattr(trl, trainer.replace("Trainer", "Config"))
    return {
        one.name: one.default if one.default is not MISSING else one.default_factory()
        for one in fields(config)
        if one.default is not MISSING or one.default_factory is not MISSING
    }


def test_every_task_of_the_language_has_its_facts():
    assert tuple(TASKS) == get_args(Task)
    assert set(SETTINGS) == set(ObjectiveSettings.model_fields)
    assert set(get_args(LossType)) == {name for facts in TASKS.values() for name in facts.losses}


@pytest.mark.parametrize("task", TASKS)
def test_settings_and_defaults_are_those_of_the_trainer_s_configuration(task):
    facts, found = TASKS[task], defaults(TASKS[task].trainer)
    assert hasattr(trl, facts.trainer)
    assert set(facts.settings) - {"ref_model"} == {name for name in SETTINGS if name in found} - (
        {"loss_type"} if facts.next_token else set()
    )
    if facts.beta is not None:
        assert found["beta"] == facts.beta
    if facts.losses:
        assert found["loss_type"] in (facts.losses[0], [facts.losses[0]])
    assert found.get("disable_dropout", False) == facts.undropped


def test_names_of_losses_are_those_that_the_trainer_knows():
    described = {one.name: one.metadata["help"] for one in fields(trl.DPOConfig) if one.metadata}
    assert all(f"`'{name}'`" in described["loss_type"] for name in TASKS["dpo"].losses)
    (choices,) = (one.metadata["choices"] for one in fields(trl.KTOConfig) if one.name == "loss_type")
    assert tuple(choices) == TASKS["kto"].losses
    said = {one.name: one.metadata["help"] for one in fields(trl.GRPOConfig) if one.metadata}["loss_type"]
    assert all(f"'{name}'" in said for name in TASKS["grpo"].losses)


def test_prompts_are_no_longer_cut():
    assert "max_prompt_length" not in defaults("GRPOTrainer")


@pytest.mark.parametrize("name", [name for name, other in OTHER_TASKS.items() if "(trl.experimental." in other.reason])
def test_what_is_only_experimental_is_there(name):
    package = OTHER_TASKS[name].reason.partition("(")[2].rstrip(")")
    assert importlib.util.find_spec(package) is not None


@pytest.mark.parametrize("name", [name for name, other in OTHER_TASKS.items() if "no longer" in other.reason])
def test_what_is_gone_is_nowhere(name):
    assert importlib.util.find_spec(f"trl.experimental.{name}") is None
    assert not hasattr(trl, f"{name.upper().replace('_', '')}Trainer")
