"""`hbspec demo`: a tour on a real plan: its mistakes, its correction, what it takes, its job, and a rehearsal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from shlex import join
from typing import NamedTuple

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import ERRORS, OK, UNUSABLE
from hbspec.shipped import specs

AS_WRITTEN, CORRECTED = "heartbeat-as-written.yaml", "heartbeat.yaml"
FILES = (AS_WRITTEN, CORRECTED, "heartbeat.train.profile.json")
SPLITS = ("train", "validation")
ENDPOINT = ("deployment", "--without-evaluation", "a tour has no trained model to evaluate")
"""What `hbspec compile` is given for an endpoint whose suites were not run."""


class TourStop(NamedTuple):
    """A stop of the tour.

    Attributes:
        title: what is seen there.
        commands: the words after `hbspec`.
        ends: the exit code of each.
    """

    title: str
    commands: tuple[tuple[str, ...], ...]
    ends: int = OK


def run(output: Path, data: Path | None) -> int:
    """Copy the specs to a folder, and run each command as a user types it; return the exit code.

    Raises:
        MisuseError: the folder holds other files of these names.
        OSError: the folder cannot be written.
    """
    _copy(output)
    for number, stop in enumerate(_tour(output, data), 1):
        sys.stdout.write(f"{number}. {stop.title}\n")
        for words in stop.commands:
            sys.stdout.write(f"\n$ hbspec {join(words)}\n")
            sys.stdout.flush()
            done = subprocess.run((sys.executable, "-m", "hbspec", *words), check=False)  # noqa: S603 - hbspec itself
            if done.returncode != stop.ends:
                sys.stderr.write(f"hbspec: demo: hbspec {words[0]} ended with {done.returncode}, not {stop.ends}\n")
                return done.returncode if done.returncode > UNUSABLE else ERRORS
        sys.stdout.write("\n")
    if not _trains():
        _tell_the_rest(output)
    sys.stdout.write(f"Everything is in {output}.\n")
    return OK


def _tour(folder: Path, data: Path | None) -> Iterator[TourStop]:
    written, corrected = str(folder / AS_WRITTEN), str(folder / CORRECTED)
    yield TourStop("The plan as written in its document: what is wrong with it?", (("check", written),), ERRORS)
    yield TourStop("The corrected plan: its memory, time and cost.", (("check", corrected), ("estimate", corrected)))
    yield TourStop("Compiled into a SageMaker job and an endpoint.", (_compile(folder), _compile(folder, *ENDPOINT)))
    if _trains():
        title = "A rehearsal: the compiled command trains a few updates with two processes on this CPU."
        yield TourStop(title, ((*_rehearsal(folder), *_files(data)),))


def _compile(folder: Path, target: str = "sagemaker", *more: str) -> tuple[str, ...]:
    return "compile", str(folder / CORRECTED), "--target", target, "-o", str(folder / target), *more


def _rehearsal(folder: Path) -> tuple[str, ...]:
    return "smoke", str(folder / CORRECTED), "--ranks", "2", "-o", str(folder / "smoke")


def _trains() -> bool:
    from hbspec.cli.smoke import NEEDED

    return all(find_spec(name) is not None for name in NEEDED)


def _tell_the_rest(folder: Path) -> None:
    sys.stdout.write(
        "4. A rehearsal trains the compiled job for a few updates on this CPU, with a synthetic sample.\n"
        "   It needs PyTorch, which is not installed:\n\n"
        f"pip install 'hbspec[train]'\nhbspec {join(_rehearsal(folder))}\n\n"
    )


def _files(data: Path | None) -> Iterator[str]:
    """The options for a folder's files; without them, `hbspec smoke` makes a synthetic sample."""
    if data is not None and (data / "train.jsonl").is_file():
        for split in SPLITS:
            if (file := data / f"{split}.jsonl").is_file():
                yield from (f"--{split}", str(file))


def _copy(folder: Path) -> None:
    """Copy the specs; one that is there already stays if it is the same.

    Raises:
        MisuseError: another file has the name of one.
        OSError: the folder cannot be written.
    """
    from hbspec.cli.whole import write_file

    shipped = {folder / name: (specs() / name).read_bytes() for name in FILES}
    missing = [place for place in shipped if not place.exists()]
    for place in shipped:
        if place not in missing and place.read_bytes() != shipped[place]:
            raise MisuseError(f"{place} is not as the demo writes it, and is kept: name another folder with -o")
    folder.mkdir(parents=True, exist_ok=True)
    for place in missing:
        write_file(place, shipped[place], replace=False)


COMMAND = Command(
    "demo",
    "Take a tour: check, estimate and compile a real plan, and rehearse its job on this CPU.",
    run,
    (
        Parameter("output", "The folder to work in.", ("--output", "-o"), "DIR", default="hbspec-demo", convert=Path),
        Parameter(
            "data",
            "A folder with train.jsonl and validation.jsonl to rehearse on; a synthetic sample by default.",
            ("--data",),
            "DIR",
            convert=Path,
        ),
    ),
    "The rehearsal needs the extra `train`; without it, the tour ends before it. Exit code 0: each command ended as it "
    "should.",
)
