"""Signals that come when all results are there, while the interpreter still ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
PROGRAM = """
import atexit, os, signal, sys
sys.path.insert(0, sys.argv[1])
import leaving
leaving.listen()
leaving.finish()
atexit.register(os.kill, os.getpid(), int(sys.argv[2]))
sys.exit(0)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_after_the_results_changes_nothing(number: signal.Signals) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, TEMPLATES, str(int(number))], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
