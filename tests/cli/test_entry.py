"""The frame around every command: faults, interrupts, help, and what is loaded for what."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys

import pytest

from hbspec import __version__
from hbspec.cli import main

from .conftest import PLAIN

HEAVY = {"torch", "transformers", "peft", "datasets", "boto3", "botocore", "sagemaker", "jinja2", "numpy", "vl_convert"}
REPORT_MODULES = "import sys; from hbspec.cli import main; main(sys.argv[1:]); sys.stderr.write(' '.join(sys.modules))"


def fail(exception):
    def check(*_, **__):
        raise exception

    return check


def test_a_fault_of_ours_is_one_line_that_asks_for_a_report(monkeypatch, capsys):
    monkeypatch.setattr("hbspec.api.check", fail(KeyError("secret of the spec")))
    assert main(["check", "-"]) == 70
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert f"hbspec {__version__}" in said.err
    assert "KeyError" in said.err
    assert "report" in said.err
    assert "secret" not in said.err


def test_debug_shows_the_traceback(monkeypatch, capsys):
    monkeypatch.setattr("hbspec.api.check", fail(KeyError("x")))
    assert main(["--debug", "check", "-"]) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("fault", [RecursionError, MemoryError, ZeroDivisionError, AssertionError])
def test_no_fault_gets_through(monkeypatch, capsys, fault):
    monkeypatch.setattr("hbspec.api.check", fail(fault()))
    assert main(["check", "-"]) == 70
    assert fault.__name__ in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "action"),
    [
        (errno.ENOENT, "correct the path"),
        (errno.ENOTDIR, "correct the path"),
        (errno.ENAMETOOLONG, "use a shorter name"),
        (errno.EISDIR, "name a file"),
        (errno.ELOOP, "correct the link"),
        (errno.EACCES, "change its permissions, or name another"),
        (errno.EPERM, "change its permissions, or name another"),
        (errno.EROFS, "write to another disk"),
        (errno.ENOSPC, "free some space, or write to another disk"),
        (errno.EDQUOT, "free some space, or write to another disk"),
        (errno.EMFILE, "raise the limit with `ulimit -n`"),
        (errno.ENFILE, "close other programs"),
        (errno.EIO, "read it from another copy, or write to another disk"),
    ],
)
def test_what_the_system_refuses_comes_with_one_action(monkeypatch, capsys, code, action):
    monkeypatch.setattr("hbspec.api.check", fail(OSError(code, os.strerror(code), "there")))
    assert main(["check", "-"]) == 2
    assert capsys.readouterr().err == f"hbspec: there: {os.strerror(code)}; {action}\n"


def test_an_error_that_says_what_to_do_is_left_as_it_is(monkeypatch, capsys):
    monkeypatch.setattr(
        "hbspec.api.check", fail(OSError(errno.EIO, "the Hub is away; run the command again", "hf://x"))
    )
    assert main(["check", "-"]) == 2
    assert capsys.readouterr().err == "hbspec: hf://x: the Hub is away; run the command again\n"


def test_an_interrupt(monkeypatch, capsys):
    monkeypatch.setattr("hbspec.api.check", fail(KeyboardInterrupt()))
    assert main(["check", "-"]) == 130
    assert capsys.readouterr().err.strip() == ""


def test_the_version(hbspec):
    assert hbspec("--version") == (0, f"hbspec {__version__}\n", "")


@pytest.mark.parametrize("words", [(), ("check",), ("compile",), ("data",), ("data", "profile")])
def test_help(hbspec, words):
    code, out, err = hbspec(*words, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: {' '.join(('hbspec', *words))} ")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("hbspec ch", "check"),
        ("hbspec check --for", "--format"),
        ("hbspec check --format s", "sarif"),
        ("hbspec data pr", "profile"),
    ],
)
def test_completion(hbspec, words, offered):
    environment = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1), "_HBSPEC_COMPLETE": "complete_bash"}
    code, out, _ = hbspec(**environment)
    assert code == 0
    assert offered in out.split()


def loaded(folder, *words):
    """The top-level modules that a command leaves behind."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT_MODULES, *words],
        cwd=folder,
        env=PLAIN,
        capture_output=True,
        text=True,
        check=True,
    )
    names = set(done.stderr.split())
    assert "hbspec.cli.entry" in names
    return {name.partition(".")[0] for name in names} | {name for name in names if name.startswith("hbspec.")}


@pytest.mark.parametrize("form", ["text", "json"])
def test_check_loads_only_what_it_needs(hbspec, form):
    modules = loaded(hbspec.folder, "check", "job.yaml", "--format", form)
    assert {"yaml", "pydantic"} <= modules
    assert not modules & (HEAVY | {"typer", "click", "rich", "jsonschema"})


@pytest.mark.parametrize("words", [("--help",), ("explain", "HB101"), ("explain", "HB024"), ("rules",)])
def test_the_manual_opens_without_pydantic(hbspec, words):
    assert not loaded(hbspec.folder, *words) & (HEAVY | {"pydantic", "pydantic_core", "rich"})


def test_a_command_s_help_loads_pydantic_for_typer_only(hbspec):
    """typer (0.29) coerces the options of `hbspec` itself with pydantic before it shows a command's help."""
    modules = loaded(hbspec.folder, "check", "--help")
    assert not modules & (HEAVY | {"yaml", "rich"})
    assert "hbspec.spec" not in modules


def test_pydantic_does_not_look_for_plugins(hbspec):
    script = (
        "import sys; from hbspec.cli import main; main(['check', 'job.yaml']);"
        "from pydantic.plugin import _loader; import json; print(json.dumps(list(_loader.get_plugins())))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=hbspec.folder, env=PLAIN, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []
