"""What the tests of `deploy.sh` and `teardown.sh` have in common: both are run, and what there is then is listed.

With `HBSPEC_AWS_CLI`, the path of an AWS CLI, the scripts are run by that one; otherwise by the double of it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from aws_double import aws_double
from moto_strict import Server

from hbspec.api import compile_spec
from hbspec.targets.lowering.artifact import Artifact

SPEC = Path(__file__).parents[2] / "specs/heartbeat.yaml"
NAME = "heartbeat-deepseek-r1-qwen-32b"
ALARM = f"{NAME}-candidate-errors"
TAG = {"Key": "hbspec:deployment", "Value": NAME}
ALONE = "deployment.ab_test=null"
SCALED = "deployment.autoscaling={min: 1, max: 3}"
DIGEST = re.compile(rf"{NAME}-[0-9a-f]{{12}}")
REAL = os.environ.get("HBSPEC_AWS_CLI")
COUNTING = """#!/bin/bash
read -r calls < "{folder}/calls"
calls=$((calls + 1))
echo $calls > "{folder}/calls"
if [ "$calls" = "${{KILLED_BEFORE:-}}" ]; then kill -${{SIGNAL:-9}} 0; fi
if [ "$2" != "${{KILLED_AFTER:-}}" ]; then exec "{program}" "$@"; fi
"{program}" "$@"
kill -${{SIGNAL:-9}} 0
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@cache
def compiled(target: str, *overrides: str) -> list[Artifact]:
    return compile_spec(SPEC, target, overrides=("evaluation=[]", *overrides))


def attempt(server: Server, *, name: str = "") -> str:
    """A completed training job of the spec."""
    (file,) = [file for file in compiled("sagemaker") if file.path == "create_training_job.json"]
    body = json.loads(file.content)
    name = name or body["TrainingJobName"]
    server.client().create_training_job(**body | {"TrainingJobName": name})
    return name


@contextmanager
def running(server: Server, tmp_path: Path) -> Iterator[Run]:
    """Compiles the target and runs one of its scripts in a world whose only `aws` counts its calls."""
    attempt(server)
    shims = tmp_path / "shims"
    shims.mkdir()
    (tmp_path / "double").mkdir()

    def run(
        *overrides: str,
        script: str = "deploy.sh",
        words: tuple[str, ...] = (),
        killed: int = 0,
        after: str = "",
        signal: str = "9",
    ) -> Any:
        for file in compiled("deployment", *overrides):
            (tmp_path / file.path).write_bytes(file.content)
        (tmp_path / "calls").write_text("0")
        return subprocess.run(
            ["bash", str(tmp_path / script), *words],
            env={
                **os.environ,
                "PATH": f"{shims}:/usr/bin:/bin",
                "KILLED_BEFORE": str(killed or ""),
                "KILLED_AFTER": after,
                "SIGNAL": signal,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            start_new_session=True,
        )

    with aws_double(server, tmp_path / "double") as double:
        (shims / "aws").write_text(COUNTING.format(folder=tmp_path, program=REAL or double / "aws"))
        (shims / "aws").chmod(0o755)
        yield run


def calls(tmp_path: Path) -> int:
    return int((tmp_path / "calls").read_text())


def made(server: Server) -> dict[str, list[str]]:
    """What there is, by kind."""
    client = server.client()
    scaling, components = server.client("application-autoscaling"), client.list_inference_components()
    return {
        "endpoints": [entry["EndpointName"] for entry in client.list_endpoints()["Endpoints"]],
        "configs": [entry["EndpointConfigName"] for entry in client.list_endpoint_configs()["EndpointConfigs"]],
        "components": [entry["InferenceComponentName"] for entry in components["InferenceComponents"]],
        "models": [entry["ModelName"] for entry in client.list_models()["Models"]],
        "alarms": [entry["AlarmName"] for entry in server.client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "scaled": [
            entry["ResourceId"]
            for entry in scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        ],
    }


NOTHING: dict[str, list[str]] = {
    kind: [] for kind in ("endpoints", "configs", "components", "models", "alarms", "scaled")
}


def sent(server: Server) -> list[str]:
    """The operations that change something, without those of the training job."""
    return [operation for operation, _ in server.requests if operation != "CreateTrainingJob"]


def endpoint(server: Server, name: str = NAME) -> dict[str, Any]:
    """The endpoint, as described."""
    return dict(server.client().describe_endpoint(EndpointName=name))


UNDO = {"script": "teardown.sh", "words": ("--yes",)}
"""What makes a run the tear-down of everything."""


def killed_and_run_again(run: Run, overrides: Sequence[str], server: Server, tmp_path: Path, step: int) -> None:
    """Kill both scripts before each call of the AWS CLI, or every `step`-th, and run them again: nothing differs."""
    run(*overrides)
    making, expected = calls(tmp_path), made(server)
    run(*overrides, **UNDO)
    undoing = calls(tmp_path)
    assert making > 15
    for number in range(2, making + 1, step):
        assert run(*overrides, killed=number).returncode == -9
        done = run(*overrides)
        assert (done.returncode, done.stderr) == (0, ""), number
        assert made(server) == expected, number
        assert run(*overrides, **UNDO, killed=min(number, undoing)).returncode == -9
        assert run(*overrides, **UNDO).returncode == 0
        assert made(server) == NOTHING, number
