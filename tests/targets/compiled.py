"""What the tests of the targets compile: a spec in a folder of its own, and its files by path."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hbspec.api import InvalidSpecError, compile_spec
from hbspec.targets import names, target_of

ROOT = Path(__file__).parents[2]
AS_WRITTEN = ROOT / "specs/heartbeat-as-written.yaml"
HEARTBEAT = ROOT / "specs/heartbeat.yaml"
BASE = ROOT / "tests/rules/base.yaml"
BODIES = {
    "create_training_job.json": "CreateTrainingJob",
    "create_model.json": "CreateModel",
    "create_endpoint_config.json": "CreateEndpointConfig",
    "create_endpoint.json": "CreateEndpoint",
}
TARGETS = names()
BOUND, OWN = "gpu_memory: {max: 35 GB}", "metrics: [{name: 'train:gpu_memory_bytes', regex: 'mem=([0-9]+)'}]"
FRAMEWORKS = ("axolotl", "llamafactory", "trl")
"""Targets of other frameworks' scripts, which end no run for a watch; all but TRL start one process a GPU."""
FLOAT_ADAPTERS = ("software.adapter_dtype=float32",)
"""What axolotl trains, and a spec for it has to say."""
WHOLE_LOGITS = ("hyperparameters.loss=standard", *FLOAT_ADAPTERS)
"""The same for LLaMA-Factory."""
SAID = {"axolotl": FLOAT_ADAPTERS, "llamafactory": WHOLE_LOGITS, "trl": ()}
SHEBANG = f"#!{sys.executable} -IS"
"""Of a program in the place of another: without what sites add, and without shims of whoever installed Python."""


def fitted(spec: Path, target: str) -> tuple[str, ...]:
    """What a target needs changed in a spec.

    A template has no A/B test of a live endpoint, a deployment a gate, and an alarm a bound.
    """
    if target == "monitoring" and "\nmonitoring:" not in spec.read_text():
        return (f"monitoring={{{BOUND}, {OWN}}}" if "\nscript:" in spec.read_text() else f"monitoring={{{BOUND}}}",)
    if target in FRAMEWORKS:
        unwatched = ("monitoring=null",) if "\nmonitoring:" in spec.read_text() else ()
        pipes = target != "trl" and "parallelism: pipeline" in spec.read_text()
        needed = (*unwatched, *SAID[target])
        return (*needed, "instance.parallelism=ddp") if pipes else needed
    alone = ("deployment.ab_test=null",) if target == "cloudformation" and "ab_test" in spec.read_text() else ()
    if target == "evaluation" and spec != HEARTBEAT:  # the others have no suites, or no cases for one
        return ("evaluation=[{suite: mathematical-accuracy, min_score: 0.5}]",)
    return (*alone, "evaluation=[]") if target_of(target).deploys and "\nevaluation:" in spec.read_text() else alone


def files(spec: Path, target: str, *overrides: str, force: bool = False) -> dict[str, bytes]:
    overrides = (*fitted(spec, target), *overrides)
    return {file.path: file.content for file in compile_spec(spec, target, overrides=overrides, force=force)}


def body(spec: Path, *overrides: str, force: bool = False) -> dict[str, Any]:
    """The body of CreateTrainingJob."""
    return dict(json.loads(files(spec, "sagemaker", *overrides, force=force)["create_training_job.json"]))


def source_uri(request: dict[str, Any]) -> str:
    """Where the job finds its source."""
    (code,) = [entry for entry in request["InputDataConfig"] if entry["ChannelName"] == "code"]
    return str(code["DataSource"]["S3DataSource"]["S3Uri"])


def refusals(spec: Path, target: str, *overrides: str, force: bool = False) -> list[tuple[str, str]]:
    """Code and key of every error that a compile ends with."""
    try:
        compile_spec(spec, target, overrides=overrides, force=force)
    except InvalidSpecError as invalid:
        return [
            (entry.code, ".".join(map(str, entry.route)))
            for entry in invalid.report.diagnostics
            if entry.severity == "error"
        ]
    raise AssertionError("it compiled")


def project(folder: Path, script: str, **source: str | bytes) -> Path:
    """A spec with its own script, in a project; `source` are files below `src` (`__` for `/`, `_dot_` for `.`)."""
    (folder / "pyproject.toml").touch()
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src/train.py").write_text("print('training')\n")
    for name, content in source.items():
        path = folder / "src" / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    spec = folder / "spec.yaml"
    spec.write_text(f"{BASE.read_text()}\nscript: {{entry_point: train.py, source_dir: ./src, {script}}}\n")
    return spec
