"""The compiled job where SageMaker puts it: its folders, its files out of S3, and the container's own entry point.

A python that stands first on the path hands everything on to the real one, and adds to the launch what makes it small
(fewer ranks, a tiny model, few updates). With the right to mount, the folders really are /opt/ml; without it, that path
is replaced in the copied source.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hbspec.api import compile_spec
from hbspec.catalog import catalog
from hbspec.smoke.sample import training_lines, validation_lines
from hbspec.spec.data import Data

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "specs/heartbeat.yaml"
BIN = Path(sys.executable).parent
ML = "/opt/ml"
MOUNT = f'mount -t tmpfs none /opt && mkdir {ML} && mount --bind "$0" {ML} && exec "$@"'
TINY = "--tiny --model-config @/input/config/model-config.json"
"""What makes a launch a rehearsal; `@` is what the job sees as /opt/ml."""
PYTHON = """#!/bin/bash
if [ "$1" != launcher.py ]; then exec {python} "$@"; fi
printf '%s\\n' "$@" > "$ASKED"
exec {python} "$1" "$2" "$RANKS" "${{@:4}}" $MORE
"""


def can_mount(folder: Path) -> bool:
    """Whether a process can have an /opt/ml of its own (and needs nothing else below /opt)."""
    if any(Path(place).resolve().is_relative_to("/opt") for place in (sys.executable, sys.base_prefix, ROOT, folder)):
        return False
    command = ["unshare", "--mount", "sh", "-c", MOUNT, str(folder), "true"]
    return shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0


@dataclass(frozen=True)
class Container:
    """`folder` is what the job sees as /opt/ml; `body` is the request that it was laid out from."""

    folder: Path
    body: dict[str, Any]
    mounted: bool

    def start(self, more: str, *, ranks: int = 2, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Starts the entry point, with more arguments for the script."""
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
                "CUDA_VISIBLE_DEVICES": "",
                "ASKED": f"{self.folder.parent}/asked",
                "RANKS": str(ranks),
                "MORE": more.replace("@", at),
                **self.body.get("Environment", {}),
                **(environment or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def begin_anew(self) -> None:
        """Empties what a job writes."""
        for name in ("checkpoints", "model", "output"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in ("checkpoints", "model", "output/data"):
            (self.folder / name).mkdir(parents=True)

    @property
    def record(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "output/data/run.json").read_text()))

    @property
    def failure(self) -> str:
        """What SageMaker would give as the reason; empty without one."""
        file = self.folder / "output/failure"
        return file.read_text() if file.exists() else ""

    def checkpoints(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "checkpoints").glob("checkpoint-*"))


def lay_out(here: Path, s3: Any, *overrides: str) -> Container:
    """Everything as SageMaker lays it out before it starts the entry point.

    Args:
        here: an empty folder.
        s3: a client of the service that holds the channels' files.
        overrides: of the spec.
    """
    folder, shims = here / "ml", here / "bin"
    (folder / "input/config").mkdir(parents=True)
    mounted = can_mount(folder)
    artifacts = {file.path: file for file in compile_spec(SPEC, overrides=overrides, force=True)}
    body = json.loads(artifacts["create_training_job.json"].content)
    container = Container(folder, body, mounted)
    container.begin_anew()
    channels = {channel["ChannelName"]: channel["DataSource"]["S3DataSource"] for channel in body["InputDataConfig"]}
    held = {
        "train": {"data.jsonl": training_lines(Data()).encode()},
        "validation": {"data.jsonl": validation_lines(Data()).encode()},
        "code": {path.removeprefix("source/"): file.content for path, file in artifacts.items() if "source/" in path},
    }
    assert channels.keys() == held.keys()
    for name, source in channels.items():
        assert source["S3DataType"] == "S3Prefix"
        upload(s3, source["S3Uri"], held[name])
        target = folder / "input/data" / name
        download(s3, source["S3Uri"], target, (lambda text: text) if mounted else moved(folder))
    config = folder / "input/config"
    (config / "hyperparameters.json").write_text(json.dumps(body["HyperParameters"]))
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))
    architecture = catalog().models.config(body["HyperParameters"]["MODEL_ID"])
    (config / "model-config.json").write_text(json.dumps(architecture))
    shims.mkdir()
    (shims / "python").write_text(PYTHON.format(python=sys.executable))
    (shims / "python").chmod(0o755)
    return container


def moved(folder: Path) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(ML.encode(), str(folder).encode())


def upload(s3: Any, uri: str, files: dict[str, bytes]) -> None:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    if bucket not in {one["Name"] for one in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    for name, content in files.items():
        s3.put_object(Bucket=bucket, Key=f"{prefix}{name}", Body=content)


def download(s3: Any, uri: str, folder: Path, changed: Callable[[bytes], bytes]) -> None:
    """Every object below a prefix, as the service copies it into a channel's folder; S3 keeps no executable bit."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for one in page["Contents"]:
            target = folder / one["Key"].removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(changed(s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()))
