"""What lines of a log say: the metric lines and messages of the shipped script (`templates/metrics.py`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, NamedTuple

from hbspec.watching.lines import LogLine

MARK = b"hbspec: "
"""What every line of the shipped script begins with."""
SAYS = "hbspec: step=12 loss=2.3456 grad_norm=0.91 … step_seconds=4.2"
"""A metric line in short, for messages."""

UPDATE = re.compile(
    rb"step=(\d{1,12}) loss=(\S+)(?: grad_norm=(\S+))?(?: learning_rate=(\S+))?(?: epoch=(\S+))?"
    rb"(?: step_seconds=(\S+))?(?: gpu_memory_bytes=(\d{1,18}))?(?: gpu_peak_allocated_bytes=(\d{1,18}))?"
    rb"(?: gpu_reserved_bytes=(\d{1,18}))?(?: tokens=(\S+))?(?: longest=(\d{1,12}))?(?: unevenness=(\S+))?\s*"
)
"""A metric line of training, after its mark, in the order in which the script writes it."""
EVALUATION = re.compile(rb"step=(\d{1,12}) eval_loss=(\S+)\s*")
RUN, DONE = b"run {", b"done {"
RESUMES = re.compile(rb"resumes from .*checkpoint-(\d{1,12})\s*")
STOPPED = re.compile(rb"stopped by (\w{1,20}) ")
STOPPED_KIND, OUT_OF_MEMORY, WAS_REFUSED = "stopped", "out of memory", "refused"
RAN_OUT = re.compile(rb"(?i)\bcuda (?:error: )?out of memory\b|\bOutOfMemoryError\b")
REFUSED = b"train.py: "


Raw = tuple[bytes | None, ...]
"""The fields of a metric line after its loss, as they are written, in the order of `UPDATE`; None where one is missing.

