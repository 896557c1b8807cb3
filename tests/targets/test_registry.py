"""What holds for every target of the registry, and so for one that is added: it is found by its file, and is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from compiled import HEARTBEAT, files, fitted, project

from hbspec import targets
from hbspec.analysis import Analysis
from hbspec.api import compile_spec, estimate
from hbspec.targets.job.workload import workload
from hbspec.targets.lowering.needs import Needs

TRAINING = [name for name in targets.names() if targets.target_of(name).trains]
LAUNCHERS = {"hyperpod": "hyperpodrun"}
"""Who starts the ranks, where it is not the shipped launcher."""
DOCKER = """
from hbspec.targets.lowering.artifact import script_artifact
from hbspec.targets.lowering.target import Target


def lower(analysis):
    return analysis.spec.name


def emit(name):
    return [script_artifact("docker.sh", [f"echo {name}"])]


TARGET = Target("docker", "a script that starts a container", lower, emit, "docker.sh")
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return project(tmp_path, "reads: arguments, hyperparameters: {epochs: 3}", **{"more__data.txt": "more"})


def analysis_of(spec: Path) -> Analysis:
    return estimate(spec).analysis


@pytest.mark.parametrize("name", targets.names())
class TestEvery:
    def test_is_named_after_its_file(self, name: str) -> None:
        assert targets.target_of(name).name == name

    def test_has_a_summary_without_an_end(self, name: str) -> None:
        summary = targets.target_of(name).summary
        assert summary
        assert summary[0].islower()
        assert not summary.endswith(".")

    def test_writes_the_script_that_starts_it(self, name: str) -> None:
        compiled = compile_spec(HEARTBEAT, name, overrides=fitted(HEARTBEAT, name))
        (script,) = [file for file in compiled if file.path == targets.target_of(name).script]
        assert script.executable
        assert script.content.startswith(b"#!/usr/bin/env bash\n")


@pytest.mark.parametrize("name", TRAINING)
class TestTraining:
    @pytest.fixture(params=["shipped", "own"])
    def spec(self, request: pytest.FixtureRequest, own: Path) -> Path:
        return HEARTBEAT if request.param == "shipped" else own

    def test_every_source_file_is_handed_over(self, name: str, spec: Path) -> None:
        written = files(spec, name)
        for file in workload(analysis_of(spec), Needs(name)).source:
            assert written[f"source/{file.path}"] == file.content

    def test_every_hyperparameter_is_handed_over(self, name: str, spec: Path) -> None:
        bodies = [json.loads(content) for path, content in files(spec, name).items() if path.endswith(".json")]
        handed = [body.get("HyperParameters", body) for body in bodies]
        assert dict(workload(analysis_of(spec), Needs(name)).hyperparameters) in handed

    def test_the_script_is_started_with_its_arguments(self, name: str, spec: Path) -> None:
        call = workload(analysis_of(spec), Needs(name)).call
        started = b"\n".join(content for path, content in files(spec, name).items() if path.endswith("launch.sh"))
        launcher = LAUNCHERS.get(name, call.launcher)
        for word in (call.script, launcher if call.distributed else "python", *call.arguments):
            assert word.encode() in started


def test_a_new_file_is_a_new_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docker.py").write_text(DOCKER)
    monkeypatch.setattr(targets, "__path__", [*targets.__path__, str(tmp_path)])
    targets.names.cache_clear()
    try:
        assert "docker" in targets.names()
        (script,) = compile_spec(HEARTBEAT, "docker")
        assert script.content == b"echo heartbeat-deepseek-r1-qwen-32b\n"
    finally:
        targets.names.cache_clear()


def test_an_unknown_target_is_named_beside_the_known_ones() -> None:
    known = "axolotl, cloudformation, deployment, evaluation, hyperpod, kubeflow, launch, llamafactory, monitoring"
    known += ", sagemaker, serve, skypilot, slurm, trl"
    with pytest.raises(ValueError, match=f"unknown target 'docker'; choose one of {known}"):
        targets.target_of("docker")
