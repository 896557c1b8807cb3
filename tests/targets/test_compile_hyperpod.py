"""Target `hyperpod`: the job by the models of HyperPod's own SDK, what it asks for, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compiled import BASE, SHEBANG, files, project, refusals
from jsonschema import Draft202012Validator

SDK = json.loads(Path(__file__).with_name("hyperpod_schema.json").read_text())
"""Of the package that it names."""
SECRET = "sagemaker.secrets={HF_TOKEN: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:hub-AbCdEf'}"
AGENT = f"""{SHEBANG}
import json, os, sys
print(json.dumps([sys.argv[1:], os.getpid()]))
"""


def job(*overrides: str, spec: Path = BASE) -> dict[str, Any]:
    return dict(yaml.safe_load(files(spec, "hyperpod", *overrides, force=True)["job.yaml"]))


def pod(values: dict[str, Any]) -> dict[str, Any]:
    (replicas,) = values["spec"]["replicaSpecs"]
    return dict(replicas["template"]["spec"])


def container(values: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod(values)["containers"]
    return dict(only)


def problems(values: dict[str, Any]) -> list[str]:
    """What the SDK's model refuses in a job."""
    known = [name for name in ("apiVersion", "kind") if values[name] != SDK[name]]
    body = {"metadata": values["metadata"], **values["spec"]}
    return known + [error.message for error in Draft202012Validator(SDK["job"]).iter_errors(body)]


@pytest.mark.parametrize(
    "overrides", [(), ("instance.count=2",), ("instance.retries=3",), ("instance.parallelism=single",), (SECRET,)]
)
def test_the_sdk_s_model_accepts_it(overrides: tuple[str, ...]) -> None:
    assert problems(job(*overrides)) == []


@pytest.mark.parametrize(
    "breaks",
    [
        lambda values: values.update(kind="PyTorchJob"),
        lambda values: values["spec"].update(nprocPerNode=8),
        lambda values: values["spec"].update(replicaSpec=[]),
        lambda values: values["spec"]["runPolicy"].update(jobMaxRetries=2),
        lambda values: values["spec"]["runPolicy"].update(activeDeadlineSeconds="4h"),
        lambda values: pod(values)["containers"][0].update(envs=[]),
        lambda values: pod(values)["containers"][0]["resources"].update(limit={}),
        lambda values: pod(values)["volumes"].append({"claimName": "x"}),
    ],
)
def test_what_it_refuses_is_seen(breaks) -> None:
    values = job()
    breaks(values)
    assert problems(values)


def test_nodes_gpus_time_and_retries_are_the_spec_s() -> None:
    values = job("instance.count=2", "instance.retries=3")
    assert pod(values)["nodeSelector"] == {"node.kubernetes.io/instance-type": "ml.p4d.24xlarge"}
    assert (values["spec"]["nprocPerNode"], values["spec"]["replicaSpecs"][0]["replicas"]) == ("8", 2)
    told = values["spec"]["runPolicy"]
    assert (told["activeDeadlineSeconds"], told["jobMaxRetryCount"]) == (14_400, 3)
    assert job()["spec"]["runPolicy"]["jobMaxRetryCount"] == 0


@pytest.mark.parametrize(
    ("instance", "count", "interfaces"),
    [
        ("ml.p4d.24xlarge", 1, None),
        ("ml.p4d.24xlarge", 2, "4"),
        ("ml.p5.48xlarge", 4, "32"),
        ("ml.g5.12xlarge", 2, "1"),
        ("ml.g5.2xlarge", 2, None),
    ],
)
def test_several_nodes_reach_each_other_over_all_their_interfaces(
    instance: str, count: int, interfaces: str | None
) -> None:
    asked = container(job(f"instance.type={instance}", f"instance.count={count}"))["resources"]
    assert asked["requests"].get("vpc.amazonaws.com/efa") == interfaces
    assert asked["limits"] == asked["requests"]


