"""The launcher, with ranks that are small Python programs and signals that are real."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import launcher
import pytest
from training_bench import TEMPLATES

Start = Callable[..., "subprocess.Popen[str]"]
SAFETY = 300
"""Seconds after which a test gives up; no test is expected to come near."""

# a line at once: all ranks write to one pipe
SAVES = """
import os, signal, sys, time
def save(number, frame):
    time.sleep({seconds})
    os.write(1, f"saved {{os.environ['RANK']}}\\n".encode())
    sys.exit({code})
signal.signal(signal.SIGTERM, save)
os.write(1, f"ready {{os.environ['RANK']}} {{os.getpid()}}\\n".encode())
while True:
    time.sleep(0.05)
"""
DEAF = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
os.write(1, f"ready {os.environ['RANK']} {os.getpid()} {child.pid}\\n".encode())
time.sleep(600)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: str, ranks: int = 2, options: tuple[str, ...] = (), **more: str):
        path = tmp_path / "script.py"
        path.write_text(script)
        launch = subprocess.Popen(
            [sys.executable, TEMPLATES / "launcher.py", f"--nproc_per_node={ranks}", *options, path, *arguments],
            env={"PATH": os.environ["PATH"], **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(launch)
        return launch

    yield start
    for launch in started:
        launch.kill()


def ready(launch: subprocess.Popen[str], ranks: int = 2) -> list[int]:
    """Waits until every rank says that it runs; the processes that they name."""
    assert launch.stdout is not None
    lines = [launch.stdout.readline().split() for _ in range(ranks)]
    assert {line[0] for line in lines} == {"ready"}
    return [int(word) for line in lines for word in line[2:]]


def ended(launch: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = launch.communicate(timeout=SAFETY)
    return launch.returncode, output, errors


def gone(processes: list[int]) -> bool:
    """Whether the processes end, before the test gives up."""
    until = time.monotonic() + SAFETY
    while time.monotonic() < until:
        if not any(alive(process) for process in processes):
            return True
        time.sleep(0.05)
    return False


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # a zombie has ended, whoever is to fetch its exit code


def test_every_rank_is_told_who_it_is(start: Start) -> None:
    names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "NODE_RANK", "GROUP_RANK", "OMP_NUM_THREADS")
    shown = "import os, sys, json; os.write(1, (json.dumps([dict(os.environ), sys.argv[1:]]) + chr(10)).encode())"
    options = ("--nnodes=2", "--node_rank=1", "--master_addr=algo-1", "--master_port=7777")
    code, output, errors = ended(start(shown, "--flag", "a b", ranks=3, options=options, MORE="kept"))
    assert (code, errors) == (0, "")
    found = sorted((json.loads(line) for line in output.splitlines()), key=lambda rank: rank[0]["RANK"])
    told = [[environment[name] for name in names] for environment, _ in found]
    assert told == [[str(3 + local), str(local), "6", "3", "1", "1", "1"] for local in range(3)]
    for environment, arguments in found:
        assert (environment["MASTER_ADDR"], environment["MASTER_PORT"]) == ("algo-1", "7777")
        assert environment["MORE"] == "kept"
        assert arguments == ["--flag", "a b"]


def environments(*words: str, **inherited: str) -> list[dict[str, str]]:
    options: argparse.Namespace = launcher._options([*words, "script.py"])
    return launcher.environments(options, inherited)


def test_one_host_takes_a_free_port_unless_one_is_given() -> None:
    first, second = environments("--nproc_per_node=2")
    assert first["MASTER_ADDR"] == "127.0.0.1"
    assert 0 < int(first["MASTER_PORT"]) == int(second["MASTER_PORT"])
    assert environments(MASTER_PORT="1234")[0]["MASTER_PORT"] == "1234"
    assert environments("--master_port=4321", MASTER_PORT="1234")[0]["MASTER_PORT"] == "4321"


def test_what_the_caller_sets_is_kept_and_what_another_launcher_said_is_not() -> None:
    assert environments("--nproc_per_node=2", OMP_NUM_THREADS="6")[0]["OMP_NUM_THREADS"] == "6"
    assert "OMP_NUM_THREADS" not in environments()[0], "one rank has the host to itself"
    inside = environments(RANK="7", WORLD_SIZE="8", TORCHELASTIC_USE_AGENT_STORE="True")[0]
    assert (inside["RANK"], inside["WORLD_SIZE"], inside["TORCHELASTIC_USE_AGENT_STORE"]) == ("0", "1", "False")


@pytest.mark.parametrize(
    "words",
    [
        ["--nproc_per_node=0"],
        ["--nnodes=2", "--master_port=1", "--node_rank=2"],
        ["--nnodes=2"],
        ["--nproc_per_node=eight"],
    ],
    ids=" ".join,
)
def test_a_launch_that_cannot_work_is_refused(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASTER_PORT", raising=False)
    with pytest.raises(SystemExit) as refused:
        launcher._options([*words, "script.py"])
    assert refused.value.code == 2


@pytest.mark.one_in(2)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_ranks_have_the_time_to_save_and_the_job_ends_well(start: Start, number: signal.Signals) -> None:
    launch = start(SAVES.format(seconds=1.5, code=0))
    ready(launch)
    launch.send_signal(number)
    code, output, errors = ended(launch)
    assert code == 0, errors
    assert sorted(output.splitlines()) == ["saved 0", "saved 1"]
    assert errors == f"launcher.py: {number.name}: ranks have 115 s to save and end\n"


def test_a_rank_that_cannot_save_makes_the_stop_a_failure(start: Start) -> None:
    launch = start(SAVES.format(seconds=0, code="3 if os.environ['RANK'] == '1' else 0"))
    ready(launch)
    launch.terminate()
    code, _, errors = ended(launch)
    assert code == 3
    assert "rank 1 ended with exit code 3" in errors


def test_a_rank_that_saves_is_not_cut_short_by_one_that_failed(
    start: Start, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """On a stop, the time is the service's, whatever other ranks do with it."""
    monkeypatch.setattr(launcher, "FAILURE_SECONDS", 0.0)
    heard: list[int] = []
    launch = launcher.Launch(SAFETY, heard)
    program = SAVES.format(seconds="2 if os.environ['RANK'] == '0' else 0", code="int(os.environ['RANK'])")
    launch.start([sys.executable, "-c", program], environments("--nproc_per_node=2", **os.environ))
    until, said = time.monotonic() + SAFETY, ""
    while said.count("ready") < 2 and time.monotonic() < until:
        time.sleep(0.01)
        said += capfd.readouterr().out
    heard.append(signal.SIGTERM)
    assert launch.wait() == 1
    assert "saved 0" in capfd.readouterr().out


