"""The command as a user runs it: a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from hbspec.cli.init import STARTER

# what a test machine exports must not decide what a test sees
PLAIN = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}


@dataclass(frozen=True)
class Shell:
    """A working folder in which commands run."""

    folder: Path

    def __call__(self, *words, stdin=b"", **environment):
        done = subprocess.run(
            [sys.executable, "-m", "hbspec", *words],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            env=PLAIN | environment,
            timeout=120,
        )
        assert b"Traceback" not in done.stderr + done.stdout
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name


@pytest.fixture
def hbspec(tmp_path):
    """A folder that holds one good spec, `job.yaml`."""
    shell = Shell(tmp_path)
    shell.write("job.yaml", STARTER.read_text(encoding="utf-8"))
    return shell
