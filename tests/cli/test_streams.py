"""Standard streams that are closed, full or gone: a right exit code, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import cycle

import pytest

from .conftest import PLAIN

COMMANDS = ["check job.yaml", "check -", "compile - -o out", "estimate job.yaml", "explain HB101", "rules", "schema"]
OTHERS = ["check --help", "init new.yaml", "data check no.jsonl", "chekc"]
FORCED = "compile job.yaml -o out --force --set budget.max_cost=1USD"
CLOSED = "hbspec: standard output: the stream is closed; redirect it to a file\n"


def run(hbspec, command, redirection):
    line = f"set -o pipefail; {sys.executable} -m hbspec {command} {redirection}"
    spec = (hbspec.folder / "job.yaml").read_bytes()
    done = subprocess.run(["bash", "-c", line], cwd=hbspec.folder, input=spec, capture_output=True, env=PLAIN)
    assert b"Traceback" not in done.stderr + done.stdout
    assert b"internal error" not in done.stderr + done.stdout
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.one_in(3)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_result_that_nobody_can_have_is_an_error(hbspec, command):
    assert run(hbspec, command, ">&-")[::2] == (2, CLOSED)


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("command", "redirection"), [*zip(COMMANDS[::3], [">&- 2>&-", "<&- >&- 2>&-", ">/dev/full 2>&1"], strict=True)]
)
def test_with_nowhere_to_say_it_the_exit_code_is_left(hbspec, command, redirection):
    assert run(hbspec, command, redirection) == (2, "", "")


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("command", "redirection"),
    [("check job.yaml", "2>&-"), (FORCED, "2>/dev/full"), ("check job.yaml", "2> >(true)"), (FORCED, "2>&-")],
)
def test_what_is_said_beside_the_result_may_get_lost(hbspec, command, redirection):
    code, out, err = run(hbspec, command, redirection)
    assert (code, err) == (0, "")
    assert out


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("command", "redirection"), [*zip(cycle(OTHERS), [">&-", "2>&-", "<&-", "> /dev/full", "| true"] * 2, strict=False)]
)
def test_no_command_breaks(hbspec, command, redirection):
    assert run(hbspec, command, redirection)[0] in (0, 2, 141)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("command", ["check -", "compile - -o out"])
def test_a_spec_on_a_closed_input(hbspec, command):
    code, out, err = run(hbspec, command, "<&-")
    assert code == 2
    assert "standard input cannot be read: the stream is closed" in out + err


@pytest.mark.one_in(2)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only where there is a full device")  # noqa: PTH110
@pytest.mark.parametrize("command", ["check -", "estimate job.yaml"])
def test_a_full_disk(hbspec, command):
    action = "free some space, or write to another disk"
    said = f"hbspec: standard output: No space left on device; {action}\n"
    assert run(hbspec, command, "> /dev/full")[::2] == (2, said)


@pytest.mark.parametrize("command", ["rules", "schema"])
def test_a_reader_that_has_gone(hbspec, command):
    assert run(hbspec, command, "| head -1 > /dev/null")[::2] in ((141, ""), (0, ""))