def test_a_rank_that_does_not_end_is_killed_with_all_that_it_started(start: Start) -> None:
    launch = start(DEAF, options=("--grace=0.5",))
    processes = ready(launch)
    launch.terminate()
    code, _, errors = ended(launch)
    assert code == 128 + signal.SIGKILL
    assert "killed, since they still run: ranks 0, 1" in errors
    assert gone(processes)


def test_a_second_interrupt_does_not_wait(start: Start) -> None:
    launch = start(DEAF)
    processes = ready(launch)
    launch.send_signal(signal.SIGINT)
    assert launch.stderr is not None
    launch.stderr.readline()
    launch.send_signal(signal.SIGINT)
    assert ended(launch)[0] == 128 + signal.SIGKILL
    assert gone(processes)


def test_ranks_are_waited_for_when_nobody_reads_the_log(start: Start) -> None:
    launch = start(SAVES.format(seconds=0.5, code=0))
    ready(launch)
    assert launch.stderr is not None
    assert launch.stdout is not None
    launch.stderr.close()
    launch.terminate()
    assert launch.wait(SAFETY) == 0
    assert sorted(launch.stdout.read().splitlines()) == ["saved 0", "saved 1"]


FAILS = """
import os, signal, time
if os.environ["RANK"] == "1":
    {failure}
signal.signal(signal.SIGTERM, lambda *_: os._exit(9))
time.sleep(600)
"""


