"""What the pods of a job have in every cluster of Kubernetes, and what the cluster's names are put into."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compiled import BASE, files, project

JOBS = {"hyperpod": "job.yaml", "kubeflow": "trainjob.yaml"}
SECRET = "sagemaker.secrets={HF_TOKEN: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:hub-AbCdEf'}"


@pytest.fixture(params=JOBS)
def target(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def job(target: str, *overrides: str, spec: Path = BASE) -> dict[str, Any]:
    return dict(yaml.safe_load(files(spec, target, *overrides, force=True)[JOBS[target]]))


def found(values: Any, key: str) -> list[Any]:
    """The values of a key, wherever it stands."""
    if isinstance(values, list):
        return [each for value in values for each in found(value, key)]
    if not isinstance(values, dict):
        return []
    return [value for name, value in values.items() if name == key] + found(list(values.values()), key)


def variables(values: dict[str, Any]) -> dict[str, Any]:
    (told,) = found(values, "env")
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in told}


def test_a_secret_is_a_reference(target: str) -> None:
    values = job(target, SECRET)
    assert variables(values)["HF_TOKEN"] == {"secretKeyRef": {"name": values["metadata"]["name"], "key": "HF_TOKEN"}}


def test_a_container_has_shared_memory(target: str) -> None:
    """Without a volume there, a container has 64 MiB, in which NCCL does not find the room for several GPUs."""
    values = job(target)
    (mounts,), (volumes,) = found(values, "volumeMounts"), found(values, "volumes")
    (place,) = [mount["name"] for mount in mounts if mount["mountPath"] == "/dev/shm"]
    assert {"name": place, "emptyDir": {"medium": "Memory"}} in volumes


def test_the_job_has_a_folder_of_its_name(target: str) -> None:
    values = job(target)
    name = values["metadata"]["name"]
    assert variables(values)["RUN_DIR"] == f"/opt/hbspec/runs/{name}"
    assert ["bash", f"/opt/hbspec/{name}/launch.sh"] in found(values, "command")


def test_your_own_script_gets_the_folders_in_sagemaker_s_variables(target: str, tmp_path: Path) -> None:
    told = variables(job(target, spec=project(tmp_path, "reads: arguments")))
    assert {"SM_CHANNEL_TRAIN", "SM_MODEL_DIR", "SM_OUTPUT_DATA_DIR", "RUN_DIR"} <= told.keys()


class TestSubmission:
    @pytest.fixture
    def submitted(self, target: str, tmp_path: Path):
        """Runs `submit.sh`, with a kubectl that prints what it is told."""
        for path, content in files(BASE, target).items():
            if "/" not in path:
                (tmp_path / path).write_bytes(content)
        (tmp_path / "kubectl").write_text("#!/bin/sh\ncat\n")
        (tmp_path / "kubectl").chmod(0o755)
        given = {name: value for name, value in os.environ.items() if name not in ("CLAIM", "IMAGE", "QUEUE")}
        environment = {**given, "PATH": f"{tmp_path}:{os.environ['PATH']}"}

        def run(**more: str) -> subprocess.CompletedProcess[str]:
            words = ["bash", str(tmp_path / "submit.sh")]
            return subprocess.run(words, env={**environment, **more}, capture_output=True, text=True)

        return run

    def test_the_claim_and_the_image_are_the_cluster_s(self, submitted) -> None:
        sent = yaml.safe_load(submitted(CLAIM="shared", IMAGE="registry.example/torch:2.9").stdout)
        assert found(sent, "image") == ["registry.example/torch:2.9"]
        assert found(sent, "claimName") == ["shared"]
        assert sent["metadata"]["labels"] == {}
        assert "is the image" in submitted(CLAIM="shared").stderr

    def test_a_queue_is_the_label_of_kueue(self, submitted) -> None:
        sent = yaml.safe_load(submitted(CLAIM="shared", IMAGE="i", QUEUE="team-a").stdout)
        assert sent["metadata"]["labels"] == {"kueue.x-k8s.io/queue-name": "team-a"}

    @pytest.mark.parametrize("wrong", [{"CLAIM": "x\nkind: Other"}, {"IMAGE": "a b"}, {"QUEUE": "q}, x: {y"}])
    def test_what_is_no_name_is_not_put_in(self, submitted, wrong: dict[str, str]) -> None:
        done = submitted(**{"CLAIM": "shared", "IMAGE": "i", **wrong})
        assert (done.returncode, done.stdout) == (2, "")
