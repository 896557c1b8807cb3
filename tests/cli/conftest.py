"""The command as a user runs it: a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from pkgutil import walk_packages

import pytest
from preloaded import Preloaded

import hbspec as package
from hbspec.cli.first_spec import STARTER

# what a test machine exports must not decide what a test sees
PLAIN = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
COMMAND = ("-m", "hbspec")
NOT_PRELOADED = ("hbspec.__main__", "hbspec.recording")
"""What runs as it is imported, and what imports torch."""


@dataclass(frozen=True)
class Shell:
    """A working folder in which commands run."""

    folder: Path
    program: Preloaded

    def __call__(self, *words, stdin=b"", **environment):
        environment = PLAIN | environment
        if self.program.serves(environment):
            done = self.program.run(
                [*COMMAND, *words], folder=self.folder, environment=environment, stdin=stdin, timeout=300
            )
        else:
            done = subprocess.run(
                [sys.executable, *COMMAND, *words],
                cwd=self.folder,
                input=stdin,
                capture_output=True,
                env=environment,
                timeout=300,
            )
        assert b"Traceback" not in done.stderr + done.stdout
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name


@pytest.fixture(scope="session")
def program() -> Iterator[Preloaded]:
    """Every module of hbspec, imported once; what a command itself imports, `test_entry.py` asks real ones."""
    found = (info.name for info in walk_packages(package.__path__, "hbspec."))
    modules = [name for name in found if not name.startswith(NOT_PRELOADED)]
    started = Preloaded(*modules, "warmed_up", environment=PLAIN)
    yield started
    started.close()


@pytest.fixture
def hbspec(tmp_path, program):
    """A folder that holds one good spec, `job.yaml`."""
    shell = Shell(tmp_path, program)
    shell.write("job.yaml", STARTER.read_text(encoding="utf-8"))
    return shell
