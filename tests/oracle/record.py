"""Traces kept as data, with the versions that made them."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from oracle.case import Case, parse

PATH = Path(__file__).with_name("traces.json")
PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "trl")
UNSTABLE = "seconds"
"""The one value that two traces of a case do not share."""


def versions() -> dict[str, str]:
    """The installed versions of what a trace depends on."""
    return {name: version(name).partition("+")[0] for name in PACKAGES}


@cache
def recorded() -> tuple[dict[str, str], dict[Case, dict[str, Any]]]:
    """The versions and the traces in the file; nothing before there is one."""
    if not PATH.exists():
        return {}, {}
    held = json.loads(PATH.read_text())
    return held["versions"], {parse(text): entry for text, entry in held["cases"].items()}


def trace_of(case: Case, *, real: bool = False) -> dict[str, Any]:
    """What is kept of a trace.

    `peaks` are bytes by phase, `at` the operation and module of the overall peak, `static` bytes before the step by
    kind, `saved` and `gradients` bytes beyond those after the forward and the backward pass, `flops` by side.
    """
    from oracle.show import peak_op
    from oracle.step import PHASES, traced

    found = traced(case, real=real)
    peaks = {phase: found.trace.peaks[phase][0] for phase in PHASES if phase in found.trace.peaks}
    highest = max(peaks, key=lambda phase: peaks[phase])
    return {
        "peak": peaks[highest],
        "at": f"{highest}: {peak_op(found.trace, highest)}",
        "peaks": peaks,
        "static": dict(sorted(found.static.items())),
        "saved": found.saved,
        "gradients": found.gradients,
        "trained": found.trained,
        "flops": found.trace.flops,
        UNSTABLE: found.seconds,
    }


def stable(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry without what differs from run to run."""
    return {key: value for key, value in entry.items() if key != UNSTABLE}


def trace_all(cases: Sequence[Case], processes: int) -> Iterator[tuple[Case, dict[str, Any] | str]]:
    """Traces cases in several processes as they are done; a text is why a case could not be built or run."""
    with multiprocessing.get_context("spawn").Pool(processes, _quietly) as pool:
        yield from pool.imap_unordered(_traced, cases)


def write(entries: Iterable[tuple[Case, dict[str, Any]]]) -> None:
    """Replaces the file: one line a case."""
    lines = [f"{json.dumps(case.text)}: {json.dumps(entry, separators=(',', ':'))}" for case, entry in entries]
    body = ",\n".join(lines)
    PATH.write_text(f'{{"versions": {json.dumps(versions())},\n"cases": {{\n{body}\n}}}}\n')


def _traced(case: Case) -> tuple[Case, dict[str, Any] | str]:
    try:
        return case, trace_of(case)
    except Exception as refused:
        return case, f"{type(refused).__name__}: {refused}"


def _quietly() -> None:
    import warnings

    import torch

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