class Started:
    """`launch.sh`, with an agent that says how it was called."""

    def __init__(self, folder: Path, spec: Path, *overrides: str) -> None:
        self.values, place = job(*overrides, spec=spec), folder / "compiled"
        for path, content in files(spec, "hyperpod", *overrides, force=True).items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(content)
        (folder / "hyperpodrun").write_text(AGENT)
        (folder / "hyperpodrun").chmod(0o755)
        told = {**os.environ, "RUN_DIR": "/the run", "PATH": f"{folder}:{os.environ['PATH']}"}
        process = subprocess.Popen(
            ["bash", str(place / "launch.sh"), "last word"], env=told, stdout=subprocess.PIPE, text=True
        )
        (self.words, number), self.source = json.loads(process.communicate()[0]), place / "source"
        self.replaced = number == process.pid

    def option(self, name: str) -> str:
        return str(self.words[self.words.index(name) + 1])


def test_the_agent_is_the_first_process_and_lets_the_ranks_save(tmp_path: Path) -> None:
    started = Started(tmp_path, BASE, "instance.count=2")
    assert started.replaced  # signals of the pod reach it
    assert started.option("--nnodes") == "2"
    assert started.option("--nproc-per-node") == started.values["spec"]["nprocPerNode"]
    assert started.option("--shutdown-signal") == "SIGTERM"
    waits = int(started.option("--shutdown-timeout"))
    assert 115 <= waits <= pod(started.values)["terminationGracePeriodSeconds"] - 60
    assert {"name": "NNODES", "value": "2"} in container(started.values)["env"]


def test_the_shipped_script_gets_its_folders(tmp_path: Path) -> None:
    words = Started(tmp_path, BASE).words
    assert str(tmp_path / "compiled/source/train.py") in words
    assert words[words.index("--config-dir") + 1] == str(tmp_path / "compiled")
    assert words[words.index("--checkpoint-dir") + 1] == "/the run/checkpoints"
    assert "last word" in words


def test_a_single_process_is_told_of_no_rank(tmp_path: Path) -> None:
    """With the rank that the agent tells it, a trainer is a distributed one: it splits no model over the GPUs."""
    spec = project(tmp_path, "reads: arguments")
    started = Started(tmp_path, spec, "instance.parallelism=single")
    script = started.words.index(str(started.source / "train.py"))
    before = started.words[started.words.index("--no-python") + 1 : script]
    ranks = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1"}
    (tmp_path / "seen.py").write_text(
        "import os; print(*(name for name in os.environ if name.endswith(('RANK', 'SIZE'))))"
    )
    seen = subprocess.run(
        [*before, str(tmp_path / "seen.py")], env={**os.environ, **ranks}, capture_output=True, text=True, check=True
    )
    assert seen.stdout.split() == []


@pytest.mark.parametrize(
    ("overrides", "code", "key"),
    [
        (("instance.max_runtime=null",), "HB040", "instance.max_runtime"),
        (("instance.type=null", "instance.gpu=A100-80", "instance.gpus=4"), "HB040", "instance.type"),
        (("instance.type=ml.p3.16xlarge",), "HB542", "instance.type"),
        (("instance.type=ml.g7.12xlarge", "instance.count=2"), "HB542", "instance.type"),
        (("instance.spot=true", "instance.max_wait=9h"), "HB542", "instance.spot"),
        (("instance.volume=500 GB",), "HB542", "instance.volume"),
        (("instance.keep_alive=10m",), "HB542", "instance.keep_alive"),
        (("sagemaker.environment={NCCL_DEBUG: INFO}",), "HB542", "sagemaker.environment"),
        (("software.torch=2.12.0",), "HB542", "software.torch"),
        (("software.torch=2.3.1",), "HB542", "software.torch"),
    ],
)
def test_what_the_job_cannot_say_is_refused_at_its_key(overrides: tuple[str, ...], code: str, key: str) -> None:
    found = refusals(BASE, "hyperpod", *overrides, force=True)
    assert [entry for entry in found if entry[0] in ("HB040", "HB542")] == [(code, key)]


@pytest.mark.parametrize("version", ["2.4.0", "2.11.0"])
def test_a_release_that_the_agent_runs_with_is_accepted(version: str) -> None:
    assert problems(job(f"software.torch={version}")) == []


def test_the_job_learns_what_it_learns_in_another_cluster() -> None:
    theirs = yaml.safe_load(files(BASE, "kubeflow")["trainjob.yaml"])
    assert job()["metadata"]["name"] == theirs["metadata"]["name"]
