"""What is forked is a process of its own: its words, folder, environment and streams, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from preloaded import Preloaded

SHOWS = """
import json, os, sys
print(json.dumps({
    "words": sys.argv, "folder": os.getcwd(), "environment": dict(os.environ), "path": sys.path[0],
    "name": __name__, "given": sys.stdin.read(), "loaded": "colorsys" in sys.modules, "terminal": sys.stdout.isatty(),
}))
print("said", file=sys.stderr)
"""
ENVIRONMENT = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LC_ALL", "LANG")}


@pytest.fixture(scope="module")
def preloaded() -> Iterator[Preloaded]:
    started = Preloaded("colorsys", environment=ENVIRONMENT)
    yield started
    started.close()


def script(folder: Path, text: str) -> Path:
    path = folder / "script.py"
    path.write_text(text)
    return path


def test_it_has_what_it_is_given_and_nothing_else(preloaded: Preloaded, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    words = [script(tmp_path, SHOWS), "--flag", "a b\n"]
    environment = ENVIRONMENT | {"MORE": "1"}
    environment.pop("HOME", None)
    done = preloaded.run(words, folder=tmp_path / "here", environment=environment, stdin="é".encode())
    assert (done.returncode, done.stderr) == (0, b"said\n")
    assert json.loads(done.stdout) == {
        "words": [str(word) for word in words],
        "folder": str(tmp_path / "here"),
        "environment": environment,
        "path": str(tmp_path),
        "name": "__main__",
        "given": "é",
        "loaded": True,
        "terminal": False,
    }


def test_a_module_is_run_from_its_folder(preloaded: Preloaded, tmp_path: Path) -> None:
    script(tmp_path, "import sys; print(sys.argv[1:], sys.path[0])")
    done = preloaded.run(["-m", "script", "word"], folder=tmp_path, environment=ENVIRONMENT)
    assert done.stdout.decode() == f"['word'] {tmp_path}\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 0),
        ("raise SystemExit(7)", 7),
        ("raise SystemExit('why')", 1),
        ("1 / 0", 1),
        ("import os; os._exit(9)", 9),
        ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("import atexit, os; atexit.register(os._exit, 5)", 5),
    ],
)
def test_it_ends_as_any_process_does(preloaded: Preloaded, tmp_path: Path, text: str, code: int) -> None:
    done = preloaded.run([script(tmp_path, text)], folder=tmp_path, environment=ENVIRONMENT)
    assert done.returncode == code
    assert (b"ZeroDivisionError" in done.stderr) == (text == "1 / 0")


LATE = """
import atexit, threading, time
def late():
    time.sleep(0.05)
    print("of a thread")
threading.Thread(target=late).start()
atexit.register(print, "at the end")
print("first")
raise SystemExit({code})
"""


@pytest.mark.parametrize("code", [3, -1])
def test_threads_are_waited_for_and_all_is_written(preloaded: Preloaded, tmp_path: Path, code: int) -> None:
    done = preloaded.run([script(tmp_path, LATE.format(code=code))], folder=tmp_path, environment=ENVIRONMENT)
    assert (done.returncode, done.stdout) == (code & 0xFF, b"first\nof a thread\nat the end\n")


def test_what_a_full_disk_does_not_take_is_a_failure(preloaded: Preloaded, tmp_path: Path) -> None:
    path, usual = script(tmp_path, "print('lost')"), 120
    with Path("/dev/full").open("wb") as full:
        forked = preloaded.start([path], [0, full.fileno(), full.fileno()], folder=tmp_path, environment=ENVIRONMENT)
        assert forked.wait(300) == usual


def test_it_can_be_talked_to_and_told_to_end(preloaded: Preloaded, tmp_path: Path) -> None:
    path = script(tmp_path, "import sys, time; print('ready', sys.stdout.seekable(), flush=True); time.sleep(600)")
    reading, writing = os.pipe()
    forked = preloaded.start([path], [0, writing, 2], folder=tmp_path, environment=ENVIRONMENT)
    os.close(writing)
    with os.fdopen(reading) as output:
        assert output.readline() == "ready False\n"
        with pytest.raises(TimeoutError):
            forked.wait(0.05)
        os.kill(forked.pid, signal.SIGTERM)
        assert output.read() == ""
    assert forked.wait(300) == -signal.SIGTERM


def test_what_one_does_no_other_sees(preloaded: Preloaded, tmp_path: Path) -> None:
    path = script(tmp_path, "import colorsys; assert not hasattr(colorsys, 'left'); colorsys.left = 1")
    for _ in range(2):
        assert preloaded.run([path], folder=tmp_path, environment=ENVIRONMENT).returncode == 0


def test_several_at_once(preloaded: Preloaded, tmp_path: Path) -> None:
    path = script(tmp_path, "import sys, time; time.sleep(float(sys.argv[1])); raise SystemExit(int(sys.argv[2]))")
    started = [
        preloaded.start([path, seconds, code], [0, 1, 2], folder=tmp_path, environment=ENVIRONMENT)
        for seconds, code in ((0.5, 3), (0, 4))
    ]
    assert [forked.wait(300) for forked in started] == [3, 4]


@pytest.mark.parametrize("name", ["PYTHONUTF8", "LC_ALL", "LANG"])
def test_what_python_reads_when_it_starts_needs_a_process_of_its_own(preloaded: Preloaded, name: str) -> None:
    assert preloaded.serves(ENVIRONMENT | {"COLUMNS": "40"})
    assert not preloaded.serves(ENVIRONMENT | {name: "another"})


def test_a_module_that_cannot_be_imported_is_said() -> None:
    broken = Preloaded("no_such_module", environment=ENVIRONMENT)
    with pytest.raises((AssertionError, OSError)):
        broken.run([sys.executable], folder=Path.cwd(), environment=ENVIRONMENT)
    broken.close()


SHORT = """
import os, subprocess, sys, time
print("colorsys" in sys.modules, sys.argv[1:], os.getcwd(), end="|")
if sys.argv[1:] == ["again"]:
    raise SystemExit(subprocess.run([sys.executable, sys.argv[0], "end"]).returncode)