They are converted when they are needed: a log may hold a million such lines.
"""
GRADIENT, _, EPOCH, SECONDS, MEMORY, _, _, TOKENS, LONGEST_ROW, UNEVENNESS = range(10)
"""Where each field stands in `Raw`."""


class LoggedUpdate(NamedTuple):
    """A metric line of training: means since the line before it, in base units; None where it does not say.

    Attributes:
        gradient: norm before clipping.
        seconds: of one update, without evaluation and saving.
        raw: the other fields.
        fields: how far the line goes, in fields; a line that was cut off goes less far than others.
    """

    step: int
    loss: float
    gradient: float | None
    seconds: float | None
    raw: Raw
    fields: int


class LoggedEvaluation(NamedTuple):
    """An evaluation: its update and loss, and its seconds where they were written down."""

    step: int
    loss: float
    seconds: float | None = None


class LoggedRun(NamedTuple):
    """The line with which a start of a run begins to train.

    Attributes:
        job: the SageMaker job's name; None elsewhere.
        mark: digits that all starts of a run have in common.
        updates: of the whole run.
        after: the update from which it goes on; 0 for a run that begins.
        gpus: what PyTorch calls the GPUs of the first rank, with their bytes; empty on a CPU, None where not known.
        settings: of the script, by name, as JSON has them.
        tiny: whether it is a rehearsal with a tiny model.
    """

    job: str | None
    mark: str | None
    updates: int | None
    after: int
    ranks: int | None
    micro_batch: int | None
    accumulation: int | None
    gpus: tuple[tuple[str, int], ...] | None
    software: Mapping[str, str]
    settings: Mapping[str, Any]
    tiny: bool


class LoggedEnd(NamedTuple):
    """The line with which a start of a run ends: the last update, what stopped it if anything did, and examples."""

    last_step: int
    stopped_by: str | None
    updates: int
    examples: int | None


class LoggedResume(NamedTuple):
    """A start goes on from the checkpoint of an update."""

    step: int


class LoggedFailure(NamedTuple):
    """A line that says that the job ran out of memory, was refused, or was stopped."""

    kind: str
    text: str


class Broken(NamedTuple):
    """A metric line that cannot be read: it was cut off, or another one was written into it."""


Event = LoggedUpdate | LoggedEvaluation | LoggedRun | LoggedEnd | LoggedResume | LoggedFailure | Broken


def update_of(line: LogLine) -> LoggedUpdate | None:
    """The metric line of training that a line is; None for any other, which `events_of` reads."""
    at = line.text.find(MARK)
    if at < 0 or not line.whole:
        return None
    found = UPDATE.fullmatch(line.text, at + len(MARK))
    if found is None:
        return None
    groups = found.groups()
    raw = groups[2:]
    gradient, seconds = raw[GRADIENT], raw[SECONDS]
    try:
        return LoggedUpdate(
            int(groups[0]),
            float(groups[1]),
            None if gradient is None else float(gradient),
            None if seconds is None else float(seconds),
            raw,
            found.lastindex or 0,
        )
    except ValueError:
        return None


def says_something(text: bytes) -> bool:
    """Whether `events_of` may find something in a line."""
    return MARK in text or b"emory" in text or text.startswith(REFUSED)


def events_of(line: LogLine) -> Iterator[Event]:
    """What a line says; several things where ranks have written into one line, nothing for any other line."""
    text = line.text
    if MARK not in text:
        if not says_something(text):
            return
        if RAN_OUT.search(text):
            yield LoggedFailure(OUT_OF_MEMORY, shortened(text))
        elif text.startswith(REFUSED):
            yield LoggedFailure(WAS_REFUSED, shortened(text[len(REFUSED) :]))
        return
    for part in text.split(MARK)[1:]:
        event = _event(part, whole=line.whole)
        if event is not None:
            yield event


def _event(part: bytes, *, whole: bool) -> Event | None:
    if part.startswith(b"step="):
        return _metric(part) if whole else Broken()
    if part.startswith(RUN):
        return _run(_mapping(part[len(RUN) - 1 :]))
    if part.startswith(DONE):
        return _end(_mapping(part[len(DONE) - 1 :]))
    if found := RESUMES.fullmatch(part):
        return LoggedResume(int(found[1]))
    if found := STOPPED.match(part):
        return LoggedFailure(STOPPED_KIND, found[1].decode())
    return None


def _metric(part: bytes) -> Event:
    evaluated = EVALUATION.fullmatch(part)
    if evaluated is None:
        return update_of(LogLine(MARK + part)) or Broken()
    try:
        return LoggedEvaluation(int(evaluated[1]), float(evaluated[2]))
    except ValueError:
        return Broken()


def _mapping(text: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _run(values: Mapping[str, Any] | None) -> Event:
    if values is None:
        return Broken()
    gpus = values.get("gpus")
    software, settings = values.get("software"), values.get("settings")
    return LoggedRun(
        job=text_of(values.get("job")),
        mark=text_of(values.get("mark")),
        updates=whole_of(values.get("updates")),
        after=whole_of(values.get("after")) or 0,
        ranks=whole_of(values.get("ranks")),
        micro_batch=whole_of(values.get("micro_batch")),
        accumulation=whole_of(values.get("accumulation")),
        gpus=tuple(map(_gpu, gpus)) if isinstance(gpus, list) else None,
        software={str(name): str(version) for name, version in software.items()} if isinstance(software, dict) else {},
        settings=settings if isinstance(settings, dict) else {},
        tiny=values.get("tiny") is True,
    )


def _gpu(values: Any) -> tuple[str, int]:
    held = values if isinstance(values, dict) else {}
    return text_of(held.get("name")) or "", whole_of(held.get("total_bytes")) or 0


def _end(values: Mapping[str, Any] | None) -> Event:
    last = whole_of(values.get("last_step")) if values else None
    if values is None or last is None:
        return Broken()
    examples = whole_of(values.get("examples_consumed"))
    return LoggedEnd(last, text_of(values.get("stopped_by")), whole_of(values.get("updates")) or 0, examples)


LONGEST_SHOWN = 200


def text_of(value: Any) -> str | None:
    """A string, at most `LONGEST_SHOWN` characters of it; None for anything else."""
    return value[:LONGEST_SHOWN] if isinstance(value, str) else None


def whole_of(value: Any) -> int | None:
    """A natural number of at most 18 digits; None for anything else."""
    return value if type(value) is int and 0 <= value < 10**18 else None


def finite_of(value: Any) -> float | None:
    """A finite number; None for anything else."""
    return float(value) if type(value) in (int, float) and isfinite(value) else None


def shortened(text: bytes) -> str:
    """The beginning of a line as text."""
    return text[:LONGEST_SHOWN].decode(errors="replace").strip()
