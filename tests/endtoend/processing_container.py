"""The compiled evaluation job where SageMaker puts it: its inputs out of S3, and the container's own entry point.

As in `job_container.py`, a python that stands first on the path hands everything on to the real one. Where `AGAINST` is
set, the harness is told to ask that endpoint in the place of the model's folder; everything else is verbatim.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from job_container import BIN, ML, MOUNT, SPEC, can_mount, download, moved, upload

from hbspec.api import compile_spec

PYTHON = """#!/bin/bash
printf '%s\\n' "$*" >> "$ASKED"
if [ "$1" != evaluate.py ] || [ -z "$AGAINST" ]; then exec {python} "$@"; fi
words=("$@")
for place in "${{!words[@]}}"; do
  if [ "${{words[$place]}}" = --against ]; then words[$place + 1]=$AGAINST; fi
done
exec {python} "${{words[@]}}"
"""


@dataclass(frozen=True)
class ProcessingContainer:
    """`folder` is what the job sees as /opt/ml; `body` is the request that it was laid out from."""

    folder: Path
    body: dict[str, Any]
    mounted: bool

    def run(self, against: str = "") -> subprocess.CompletedProcess[str]:
        """Run the entry point to its end; with a URL, that endpoint is asked."""
        command = self.body["AppSpecification"]["ContainerEntrypoint"]
        at = ML if self.mounted else str(self.folder)
        if self.mounted:
            command = ["unshare", "--mount", "sh", "-c", MOUNT, str(self.folder), *command]
        return subprocess.run(
            [word.replace(ML, at) if word.startswith(ML) else word for word in command],
            env={
                "PATH": f"{self.folder.parent}/bin:{BIN}:/usr/local/bin:/usr/bin:/bin",
                "HOME": str(self.folder.parent),
                "PIP_NO_INDEX": "1",
                "PIP_CONFIG_FILE": os.devnull,
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                "CUDA_VISIBLE_DEVICES": "",
                "OMP_NUM_THREADS": "1",
                "ASKED": f"{self.folder.parent}/asked",
                "AGAINST": against,
            },
            capture_output=True,
            text=True,
            timeout=300,
        )

    def at(self, path: str) -> Path:
        """Where a path of the container is."""
        return self.folder / Path(path).relative_to(ML)

    @property
    def output(self) -> Path:
        """The folder whose files the service uploads as they come."""
        (output,) = self.body["ProcessingOutputConfig"]["Outputs"]
        assert output["S3Output"]["S3UploadMode"] == "Continuous"
        return self.at(output["S3Output"]["LocalPath"])


def lay_out(here: Path, s3: Any, held: dict[str, dict[str, bytes]], *overrides: str) -> ProcessingContainer:
    """Everything as SageMaker lays it out before it starts the entry point.

    Args:
        here: an empty folder.
        s3: a client of the service that holds the inputs' files.
        held: the files of each input but the code, by its name and their paths below its prefix.
        overrides: of the spec.
    """
    folder, shims = here / "ml", here / "bin"
    (folder / "processing").mkdir(parents=True)
    mounted = can_mount(folder)
    artifacts = {file.path: file for file in compile_spec(SPEC, "evaluation", overrides=overrides, force=True)}
    container = ProcessingContainer(folder, json.loads(artifacts["create_processing_job.json"].content), mounted)
    code = {path.removeprefix("source/"): file.content for path, file in artifacts.items() if "source/" in path}
    inputs = {one["InputName"]: one["S3Input"] for one in container.body["ProcessingInputs"]}
    assert inputs.keys() == {*held, "code"}
    for name, source in inputs.items():
        assert (source["S3DataType"], source["S3InputMode"]) == ("S3Prefix", "File")
        upload(s3, _prefix(source["S3Uri"]), {"code": code, **held}[name])
        changed = (lambda content: content) if mounted or name == "model" else moved(folder)
        download(s3, _prefix(source["S3Uri"]), container.at(source["LocalPath"]), changed)
    container.output.mkdir()
    shims.mkdir()
    (shims / "python").write_text(PYTHON.format(python=sys.executable))
    (shims / "python").chmod(0o755)
    return container


def _prefix(uri: str) -> str:
    """The folder of an input that is one file: the service copies that file into the input's folder."""
    return uri if uri.endswith("/") else f"{uri.rpartition('/')[0]}/"


def archive(folder: Path) -> bytes:
    """A model.tar.gz, as a training job leaves it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        for path in sorted(folder.iterdir()):
            file.add(path, path.name)
    return packed.getvalue()