STOPPED_IN_ITS_IMPORTS = "import os, signal; os.kill(os.getpid(), signal.SIGTERM); from _argparse import *\n"
LATE_SIGNAL = """
import os
class Late:
    def __del__(self, kill=os.kill, process=os.getpid(), launcher="RANK" not in os.environ):
        if launcher:
            kill(process, 15)
late = Late()
"""
"""The interpreter deletes it when it has put away all handlers of signals."""


def test_a_signal_while_the_launcher_is_imported_starts_no_rank(tmp_path: Path) -> None:
    (tmp_path / "launcher.py").write_text((TEMPLATES / "launcher.py").read_text())
    (tmp_path / "_argparse.py").write_text(Path(argparse.__file__).read_text())
    (tmp_path / "argparse.py").write_text(STOPPED_IN_ITS_IMPORTS)
    command = [sys.executable, tmp_path / "launcher.py", tmp_path / "no_script.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SAFETY)
    assert (done.returncode, done.stderr) == (0, "launcher.py: SIGTERM: no rank is started\n")


def test_a_signal_when_all_ranks_have_ended_changes_nothing(start: Start, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(LATE_SIGNAL)
    assert ended(start("", PYTHONPATH=str(tmp_path))) == (0, "", "")


def test_a_rank_is_not_signalled_before_it_can_listen(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its interpreter takes a while, however long that is here; the launcher has heard the signal meanwhile."""
    said: list[str] = []

    def clock() -> float:
        """Just before a rank is expected to listen, until it says that it does."""
        said.append(capfd.readouterr().out)
        return launcher.INTERPRETER_SECONDS * (2 if "ready" in "".join(said) else 1) if started else 0.0

    started: list[bool] = []
    monkeypatch.setattr(launcher, "time", SimpleNamespace(monotonic=clock, sleep=time.sleep))
    launch = launcher.Launch(SAFETY, [signal.SIGTERM])
    launch.start([sys.executable, "-c", SAVES.format(seconds=0, code=0)], environments(**os.environ))
    started.append(True)
    assert launch.wait() == 0
    assert "saved 0" in "".join(said) + capfd.readouterr().out


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        ("raise SystemExit(5)", 5, "rank 1 ended with exit code 5"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", 139, "rank 1 ended by SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGRTMIN + 3)", 128 + signal.SIGRTMIN + 3, "rank 1 ended by signal 37"),
    ],
    ids=["exit code", "signal", "signal without a name"],
)
def test_the_first_failure_ends_the_job_with_its_code(start: Start, failure: str, code: int, said: str) -> None:
    found, _, errors = ended(start(FAILS.format(failure=failure), ranks=3))
    assert (found, errors) == (code, f"launcher.py: {said}\n"), "what the others made of it is no news"


def test_ranks_that_wait_for_a_failed_one_are_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(launcher, "FAILURE_SECONDS", 0.2)
    deaf = "import os, signal, time; signal.signal(15, signal.SIG_IGN); os.environ['RANK'] == '0' and time.sleep(600)"
    launch = launcher.Launch(SAFETY, [])
    launch.start([sys.executable, "-c", f"{deaf}; raise SystemExit(4)"], environments("--nproc_per_node=2"))
    assert launch.wait() == 4
    assert "rank 1 ended with exit code 4" in capfd.readouterr().err
    assert not any(alive(rank.pid) for rank in launch.ranks.values())


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells a process of its parent's death on Linux only")
def test_ranks_do_not_outlive_a_launcher_that_is_killed(start: Start) -> None:
    launch = start(SAVES.format(seconds=0, code=0))
    processes = ready(launch)
    launch.kill()
    launch.wait(SAFETY)
    assert gone(processes)


def test_nothing_but_the_standard_library_is_imported() -> None:
    shown = f"import sys; sys.path.insert(0, {str(TEMPLATES)!r}); import launcher; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    roots = {name.partition(".")[0] for name in done.stdout.split()} - {"launcher", "__main__"}
    ours = {name for name in roots if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert not ours & {"torch", "accelerate", "transformers", "numpy", "hbspec"}
