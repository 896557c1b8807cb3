"""The compiled job in the place where SageMaker puts it: its folders, its files, and the container's own entry point.

A python that stands first on the path hands everything on to the real one, and adds to the launch what makes it a
rehearsal (two ranks, a tiny model, few updates). With the right to mount, the folders really are /opt/ml; without it,
that path is replaced in the copied source.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch  # noqa: F401 - the processes that are started need it

from hbspec.api import compile_spec
from hbspec.catalog import catalog
from hbspec.smoke.sample import training_lines, validation_lines

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "specs/heartbeat.yaml"
BIN = Path(sys.executable).parent
ML = "/opt/ml"
MOUNT = f'mount -t tmpfs none /opt && mkdir {ML} && mount --bind "$0" {ML} && exec "$@"'
RANKS = 2
ENDLESS = "--LR_SCHEDULER_TYPE constant"
"""A schedule under which a run over more updates is the same run, and goes on from the same checkpoints."""
PYTHON = """#!/bin/bash
if [ "$1" != launcher.py ]; then exec {python} "$@"; fi
printf '%s\\n' "$@" > "$ASKED"
exec {python} "$1" "$2" {ranks} "${{@:4}}" --tiny --model-config "$MODEL_CONFIG" $MORE
"""


def can_mount(folder: Path) -> bool:
    """Whether a process can have an /opt/ml of its own (and needs nothing else below /opt)."""
    if any(Path(place).resolve().is_relative_to("/opt") for place in (sys.executable, sys.base_prefix, ROOT, folder)):
        return False
    command = ["unshare", "--mount", "sh", "-c", MOUNT, str(folder), "true"]
    return shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0


@dataclass(frozen=True)
class Container:
    """`folder` is what the job sees as /opt/ml."""

    folder: Path
    body: dict[str, Any]
    mounted: bool

    def start(self, more: str) -> subprocess.Popen[str]:
        algorithm = self.body["AlgorithmSpecification"]
        command = [*algorithm["ContainerEntrypoint"], *algorithm["ContainerArguments"]]
        at = ML if self.mounted else str(self.folder)
        if self.mounted:
            command = ["unshare", "--mount", "sh", "-c", MOUNT, str(self.folder), *command]
        return subprocess.Popen(
            [word.replace(ML, at) if word.startswith(ML) else word for word in command],
            env={
                "PATH": f"{self.folder.parent}/bin:{BIN}:/usr/local/bin:/usr/bin:/bin",
                "HOME": str(self.folder.parent),
                "PIP_NO_INDEX": "1",
                "PIP_CONFIG_FILE": os.devnull,
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                "ASKED": f"{self.folder.parent}/asked",
                "MODEL_CONFIG": f"{at}/input/config/model-config.json",
                "MORE": more,
                **self.body.get("Environment", {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Container:
    """Everything as SageMaker lays it out before it starts the entry point."""
    here = tmp_path_factory.mktemp("container")
    folder, shims = here / "ml", here / "bin"
    for name in ("input/config", "model", "output/data", "checkpoints"):
        (folder / name).mkdir(parents=True)
    mounted = can_mount(folder)
    artifacts = {file.path: file for file in compile_spec(SPEC, force=True)}
    body = json.loads(artifacts["create_training_job.json"].content)
    channels = {channel["ChannelName"] for channel in body["InputDataConfig"]}
    assert channels == {"train", "validation", "code"}
    for name, lines in (("train", training_lines()), ("validation", validation_lines())):
        (folder / "input/data" / name).mkdir(parents=True)
        (folder / "input/data" / name / "data.jsonl").write_text(lines)
    for path, file in artifacts.items():
        if path.startswith("source/"):
            target = folder / "input/data/code" / path.removeprefix("source/")
            target.parent.mkdir(parents=True, exist_ok=True)
            content = file.content if mounted else file.content.replace(ML.encode(), str(folder).encode())
            target.write_bytes(content)  # S3 keeps no executable bit
    config = folder / "input/config"
    (config / "hyperparameters.json").write_text(json.dumps(body["HyperParameters"]))
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))
    architecture = catalog().models.config(body["HyperParameters"]["MODEL_ID"])
    (config / "model-config.json").write_text(json.dumps(architecture))
    shims.mkdir()
    (shims / "python").write_text(PYTHON.format(python=sys.executable, ranks=RANKS))
    (shims / "python").chmod(0o755)
    return Container(folder, body, mounted)


@pytest.fixture(scope="module")
def log(container: Container) -> str:
    """What the job printed."""
    job = container.start(f"--max-updates 2 {ENDLESS}")
    output, _ = job.communicate(timeout=300)
    assert job.returncode == 0, output[-4000:]
    return output


def record(container: Container) -> dict[str, Any]:
    return dict(json.loads((container.folder / "output/data/run.json").read_text()))


def test_the_entry_point_asks_for_every_gpu(log: str, container: Container) -> None:
    asked = (container.folder.parent / "asked").read_text().splitlines()
    assert asked == ["launcher.py", "--nproc_per_node", "8", "train.py", "--PARALLELISM", "ddp", "--METHOD", "qlora"]


def test_the_job_trains_and_saves_where_sagemaker_looks(log: str, container: Container) -> None:
    model = container.folder / "model"
    assert (model / "adapter_model.safetensors").stat().st_size > 0
    assert json.loads((model / "adapter_config.json").read_text())["r"] == 16
    assert [path.name for path in (container.folder / "checkpoints").glob("checkpoint-*")] == ["checkpoint-2"]


def test_what_it_counted_is_the_job_with_fewer_ranks(log: str, container: Container) -> None:
    counted = record(container)
    assert (counted["ranks"], counted["wrapper"]) == (RANKS, "DistributedDataParallel")
    assert counted["examples_of_each_update"] == [1 * 4 * RANKS] * 2
    spelled = container.body["HyperParameters"]
    for name in ("LEARNING_RATE", "LORA_R", "LORA_DROPOUT", "MAX_LENGTH"):
        assert counted["settings"][name] == float(spelled[name])


def test_the_jobs_regexes_find_its_metrics(log: str, container: Container) -> None:
    definitions = container.body["AlgorithmSpecification"]["MetricDefinitions"]
    found = {
        metric["Name"]: [float(match[1]) for line in log.splitlines() if (match := re.search(metric["Regex"], line))]
        for metric in definitions
    }
    on_a_gpu = {"train:gpu_memory_bytes", "train:gpu_peak_allocated_bytes"}
    assert {name for name, values in found.items() if not values} == on_a_gpu
    run = record(container)
    assert found["train:loss"] == pytest.approx([run["first_loss"], run["last_loss"]], rel=1e-4)
    assert found["train:learning_rate"][0] == 1e-4


def test_nothing_was_installed_from_elsewhere(log: str) -> None:
    assert "ERROR" not in log
    assert "Installing collected packages" not in log


@pytest.mark.long
def test_a_stopped_job_leaves_a_checkpoint_and_goes_on_from_it(log: str, container: Container) -> None:
    job = container.start(f"--max-updates 500 --SAVE_STEPS 400 {ENDLESS}")
    assert job.stdout is not None
    lines = []
    for line in job.stdout:
        lines.append(line)
        if line.startswith("hbspec: step=4"):
            job.send_signal(signal.SIGTERM)
            break
    rest, _ = job.communicate(timeout=120)
    output = "".join(lines) + rest
    assert job.returncode == 0, output[-4000:]
    assert any("resumes from" in line and "checkpoint-2" in line for line in lines), output[-4000:]
    counted = record(container)
    assert counted["stopped_by"] == "SIGTERM", output[-4000:]
    assert counted["resumed_from_step"] == 2
    assert (container.folder / f"checkpoints/checkpoint-{counted['last_step']}/trainer_state.json").is_file()
