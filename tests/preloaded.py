"""Processes that have their imports behind them: each is forked from one that has made them and done nothing else.

A command of hbspec spends most of its time on imports, and a training job all but two seconds. What is forked is a
process of its own all the same, with the words, the folder, the environment and the streams that it is given, with the
interpreter's usual end, and with an exit code or the signal that ended it. Not for what is about the start of the
interpreter, or about variables that a library reads when it is imported.

    python preloaded.py DESCRIPTOR DESCRIPTOR MODULE...

is the process that forks: it listens on two sockets, and ends when the first is closed. `Preloaded.python` is a program
in the place of the interpreter, for code that starts `sys.executable`: it asks on the second.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import io
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
from tempfile import TemporaryDirectory, TemporaryFile
from threading import Thread

LONGEST_REQUEST = 1 << 17
"""Bytes; the environment takes most of them."""
READ_AT_THE_START = ("PYTHON", "LC_", "LANG")
"""How the names of variables begin that the interpreter reads when it starts."""
Asked = tuple[list[str], str, dict[str, str], str, list[int]]
"""Words, a folder, an environment, what is `sys.executable`, and streams."""
PLACES = "PYTHONPATH"
"""The one of them that is heeded all the same."""

PYTHON = """#!{python} -IS
import os, signal, socket, sys
words, begun = sys.argv[1:], {environment!r}
plain = words[1:] if words[:1] == ["-u"] else words
changed = [name for name, _ in begun.items() ^ os.environ.items() if name != {places!r}]
if not plain or plain[0][:1] == "-" and plain[0] != "-m" or any(name.startswith({at_the_start!r}) for name in changed):
    os.execv({python!r}, [{python!r}, *words])
pid, early = 0, []
def pass_on(number, _):
    if not pid:
        return early.append(number)
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, pass_on)
import json
asked = json.dumps([words, os.getcwd(), dict(os.environ), sys.argv[0]]).encode()
told = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
told.connect({address!r})
socket.send_fds(told, [asked], [0, 1, 2])
pid = int(told.recv(32))
for number in early:
    pass_on(number, None)
code = os.waitstatus_to_exitcode(int(told.recv(32)))
if code < 0:
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""
"""A program in the place of the interpreter: it passes signals on, ends as what it asked for, and ends that where it is
killed. What is no script and no module, or needs another start of the interpreter, gets the interpreter."""


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

    Attributes:
        python: a program in the place of the interpreter. What it starts is a child of the process that forks.

    Args:
        modules: what they find imported.
        environment: what is in force while it is imported.
    """

    def __init__(self, *modules: str, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._folder = TemporaryDirectory()
        self.python, address = Path(self._folder.name, "python"), f"{self._folder.name}/asked"
        with theirs, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
            asked.bind(address)
            asked.listen()
            passed = [theirs.fileno(), asked.fileno()]
            command = [sys.executable, __file__, *map(str, passed), *modules]
            nowhere = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            self._process = subprocess.Popen(command, pass_fds=passed, env=environment, **nowhere)
        begun = {name: value for name, value in environment.items() if name.startswith(READ_AT_THE_START)}
        self.python.write_text(
            PYTHON.format(
                python=sys.executable,
                environment=begun,
                places=PLACES,
                at_the_start=READ_AT_THE_START,
                address=address,
            )
        )
        self.python.chmod(0o755)

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
            asked = [[os.fsdecode(str(word)) for word in words], str(folder), dict(environment), sys.executable]
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
        self._folder.cleanup()


def _feed(pipe: int, content: bytes) -> None:
    with suppress(BrokenPipeError), os.fdopen(pipe, "wb") as stream:
        stream.write(content)


def _serve(
    requests: socket.socket, asked: socket.socket
) -> tuple[list[str], str, dict[str, str], str, list[int]] | None:
    """Forks until the requests end, which is None; in a forked process, what was asked for and its streams."""
    heard, hears = socket.socketpair()
    hears.setblocking(False)
    signal.set_wakeup_fd(hears.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, socket.socket] = {}
    programs: dict[socket.socket, int] = {}
    while True:
        ready, _, _ = select.select([requests, asked, heard, *programs], [], [])
        if heard in ready:
            heard.recv(4096)
            _tell_ends(running)
            programs = {program: pid for program, pid in programs.items() if pid in running}
        for gone in [program for program in ready if program in programs]:
            os.kill(programs.pop(gone), signal.SIGKILL)  # it was killed itself
        source = next((one for one in (requests, asked) if one in ready), None)
        if source is None:
            continue
        program = asked.accept()[0] if source is asked else None
        request, descriptors, _, _ = socket.recv_fds(program or requests, LONGEST_REQUEST, 4)
        if not request and program is None:
            return None
        if not request:
            program.close()
            continue
        streams = descriptors[:3]
        teller = program or socket.socket(fileno=descriptors[3])
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for end in (requests, asked, heard, hears, teller, *running.values()):
                end.close()
            return *json.loads(request), streams
        running[pid] = teller
        with suppress(ConnectionError):  # it was killed as it asked
            teller.send(str(pid).encode())
        if program is not None:
            programs[program] = pid
        for stream in streams:
            os.close(stream)


def _tell_ends(running: dict[int, socket.socket]) -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with running.pop(ended[0]) as teller, suppress(ConnectionError):  # the test may have given up
                teller.send(str(ended[1]).encode())


class Ending:
    """The end of a forked process: all that the interpreter does then but freeing what it has, which copies it first.

    Most of a short command's time would be that. It is done where the end is not an exit, or a stream takes no more.

    Attributes:
        code: what a process that became another one exits with.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        atexit.register(self._end)  # before anything else is, and so done after everything else

    def exited(self, code: object) -> None:
        """What `sys.exit` was given."""
        self.code = 0 if code is None else code & 0xFF if isinstance(code, int) else 1

    def _end(self) -> None:
        if self.code is None:
            return
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None and not stream.closed:
                    stream.flush()
        except (OSError, ValueError):
            return  # the interpreter says so, and has an exit code for it
        os._exit(self.code)


def _become(words: list[str], folder: str, environment: dict[str, str], python: str, streams: list[int]) -> None:
    """Be the process that was asked for; what follows is the end of the interpreter."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)
    unbuffered = words[0] == "-u"
    words, sys.executable = words[unbuffered:], python
    for number, name, mode, buffering in ((0, "stdin", "r", -1), (1, "stdout", "w", -1), (2, "stderr", "w", 1)):
        before = getattr(sys, name)
        stream = os.fdopen(number, mode, buffering, before.encoding, before.errors, closefd=False)
        if unbuffered and number:
            raw = os.fdopen(number, "wb", 0, closefd=False)
            stream = io.TextIOWrapper(raw, before.encoding, before.errors, write_through=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.path[1:1] = [place for place in environment.get(PLACES, "").split(os.pathsep) if place]
    if words[0] == "-m":
        sys.path[0], sys.argv = folder, words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[0], sys.argv = str(Path(words[0]).parent), words
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    ending = Ending()
    listening, listening_too = (socket.socket(fileno=int(descriptor)) for descriptor in sys.argv[1:3])
    for module in sys.argv[3:]:
        importlib.import_module(module)
    gc.freeze()  # a collection would write to what is shared, and copy it
    if asked_for := _serve(listening, listening_too):
        try:
            _become(*asked_for)
            ending.exited(0)
        except SystemExit as exited:
            ending.exited(exited.code)
            raise
