"""Ends a write by a signal at every moment, one moment a time, and looks at what it leaves.

    python killing.py SIGNAL exchange|rename FOLDER folder|replace|create|compile

A process is forked for each moment and sends itself the signal there: before each line of the modules that write and
before each call to the system that Python audits; of a whole `hbspec compile`, before every few of those calls. Printed
is, as JSON, how many moments there were and everything that was not as it must be: what is there is the old or the new,
whole; the next call puts the new there, and nothing else is left.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from hbspec.cli import folder, main, whole
from hbspec.cli.first_spec import STARTER
from hbspec.targets.lowering.artifact import Artifact

OLD = [Artifact("source/gone.py", b"old\n")]
NEW = [Artifact("launch.sh", b"#!\n", executable=True)]
TRACED = {folder.__file__, whole.__file__}
AUDITED = ("open", "os.", "shutil.", "ctypes.")
STRIDE = 5


def contents(place: Path) -> dict[str, str] | None:
    if place.is_file():
        return {"": place.read_text()}
    if not place.exists():
        return None
    return {str(path.relative_to(place)): path.read_text() for path in sorted(place.rglob("*")) if path.is_file()}


def over_before(moment: int, number: int, by_lines: bool, call) -> bool:
    """Whether a process that runs `call` was over before the moment came; else the signal was sent to it there."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    seen = 0

    def count() -> None:
        nonlocal seen
        seen += 1
        if seen == moment + 1:
            os.kill(os.getpid(), number)

    def trace(frame, event, _):
        if frame.f_code.co_filename not in TRACED:
            return None
        if event == "line":
            count()
        return trace

    sys.addaudithook(lambda event, _: count() if event.startswith(AUDITED) else None)
    if by_lines:
        sys.settrace(trace)
    try:
        code = call()
    except KeyboardInterrupt:
        code = 130
    os._exit(code or 0)


def moments(number: int, home: Path, call, old, *, by_lines: bool, spare: bool) -> dict:
    """Every moment once with nothing in the place and once with something old."""
    wrong: list = []
    count = 0
    place = home / "out"
    for start in (None, old) if old else (None,):
        moment, over = 0, False
        while not over:
            shutil.rmtree(home)
            home.mkdir()
            if start:
                start()
            before = contents(place)
            over = over_before(moment, number, by_lines, call)
            found = contents(place)
            if found is None and spare:
                # where folders cannot be exchanged, the old one lies aside for a moment, and the next call finds it
                found = contents(whole.aside(place) / "old")
            call()
            new = contents(place)
            left = sorted(entry.name for entry in home.iterdir())
            if found not in (before, new) or left != ["out"] or new == before:
                wrong.append({"moment": moment, "start": before, "found": found, "left": left})
            count += 1
            moment += 1 if by_lines else STRIDE
    return {"moments": count, "wrong": wrong}


def compiled(place: Path, *words: str) -> int:
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        code = main(["compile", str(STARTER), "-t", "launch", "-o", str(place), *words])
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    return code


def created(place: Path, content: bytes) -> None:
    with suppress(FileExistsError):
        whole.write_file(place, content, replace=False)


def calls(what: str, place: Path):
    """What is ended, and what is there before in half of the runs."""
    if what == "folder":
        return lambda: folder.write(NEW, place) and 0, lambda: folder.write(OLD, place)
    if what == "compile":
        return lambda: compiled(place), lambda: compiled(place, "--set", "hyperparameters.seed=7")
    if what == "create":
        return lambda: created(place, b"new\n" * 10_000), None
    return (
        lambda: whole.write_file(place, b"new\n" * 10_000, replace=True),
        lambda: whole.write_file(place, b"old\n" * 10_000, replace=True),
    )


if __name__ == "__main__":
    name, way, where, what = sys.argv[1:]
    # what the system was given outlives the process: waiting for the disk a thousand times would show nothing more
    os.fsync = lambda _: None
    if way == "rename":
        whole._renameat2 = lambda *_: False
    with tempfile.TemporaryDirectory(dir=where) as work:
        home = Path(work) / "home"
        home.mkdir()
        call, old = calls(what, home / "out")
        by_lines = what != "compile"
        print(json.dumps(moments(getattr(signal, name), home, call, old, by_lines=by_lines, spare=way == "rename")))
