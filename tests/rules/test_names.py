"""The lists of names that rules hold are those of the shipped script and of transformers."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from hbspec.estimators.job.storage import CHECKPOINTS_KEPT
from hbspec.plan.training import SAVE_STEPS
from hbspec.rules import hb214_optimizer_not_known as hb214
from hbspec.rules import hb219_scheduler_not_known as hb219

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.fixture
def script():
    found = importlib.util.spec_from_file_location("settings_of_the_script", TEMPLATES / "settings.py")
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # dataclasses look their module up
    found.loader.exec_module(module)
    yield module
    del sys.modules[found.name]


def test_of_the_shipped_script(script):
    assert hb214.SHIPPED == script.OPTIMIZERS
    assert hb219.SHIPPED == script.SCHEDULERS
    assert script.defaults()["SAVE_STEPS"] == SAVE_STEPS
    assert script.defaults()["SAVE_TOTAL_LIMIT"] == CHECKPOINTS_KEPT


def test_of_transformers():
    from transformers.trainer_utils import SchedulerType
    from transformers.training_args import OptimizerNames

    assert sorted(hb214.SHIPPED + hb214.OTHERS) == sorted(name.value for name in OptimizerNames)
    assert sorted(hb219.SHIPPED + hb219.OTHERS) == sorted(name.value for name in SchedulerType)
