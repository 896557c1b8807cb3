"""Target `kubeflow`: the TrainJob by Kubeflow's own models, what it asks for, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from compiled import BASE, files, refusals

ELSEWHERE = ("instance.type=null", "instance.gpu=A100-80", "instance.gpus=4", "instance.host_memory=100 GB")
SECRET = "sagemaker.secrets={HF_TOKEN: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:hub-AbCdEf'}"


def job(*overrides: str, spec: Path = BASE) -> dict[str, Any]:
    return dict(yaml.safe_load(files(spec, "kubeflow", *overrides, force=True)["trainjob.yaml"]))


def dropped(given: Any, read: Any, route: str = "") -> list[str]:
    """The keys of a body that a model does not have after reading it."""
    if isinstance(given, dict) and isinstance(read, dict):
        missing = [f"{route}.{key}" for key in given if key not in read]
        return missing + [at for key in given if key in read for at in dropped(given[key], read[key], f"{route}.{key}")]
    if isinstance(given, list) and isinstance(read, list):
        return [at for one, other in zip(given, read, strict=True) for at in dropped(one, other, f"{route}[]")]
    return [] if given == read else [route]


def read_back(values: dict[str, Any]) -> list[str]:
    models = pytest.importorskip("kubeflow_trainer_api.models", reason="kubeflow-trainer-api is not installed")
    return dropped(values, models.TrainerV1alpha1TrainJob.from_dict(values).to_dict())


@pytest.mark.parametrize("overrides", [(), ("instance.count=2",), ELSEWHERE, (SECRET,)])
def test_kubeflow_s_models_have_every_key(overrides: tuple[str, ...]) -> None:
    assert read_back(job(*overrides)) == []


def test_a_key_that_they_do_not_have_is_seen() -> None:
    values = job()
    values["spec"]["trainer"]["numNode"] = 2
    assert read_back(values) == [".spec.trainer.numNode"]


def test_nodes_gpus_and_time_are_the_spec_s() -> None:
    spec = job("instance.count=2", *ELSEWHERE)["spec"]
    assert (spec["activeDeadlineSeconds"], spec["trainer"]["numNodes"]) == (14_400, 2)
    asked = {"nvidia.com/gpu": "4", "memory": "100000000000"}
    assert spec["trainer"]["resourcesPerNode"] == {"requests": asked, "limits": asked}


@pytest.mark.parametrize(
    ("overrides", "code", "key"),
    [
        (("instance.max_runtime=null",), "HB040", "instance.max_runtime"),
        (("instance.spot=true", "instance.max_wait=9h"), "HB542", "instance.spot"),
        (("instance.retries=3",), "HB542", "instance.retries"),
        (("instance.volume=500 GB",), "HB542", "instance.volume"),
        (("sagemaker.environment={NCCL_DEBUG: INFO}",), "HB542", "sagemaker.environment"),
    ],
)
def test_what_a_train_job_cannot_say_is_refused_at_its_key(overrides: tuple[str, ...], code: str, key: str) -> None:
    found = refusals(BASE, "kubeflow", *overrides, force=True)
    assert [entry for entry in found if entry[0] in ("HB040", "HB542")] == [(code, key)]
