"""Processes that have their imports behind them: each is forked from one that has made them and done nothing else.

A command of hbspec spends most of its time on imports, and a training job all but two seconds. What is forked is a
process of its own all the same, with the words, the folder, the environment and the streams that it is given, with the
interpreter's usual end, and with an exit code or the signal that ended it. Not for what is about the start of the
interpreter, or about variables that a library reads when it is imported.

    python preloaded.py DESCRIPTOR MODULE...

is the process that forks: it listens on a socket, and ends when that is closed.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread

LONGEST_REQUEST = 1 << 17
"""Bytes; the environment takes most of them."""
READ_AT_THE_START = ("PYTHON", "LC_", "LANG")
"""How the names of variables begin that the interpreter reads when it starts."""


class Forked:
    """A process that was forked.

    Attributes:
        pid: its number.

    Args:
        told: a socket that tells its number, and at its end its status.
    """

    def __init__(self, told: socket.socket) -> None:
        self._told = told
        self.pid = self._number()

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, or below zero the signal that ended it; to be asked for once.

        Raises:
            TimeoutError: it still runs.
        """
        self._told.settimeout(timeout)
        code = os.waitstatus_to_exitcode(self._number())
        self._told.close()
        return code

    def _number(self) -> int:
        said = self._told.recv(32)
        assert said, "the process that forks has ended"
        return int(said)


class Preloaded:
    """A process that has imported some modules, and forks others.

    Args:
        modules: what they find imported.
        environment: what is in force while it is imported.
    """

    def __init__(self, *modules: str, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, __file__, str(theirs.fileno()), *modules]
            nowhere = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment, **nowhere)

    def serves(self, environment: Mapping[str, str]) -> bool:
        """Whether the interpreter would start alike with this environment."""
        changed = self._environment.items() ^ environment.items()
        return not any(name.startswith(READ_AT_THE_START) for name, _ in changed)

    def start(
        self, words: Sequence[object], streams: Sequence[int], *, folder: Path, environment: Mapping[str, str]
    ) -> Forked:
        """Begin a process.

        Args:
            words: what follows `python` on a command line: `-m`, a module and its words, or a script and its words.
            streams: descriptors of its standard input, output and error.
            folder: where it runs.
            environment: all of its environment.
        """
        assert self.serves(environment)
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            asked = [[os.fsdecode(str(word)) for word in words], str(folder), dict(environment)]
            socket.send_fds(self._requests, [json.dumps(asked).encode()], [*streams, theirs.fileno()])
        return Forked(mine)

    def run(
        self,
        words: Sequence[object],
        *,
        folder: Path,
        environment: Mapping[str, str],
        stdin: bytes = b"",
        timeout: float | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a process to its end, and give what it wrote."""
        reading, writing = os.pipe()
        feeder = Thread(target=_feed, args=(writing, stdin))
        feeder.start()
        with TemporaryFile() as out, TemporaryFile() as err:
            streams = [reading, out.fileno(), err.fileno()]
            forked = self.start(words, streams, folder=folder, environment=environment)
            os.close(reading)
            code = forked.wait(timeout)
            feeder.join()
            written = [os.pread(stream, os.fstat(stream).st_size, 0) for stream in streams[1:]]
        return subprocess.CompletedProcess(list(words), code, *written)

    def close(self) -> None:
        """End the process that forks."""
        self._requests.close()
        self._process.wait()


def _feed(pipe: int, content: bytes) -> None:
    with suppress(BrokenPipeError), os.fdopen(pipe, "wb") as stream:
        stream.write(content)


def _serve(requests: socket.socket) -> tuple[list[str], str, dict[str, str], list[int]] | None:
    """Forks until the requests end, which is None; in a forked process, what was asked for and its streams."""
    heard, hears = socket.socketpair()
    hears.setblocking(False)
    signal.set_wakeup_fd(hears.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([requests, heard], [], [])
        if heard in ready:
            heard.recv(4096)
            _tell_ends(running)
        if requests not in ready:
            continue
        asked, descriptors, _, _ = socket.recv_fds(requests, LONGEST_REQUEST, 4)
        if not asked:
            return None
        *streams, told = descriptors
        teller = socket.socket(fileno=told)
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for end in (requests, heard, hears, teller, *running.values()):
                end.close()
            return *json.loads(asked), streams
        running[pid] = teller
        teller.send(str(pid).encode())
        for stream in streams:
            os.close(stream)


def _tell_ends(running: dict[int, socket.socket]) -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with running.pop(ended[0]) as teller, suppress(BrokenPipeError):  # the test may have given up
                teller.send(str(ended[1]).encode())


def _become(words: list[str], folder: str, environment: dict[str, str], streams: list[int]) -> None:
    """Be the process that was asked for; what follows is the end of the interpreter."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)
    for number, name, mode, buffering in ((0, "stdin", "r", -1), (1, "stdout", "w", -1), (2, "stderr", "w", 1)):
        before = getattr(sys, name)
        stream = os.fdopen(number, mode, buffering, before.encoding, before.errors, closefd=False)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    if words[0] == "-m":
        sys.path[0], sys.argv = folder, words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[0], sys.argv = str(Path(words[0]).parent), words
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    listening = socket.socket(fileno=int(sys.argv[1]))
    for module in sys.argv[2:]:
        importlib.import_module(module)
    gc.freeze()  # a collection would write to what is shared, and copy it
    if asked_for := _serve(listening):
        _become(*asked_for)
