"""Whether a log is of the job that a spec describes: what differs, each with both values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hbspec.analysis import Analysis
from hbspec.catalog.gpu_names import gpu_of_driver
from hbspec.diagnostics import NotKnownError
from hbspec.plan import Plan
from hbspec.plan.calibration import gpus_used
from hbspec.plan.shipped_script import WATCH
from hbspec.plan.training_job import DIGEST_LENGTH, author_name
from hbspec.targets.lowering.needs import LoweringError
from hbspec.watching.events import LoggedRun
from hbspec.watching.tally import LogTally

NAMED = re.compile(rf"(.+)-([0-9a-f]{{{DIGEST_LENGTH}}})(?:-\d{{1,3}})?")
"""The name of a training job: the author's, a digest, and the number of an attempt."""


def differences(analysis: Analysis, tally: LogTally) -> tuple[str, ...]:
    """Why the log is of another job than the spec; empty where nothing says so."""
    run, plan = tally.run, analysis.plan
    found = list(_of_run(analysis, run)) if run is not None else []
    planned = updates_of(plan)
    if (run is None or run.updates is None) and planned is not None and tally.top > planned:
        found.append(f"updates: the log reaches update {tally.top:,}, and the spec has {planned:,}")
    return tuple(found)


def notes_on_digest(analysis: Analysis, run: LoggedRun | None) -> Iterator[str]:
    """That the job was compiled from another state of the spec, or by another version; nothing where it was not."""
    found = NAMED.fullmatch(run.job) if run is not None and run.job else None
    if found is None or found[1] != author_name(analysis.spec):
        return
    own = compiled_digest(analysis)
    if own is None:
        yield f"the digest in the job's name ({found[2]}) is not compared: the spec cannot be compiled for SageMaker"
    elif own != found[2]:
        yield (
            f"the job's digest is {found[2]}, and that of the spec is {own}: the spec, its files or hbspec changed "
            "after the job was compiled"
        )


def compiled_digest(analysis: Analysis) -> str | None:
    """The digest in the name of the job that the spec compiles to; None where it does not compile."""
    from hbspec.targets.sagemaker import TARGET  # which only logs of SageMaker need

    try:
        found = NAMED.fullmatch(TARGET.lower(analysis).name)
    except (LoweringError, NotKnownError):
        return None
    return found[2] if found else None


def first_name(job: str) -> str:
    """The name of the first attempt of a job that hbspec has named; any other name as it is.

    >>> first_name("bot-0123456789ab-2"), first_name("bot-0123456789ab"), first_name("bot-2")
    ('bot-0123456789ab', 'bot-0123456789ab', 'bot-2')
    """
    found = NAMED.fullmatch(job)
    return f"{found[1]}-{found[2]}" if found else job


def updates_of(plan: Plan) -> int | None:
    """The planned updates; None where they are not known."""
    try:
        return plan.updates
    except NotKnownError:
        return None


def _of_run(analysis: Analysis, run: LoggedRun) -> Iterator[str]:
    plan, spec = analysis.plan, analysis.spec
    named = NAMED.fullmatch(run.job) if run.job else None
    if named is not None and named[1] != author_name(spec):
        yield f"name: the log is of {run.job}, and the spec's job is {author_name(spec)}"
    if run.tiny:
        yield "weights: the log is of a rehearsal with a tiny model (hbspec smoke)"
    pairs = (
        ("updates", run.updates, updates_of(plan)),
        ("processes", run.ranks, plan.processes),
        ("micro-batch", run.micro_batch, plan.training.micro_batch),
        ("gradient accumulation", run.accumulation, plan.training.gradient_accumulation),
    )
    for name, logged, planned in pairs:
        if logged is not None and planned is not None and logged != planned:
            yield f"{name}: {_shown(logged)} in the log, {_shown(planned)} in the spec"
    yield from _of_settings(analysis, run)
    yield from _of_gpus(analysis, run)


COUNTED = ("MAX_STEPS", "PER_DEVICE_BATCH_SIZE", "GRADIENT_ACCUMULATION_STEPS")
"""Settings that are compared as what the trainer makes of them."""
LONGEST_VALUE = 40


def _of_settings(analysis: Analysis, run: LoggedRun) -> Iterator[str]:
    """Settings of the script that the spec sets otherwise; those that it does not set are not compared."""
    if not run.settings:
        return
    from hbspec.targets.job.hyperparameters import hyperparameters  # which only such logs need

    wanted = {**hyperparameters(analysis), "METHOD": analysis.plan.training.method}
    for name, text in {**wanted, "PARALLELISM": analysis.plan.parallelism}.items():
        learned = name not in COUNTED and not name.startswith(WATCH)
        if learned and name in run.settings and not _same(run.settings[name], text):
            yield f"{name}: {str(run.settings[name])[:LONGEST_VALUE]} in the log, {text[:LONGEST_VALUE]} in the spec"


def _same(logged: Any, text: str) -> bool:
    """Whether a setting has the value that a spec spells."""
    if isinstance(logged, bool | list):
        return json.dumps(logged) == text or str(logged) == text
    if isinstance(logged, int | float):
        try:
            return float(text.replace("_", "")) == logged
        except ValueError:
            return False
    return str(logged) == text


def _of_gpus(analysis: Analysis, run: LoggedRun) -> Iterator[str]:
    hardware = analysis.plan.hardware
    if run.gpus is None or hardware is None:
        return
    if not run.gpus:
        yield f"hardware: the log is of a CPU, and the spec's is {hardware.gpu.name}"
        return
    name, total = run.gpus[0]
    called = gpu_of_driver(name, total, analysis.catalog.gpus)
    if called is not None and called.name != hardware.gpu.name:
        yield f"GPU: {called.name} in the log, {hardware.gpu.name} in the spec"
    used = gpus_used(analysis.plan)
    if used is not None and len(run.gpus) < used:
        yield f"GPUs of a host: {len(run.gpus)} in the log, {used} in the spec"


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
