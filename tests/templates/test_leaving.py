"""The end of a process whose results are all there."""

from __future__ import annotations

import os
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


ENDING = """
import atexit, os, sys
sys.path.insert(0, sys.argv[1])
import leaving
atexit.register(print, "the interpreter's own end")
print("the last line")
leaving.end(3)
"""


def test_what_was_printed_is_there_and_the_interpreters_own_end_is_not_waited_for() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDING, TEMPLATES], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "the last line\n", "")


def test_a_reader_that_has_gone_changes_no_exit_code() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-c", ENDING, TEMPLATES],
        stdout=writer,
        stderr=subprocess.PIPE,
        env={},  # in which nothing says that lines are not to be kept back
        text=True,
        check=False,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (3, "")
