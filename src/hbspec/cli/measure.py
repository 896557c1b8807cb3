"""`hbspec measure`: run the compiled job on the GPUs at hand, and record what it takes beside what was predicted."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from hbspec.cli.command import Command, MisuseError, Parameter
from hbspec.cli.exit_codes import ERRORS, OK, TERMINATED, UNUSABLE
from hbspec.cli.model_config import model_config
from hbspec.cli.options import SET, format_of, positive
from hbspec.cli.places import default_folder, settled

if TYPE_CHECKING:
    from hbspec.measure import Measured

NEEDED = ("torch", "transformers", "peft", "trl", "datasets")
SUFFIX = ".measured.json"
FEWEST = 3
"""Timed updates, fewer of which show no spread."""
REFUSAL = "without a config that transformers builds: set model.config to the config.json that it was recorded from"


class TerminatedError(Exception):
    """SIGTERM came."""


def run(
    spec: str,
    output: Path | None,
    updates: int,
    on_cpu: bool,
    work: Path | None,
    format: str,  # noqa: A002 - the option's name
    overrides: Sequence[str],
    force: bool,
) -> int:
    """Measure, print what was seen, and write the record; return the exit code."""
    if spec == "-":
        raise MisuseError("measure reads the spec several times: give the path of a file")
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise MisuseError(f"measure trains a model and needs {', '.join(missing)}: pip install 'hbspec[train]'")
    from hbspec.api import InvalidSpecError, estimate
    from hbspec.cli.outcome import refuse
    from hbspec.cli.work_folder import work_folder
    from hbspec.measure import MeasureError, measure
    from hbspec.measure.job import LOG

    try:
        plan = estimate(spec, overrides=overrides).plan
        place = _place(output, plan.name, force=force)
        config = model_config(spec, overrides, REFUSAL)
        where = settled(work) if work else default_folder(plan.name, "measure")
        with _ended_by_sigterm(), work_folder(where, LOG, MeasureError) as folder:
            measured = measure(
                spec, folder, config=config, updates=updates, on_cpu=on_cpu, overrides=overrides, say=_said
            )
            _finish(measured, place, format, force=force)
    except InvalidSpecError as invalid:
        return refuse(invalid.report)
    except MeasureError as reason:
        _said(str(reason))
        return UNUSABLE if reason.misuse else ERRORS
    except TerminatedError:
        return TERMINATED
    return OK


def _finish(measured: Measured, place: Path, format: str, *, force: bool) -> None:  # noqa: A002 - as in `--format`
    """Write the record, whole or not at all, and print what was seen."""
    from hbspec.cli.whole import write_file
    from hbspec.render.plain_json import json_text

    text = json_text(dict(measured.record))
    write_file(place, text.encode(), replace=force)
    if format == "json":
        sys.stdout.write(text)
        return
    from hbspec.render.measured import measured_lines
    from hbspec.render.paint import columns, write

    write(measured_lines(measured, columns()), sys.stdout)
    write(((), (("", f"{place}: the record"),), (("", f"next: {_next(measured.record, place)}"),)), sys.stdout)


def _next(record: Mapping[str, Any], place: Path) -> str:
    if not record["found"]["devices"]:
        return "measure on a GPU: a record of a CPU calibrates no estimate"
    return f"set calibration.record to ./{place.name} in a spec beside it"


def _place(output: Path | None, name: str, *, force: bool) -> Path:
    """Where the record goes; whatever is wrong with that is said before anything is measured."""
    place = output or Path(f"{default_folder(name, 'measure').parent.name}{SUFFIX}")
    if place.exists() and not force:
        raise MisuseError(f"{place} exists; give --force to replace it, or --output another name")
    if place.is_dir() or not place.parent.is_dir():
        raise MisuseError(f"{place} is a folder, or the folder that it is to be in does not exist")
    return place


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends what is under way as Ctrl-C does, so that nothing half done is left."""

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not end the cleaning up
        raise TerminatedError

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _said(text: str) -> None:
    from hbspec.render.paint import write

    write(((("", f"hbspec: {text}"),),), sys.stderr)


def _updates(text: str) -> int:
    """The number of timed updates that a word spells."""
    number = positive(text)
    if number < FEWEST:
        raise ValueError(f"a spread needs at least {FEWEST}")
    return number


COMMAND = Command(
    "measure",
    "Run the compiled job on the GPUs at hand for a few updates, and record what it takes.",
    run,
    (
        Parameter("spec", "The file of the spec to measure.", metavar="SPEC", required=True),
        Parameter("output", f"The record to write; NAME{SUFFIX} by default.", ("--output", "-o"), "FILE", convert=Path),
        Parameter(
            "updates",
            "Timed updates, after some to warm up; more if rows differ in length.",
            ("--updates",),
            "N",
            "5",
            _updates,
        ),
        Parameter("on_cpu", "Measure this machine's CPU, which says nothing about a GPU.", ("--on-cpu",), switch=True),
        Parameter(
            "work",
            "The folder for weights and data while it runs; build/NAME/measure by default.",
            ("--work",),
            "DIR",
            convert=Path,
        ),
        format_of("text", "json"),
        SET,
        Parameter("force", "Replace the record if it exists.", ("--force",), switch=True),
    ),
    "Random weights of the real architecture, and rows with the lengths of the profile. Exit code 0: the record is "
    "written, also of a job that ran out of GPU memory; 1: the job failed otherwise; 2: no GPU, or too little "
    "disk; 130 and 143: interrupted, and nothing is written. Needs the extra `train`.",
)
