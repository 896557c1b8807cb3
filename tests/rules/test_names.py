"""The lists of names that rules hold are those of the shipped script and of transformers."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import get_args

import pytest

from hbspec.plan.attention import KERNELS
from hbspec.plan.shipped_script import (
    ATTENTION,
    DATA_TYPES,
    DEFAULTS,
    LEAST_PYTHON,
    LEAST_TORCH,
    LOSSES,
    METRICS,
    OPTIMIZERS,
    PRINTED,
    SCHEDULERS,
    SHOWN_SUFFIXES,
    SOFTWARE,
    SUFFIXES,
)
from hbspec.plan.tasks import TASKS
from hbspec.plan.training import IN_PLACE
from hbspec.rules import hb214_optimizer_not_known as hb214
from hbspec.rules import hb219_scheduler_not_known as hb219
from hbspec.spec.choices import Attention, Loss
from hbspec.targets.job.hyperparameters import UNREAD, not_taken

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(TEMPLATES)
    found = importlib.util.spec_from_file_location("settings_of_the_script", TEMPLATES / "settings.py")
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # dataclasses look their module up
    found.loader.exec_module(module)
    yield module
    del sys.modules[found.name]


def test_of_the_shipped_script(script):
    assert script.OPTIMIZERS == OPTIMIZERS
    assert script.SCHEDULERS == SCHEDULERS
    assert (script.ATTENTION, script.LOSSES) == (ATTENTION, LOSSES)
    usual = {**script.defaults(), "NUM_TRAIN_EPOCHS": script.Settings(MODEL_ID="x").epochs}
    assert {name: usual[name.upper()] for name in DEFAULTS} == DEFAULTS


def test_of_the_scripts_files_and_lines(monkeypatch):
    monkeypatch.syspath_prepend(TEMPLATES)
    import folders
    import metrics
    import tasks

    printed = ("step", *(regex.rpartition(" ")[2].partition("=")[0] for regex in metrics.METRICS.values()))
    assert (folders.SUFFIXES, printed, tuple(metrics.METRICS)) == (SUFFIXES, PRINTED, METRICS)
    assert (folders.SHOWN_SUFFIXES, tasks.DATA_TYPES) == (SHOWN_SUFFIXES, DATA_TYPES)


@pytest.mark.parametrize("task", TASKS)
def test_of_the_scripts_tasks(task, monkeypatch):
    monkeypatch.syspath_prepend(TEMPLATES)
    import task_settings
    import tasks

    theirs, ours = tasks.TASKS[task], TASKS[task]
    lacking = {loss for loss in ours.losses if loss not in theirs.losses}
    assert (theirs.trainer, theirs.types, theirs.beta) == (ours.trainer, ours.types, ours.beta or 0)
    assert lacking <= {"exo_pair"}, "HB277 refuses it"
    refused = {name for name, takers in task_settings.TAKEN_BY.items() if task not in takers}
    assert not_taken(task) - set(UNREAD) == refused


def test_what_the_scripts_libraries_need():
    pytest.importorskip("torch")  # which are installed with it
    from importlib.metadata import metadata, requires

    pythons = [metadata(name)["Requires-Python"].removeprefix(">=") for name in SOFTWARE]
    assert max(tuple(map(int, text.split(".")[:2])) for text in pythons) == LEAST_PYTHON
    (torch,) = [line for line in requires("transformers") or () if line.startswith("torch>=") and '"torch"' in line]
    assert tuple(map(int, torch.partition(";")[0].removeprefix("torch>=").split("."))) == LEAST_TORCH


def test_of_the_spec():
    assert set(ATTENTION) < set(KERNELS) == set(get_args(Attention))
    assert set(LOSSES) | set(IN_PLACE) == set(get_args(Loss))


def test_of_transformers():
    from transformers.trainer_utils import SchedulerType
    from transformers.training_args import OptimizerNames

    assert sorted(OPTIMIZERS + hb214.OTHERS) == sorted(name.value for name in OptimizerNames)
    assert sorted(SCHEDULERS + hb219.OTHERS) == sorted(name.value for name in SchedulerType)
