"""One case through the whole program, and many of them in processes of their own, each with a watchdog."""

from __future__ import annotations

import faulthandler
import io
import json
import os
import shutil
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any

from fuzz_mutations import Case, case
from fuzz_trees import ROOT

from hbspec.analysis import Analysis
from hbspec.api import Estimates, InvalidSpecError, check, compile_spec, estimate
from hbspec.diagnostics import Report
from hbspec.render.report import report_lines
from hbspec.rules.engine import place
from hbspec.source.excerpts import printable
from hbspec.targets import names, target_of
from hbspec.targets.lowering.artifact import Artifact
from hbspec.targets.lowering.needs import LoweringError

WATCHDOG = 60
"""Seconds of the processor after which one call of the program hangs; a search for better plans takes up to 12."""
STANDSTILL = 600
"""Seconds after which a case that does nothing ends the process."""
TODAY = date(2026, 11, 22)
SHOWN = 3000


class HungError(BaseException):
    """No `Exception`, so that nothing on the way takes it for one of its own."""


def judge(one: Case, begin: Callable[[], None], *, thorough: bool, searched: bool) -> list[str]:
    """What the program did that it must never do; files that the spec names lie in the working folder.

    Args:
        one: the case.
        begin: is called before each call of the program.
        thorough: estimate and compile it too, whatever the check says of it.
        searched: search for better plans where it is estimated.
    """
    problems: list[str] = []

    def given() -> dict[str, Any]:
        begin()
        if not isinstance(one.spec, bytes):
            return {"spec": one.spec}
        return {"spec": "-", "stdin": io.TextIOWrapper(io.BytesIO(one.spec), encoding="utf-8")}

    report = check(**given(), as_of=TODAY)
    problems += _unfit(report)
    if not thorough:
        return problems
    try:
        estimates = estimate(**given())
    except InvalidSpecError as invalid:
        problems += _unfit(invalid.report)
        if report.ok or invalid.report.ok:
            problems.append("a spec without errors was not estimated")
    else:
        if not isinstance(estimates, Estimates):
            problems.append(f"estimate returned {type(estimates)}")
        if not searched:
            vars(estimates)["advice"] = None
        begin()
        json.dumps(estimates.to_dict(), allow_nan=False)
        for target in names():
            begin()
            problems += _unfit_files(target, lambda name=target: _lowered(estimates.analysis, name, report.ok))
    # what comes before the target is the same for each, so each case takes one of them that way
    whole = names()[one.number % len(names())]
    return problems + _unfit_files(whole, lambda: compile_spec(**given(), target=whole, force=True))


def _lowered(analysis: Analysis, target: str, ok: bool) -> list[Artifact]:
    """What a target makes of an analysis, as where a spec is compiled."""
    try:
        return target_of(target).compiled(analysis, forced=not ok)
    except LoweringError as refused:
        raise InvalidSpecError(place(analysis.document, refused.findings)) from refused


def _unfit_files(target: str, compiled: Callable[[], list[Artifact]]) -> list[str]:
    """What is wrong with the files of a target, or with the report that refuses them."""
    try:
        artifacts = compiled()
    except InvalidSpecError as invalid:
        refused = [f"{target} was refused without an error"] if invalid.report.ok else []
        return _unfit(invalid.report) + refused
    files = bool(artifacts) and all(isinstance(entry, Artifact) for entry in artifacts)
    return [] if files else [f"{target} compiled to {artifacts!r:.200}"]


def _unfit(report: Report) -> list[str]:
    """What is wrong with a report: not printable, or an entry without a text, a place off its file, a control code."""
    if not isinstance(report, Report):
        return [f"no report but {type(report)}"]
    json.dumps(report.to_dict(), allow_nan=False)
    problems = []
    for line in report_lines(report, 100):
        text = "".join(segment for _, segment in line)
        if text != printable(text):
            problems.append(f"a line would reach the terminal with a control code: {text!r:.300}")
    for entry in report.diagnostics:
        if not (entry.code and entry.name and entry.message and entry.help):
            problems.append(f"a diagnostic lacks a text: {entry!r:.300}")
        if entry.span and not (entry.span.start.line, entry.span.start.column) >= (1, 1):
            problems.append(f"a span begins at {entry.span.start}")
        if entry.span and entry.span.end < entry.span.start:
            problems.append(f"a span ends before it begins: {entry.span}")
    return problems


def run(kind: str, numbers: Sequence[int], thorough_every: int, searched_every: int) -> list[str]:
    """Judges cases in a folder of their own; returns a text for each that failed. For a worker process."""
    every = {"thorough": thorough_every, "searched": searched_every}

    def judged(one: Case, begin: Callable[[], None]) -> list[str]:
        return judge(one, begin, **{name: one.number % every[name] == 0 for name in every})

    return run_each(kind, numbers, judged)


def run_each(kind: str, numbers: Sequence[int], judged: Callable[[Case, Callable[[], None]], list[str]]) -> list[str]:
    """The same with another judge."""
    with _folder(), _watched() as watch:
        return [text for number in numbers for text in _one(case(kind, number), judged, watch)]


def _one(one: Case, judged: Callable[[Case, Callable[[], None]], list[str]], watch: Any) -> Iterator[str]:
    for name, content in one.files.items():
        Path(name).write_text(content, encoding="utf-8")
    faulthandler.dump_traceback_later(STANDSTILL, exit=True)
    try:
        problems = judged(one, lambda: watch(True))
    except HungError:
        problems = [f"it took more than {WATCHDOG} s of the processor:\n{traceback.format_exc()}"]
    except Exception:
        problems = [traceback.format_exc()]
    finally:
        watch(False)
        faulthandler.cancel_dump_traceback_later()
    for problem in problems:
        files = "\n".join(f"{name}: {content}" for name, content in one.files.items())
        yield f"case({one.kind!r}, {one.number}):\n{problem[-SHOWN:]}\n{one.text[:SHOWN]}\n{files}"


@contextmanager
def _folder() -> Iterator[None]:
    """A project with what the valid specs name, so that nothing outside it can be read."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("pyproject.toml").touch()
        Path("src").mkdir()
        Path("src/train.py").write_text("print('training')\n")
        for profile in (ROOT / "specs").glob("*.json"):
            shutil.copy(profile, folder)
        try:
            yield
        finally:
            os.chdir(before)


@contextmanager
def _watched() -> Iterator[Any]:
    """Starts and stops the watchdog; one that waits in C, where no exception reaches, ends the process."""

    def hung(number: int, frame: FrameType | None) -> None:
        raise HungError

    def watch(on: bool) -> None:
        signal.setitimer(signal.ITIMER_PROF, WATCHDOG if on else 0)

    before = signal.signal(signal.SIGPROF, hung)
    try:
        yield watch
    finally:
        signal.signal(signal.SIGPROF, before)