if sys.argv[1:] == ["wait"]:
    time.sleep(600)
raise SystemExit(7)
"""


def test_a_program_in_the_place_of_the_interpreter(preloaded: Preloaded, tmp_path: Path) -> None:
    """What it starts, it starts from the same process; with `-u` all is written at once."""
    words = [preloaded.python, "-u", script(tmp_path, SHORT), "again"]
    done = subprocess.run(words, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.stdout == f"True ['again'] {tmp_path}|True ['end'] {tmp_path}|", done.stderr
    assert (done.returncode, done.stderr) == (7, "")


def test_one_that_is_killed_as_it_asks_ends_no_other(preloaded: Preloaded, tmp_path: Path) -> None:
    """Nobody is there to be told the number of what was forked."""
    asked = json.dumps([[str(script(tmp_path, SHORT)), "wait"], str(tmp_path), ENVIRONMENT, sys.executable])
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as program:
        program.connect(str(preloaded.python.with_name("asked")))
        program.shutdown(socket.SHUT_RD)
        socket.send_fds(program, [asked.encode()], [0, 1, 2])
    assert preloaded.run([tmp_path / "script.py"], folder=tmp_path, environment=ENVIRONMENT).returncode == 7


def test_it_finds_modules_where_it_is_told_to(preloaded: Preloaded, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/found.py").write_text("print('found')")
    words, environment = [preloaded.python, "-m", "found"], ENVIRONMENT | {"PYTHONPATH": str(tmp_path / "there")}
    assert subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout == "found\n"


@pytest.mark.parametrize(
    ("words", "more"),
    [(["-c", "import sys; print('colorsys' in sys.modules)"], {}), (["script.py"], {"PYTHONUTF8": "1"})],
)
def test_where_it_cannot_be_one_of_these_it_is_the_interpreter(
    preloaded: Preloaded, tmp_path: Path, words: list[str], more: dict[str, str]
) -> None:
    script(tmp_path, "import sys; print('colorsys' in sys.modules)")
    done = subprocess.run([preloaded.python, *words], cwd=tmp_path, env=ENVIRONMENT | more, capture_output=True)
    assert done.stdout == b"False\n", done.stderr


def test_a_signal_is_passed_on(preloaded: Preloaded, tmp_path: Path) -> None:
    words = [preloaded.python, "-u", script(tmp_path, SHORT), "wait"]
    with subprocess.Popen(words, env=ENVIRONMENT, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stdout.read(4) == b"True"
        started.terminate()
        assert started.wait(300) == -signal.SIGTERM


def test_what_it_stands_for_ends_when_it_is_killed(preloaded: Preloaded, tmp_path: Path) -> None:
    words = [preloaded.python, "-u", script(tmp_path, SHORT), "wait"]
    with subprocess.Popen(words, env=ENVIRONMENT, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        while started.stdout.read(1) != b"|":  # which it writes last
            assert started.poll() is None
        started.kill()
        assert started.stdout.read() == b"", "its end of the pipe is closed"
