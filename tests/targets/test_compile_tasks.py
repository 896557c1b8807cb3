"""The task of a job and its reward functions, as the compiled job says them."""

from __future__ import annotations

import json

import pytest
from compiled import BASE, ROOT, body, files, refusals

PAIRS = ("task=dpo", "data.type=preference", "hyperparameters.beta=0.2")


def test_a_job_is_told_its_task_and_its_data():
    said = body(BASE, *PAIRS, force=True)["HyperParameters"]
    assert (said["TASK"], said["BETA"]) == ("dpo", "0.2")
    assert b"--DATA_TYPE preference" in files(BASE, "launch", *PAIRS, force=True)["launch.sh"]


def test_supervised_tuning_is_not_said():
    assert "TASK" not in body(BASE, force=True)["HyperParameters"]


def rewarded(tmp_path, functions, **written):
    (tmp_path / "base.yaml").write_bytes(BASE.read_bytes())
    for name, text in written.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "spec.yaml").write_text(
        f"extends: ./base.yaml\ntask: grpo\ndata: {{type: prompt_only}}\nreward: {{functions: {functions}}}\n"
    )
    return tmp_path / "spec.yaml"


def test_reward_functions_travel_beside_the_script(tmp_path):
    spec = rewarded(tmp_path, "[./mine.py:length, mine.py:exact]", mine="def length(): ...\ndef exact(): ...\n")
    compiled = files(spec, "sagemaker", force=True)
    assert compiled["source/mine.py"] == (tmp_path / "mine.py").read_bytes()
    said = json.loads(compiled["create_training_job.json"])["HyperParameters"]
    assert said["REWARD_FUNCTIONS"] == "mine.py:length,mine.py:exact"


@pytest.mark.parametrize(
    ("functions", "written"),
    [
        ("[gone.py:f]", {}),
        ("[train.py:f]", {"train": "def f(): ...\n"}),
        ("[mine.py:f]", {"mine": f"KEY = 'hf_{'abcdefghijklmnopqrstuvwx'}'\ndef f(): ...\n"}),
    ],
)
def test_a_file_that_cannot_travel_is_named(functions, written, tmp_path):
    ((code, at),) = refusals(rewarded(tmp_path, functions, **written), "launch", force=True)
    assert (code, at) == ("HB042" if "mine" in functions else "HB041", "reward.functions.0")


SILENT = ("packing=true", "loss=standard", "num_generations=4", "beta=0.5", "vllm_mode=colocate", "ref_model=true")


@pytest.mark.parametrize(("task", "data"), [("dpo", "preference"), ("reward", "preference"), ("pretrain", None)])
def test_what_has_no_effect_in_the_task_is_not_passed_on(task, data, monkeypatch):
    """The script refuses such settings, and the rented instance would have started for nothing."""
    monkeypatch.syspath_prepend(ROOT / "templates")
    from settings import Settings
    from task_settings import TAKEN_BY

    silent = [f"hyperparameters.{setting}" for setting in SILENT]
    said = body(BASE, f"task={task}", *([f"data.type={data}"] if data else []), *silent, force=True)["HyperParameters"]
    known = Settings.__dataclass_fields__
    refused = [name for name in said if name not in known or task not in TAKEN_BY.get(name, (task,))]
    assert refused == []


def test_initial_adapters_are_pinned():
    named = ("model.adapter=acme/first", "model.adapter_revision=v1.0")
    said = body(BASE, *named, force=True)["HyperParameters"]
    assert (said["ADAPTER"], said["ADAPTER_REVISION"]) == ("acme/first", "v1.0")
    in_s3 = body(BASE, "model.adapter=s3://bucket/first/", named[1], force=True)["HyperParameters"]
    assert "ADAPTER_REVISION" not in in_s3
