"""The compiled job as it is measured: its folder, its command line, and its run."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from hbspec.analysis import Analysis
from hbspec.measure.observer import FOLDER, RAN_OUT, SNAPSHOT
from hbspec.measure.rows import Schedule, lines
from hbspec.plan.tasks import TASKS
from hbspec.targets.job.data_settings import OF_DATA
from hbspec.targets.job.invocation import invocation
from hbspec.targets.lowering.artifact import Artifact

LOG = "log.txt"
OBSERVER = "observer.py"
GRACE_SECONDS = 5
"""From the end of one rank to that of the others."""
POLL_SECONDS = 0.05
SHOWN_LINES = 3
"""Last lines of a failed job's log that its error quotes."""
PR_SET_PDEATHSIG = 1
"""https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html"""


class JobFailedError(RuntimeError):
    """A measured job that did not train as many updates as it was given; the message says why, and where its log is."""


class Ran(NamedTuple):
    """What a job's ranks wrote down, in the order of the ranks."""

    ranks: tuple[Mapping[str, Any], ...]

    @property
    def ran_out(self) -> str | None:
        """Where the first rank that ran out of GPU memory did so; None where none did."""
        return next((rank["ran_out"] for rank in self.ranks if rank["ran_out"]), None)


def write_job(artifacts: Sequence[Artifact], given: Schedule, folder: Path, kind: str) -> None:
    """Write the compiled job, the observer, and data of a type.

    New adapters take what those take that a job goes on from.
    """
    for artifact in artifacts:
        path = folder / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(artifact.content)
    settings = folder / "hyperparameters.json"
    kept = {name: value for name, value in json.loads(settings.read_bytes()).items() if not name.startswith("ADAPTER")}
    settings.write_text(json.dumps(kept), encoding="utf-8")
    (folder / "source" / OBSERVER).write_bytes(Path(__file__).with_name(OBSERVER).read_bytes())
    for name, lengths in (("train", given.lengths), ("validation", given.validation)):
        if lengths:
            (folder / name).mkdir()
            (folder / name / "data.jsonl").write_text(lines(lengths, kind), encoding="utf-8")
    (folder / "observed").mkdir()


def command(analysis: Analysis, given: Schedule, folder: Path, ranks: int) -> list[str]:
    """The words that start the job: those of its `launch.sh`, with the observer in the place of the script."""
    call, source = invocation(analysis), folder / "source"
    launcher = [str(source / call.launcher), "--nproc_per_node", str(ranks), "--grace", str(GRACE_SECONDS)]
    folders = {
        "--config-dir": folder,
        "--base-dir": folder / "base",
        "--train-dir": folder / "train",
        "--validation-dir": folder / "validation",
        "--checkpoint-dir": folder / "checkpoints",
        "--model-dir": folder / "model",
        "--output-data-dir": folder / "output",
    }
    every = str(given.updates)
    settings = ["--max-updates", every, "--LOGGING_STEPS", "1", "--SAVE_STEPS", every]
    settings += ["--EVAL_STEPS", every] if analysis.plan.training.eval_steps and given.validation else []
    settings += ["--DATA_TYPE", kind_of(analysis)]
    named = [str(word) for pair in folders.items() for word in pair]
    return [
        sys.executable,
        *(launcher if call.distributed else ()),
        str(source / OBSERVER),
        *_without_data(call.arguments),
        *named,
        *settings,
    ]


def kind_of(analysis: Analysis) -> str:
    """The dataset type of a measured job: the first that its task trains."""
    return TASKS[analysis.spec.task].types[0]


def _without_data(arguments: Sequence[str]) -> list[str]:
    """The words of a job without those of its data: a measured job has conversations of its own."""
    pairs = zip(arguments[::2], arguments[1::2], strict=True)
    return [word for name, value in pairs if not name.startswith(OF_DATA) for word in (name, value)]


def run(
    words: Sequence[str],
    folder: Path,
    ranks: int,
    updates: int,
    environment: Mapping[str, str],
    *,
    limit: float | None = None,
    snapshot: Path | None = None,
) -> Ran:
    """Run the job to its end, and read what its ranks wrote down. Whatever ends this process ends the job.

    Args:
        words: the command line.
        folder: the job's.
        ranks: how many processes write down what they see.
        updates: how many each of them should train.
        environment: variables beside those of this process.
        limit: seconds after which the job is stopped; None for any time.
        snapshot: a file for the history of the first rank's allocator, if it is wanted.

    Raises:
        JobFailedError: the job failed for another reason than GPU memory, took longer than the limit, or trained fewer
            updates.
    """
    log = folder / LOG
    more = {"PYTHONPATH": str(folder / "source"), FOLDER: str(folder / "observed"), "HF_HUB_OFFLINE": "1"}
    more |= {SNAPSHOT: str(snapshot)} if snapshot else {}
    with log.open("wb") as output:
        job = subprocess.Popen(  # noqa: S603 - hbspec's script, in a folder that hbspec wrote
            words,
            env={**os.environ, **more, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=_die_with_parent(),
        )
        try:
            code = _wait(job, limit)
        finally:
            _end(job)
    found = _observed(folder, ranks)
    if found is not None and found.ran_out is not None and code == RAN_OUT:
        return found
    if code is None:
        raise JobFailedError(f"the job took longer than {limit:g} s; its log is {log}")
    if code:
        raise JobFailedError(f"the job ended {_how(code)}; its log is {log}{_last_lines(log)}")
    trained = 0 if found is None else min(len(rank["updates"]) for rank in found.ranks)
    if found is None or trained != updates:
        raise JobFailedError(f"the job trained {trained} of {updates} updates; its log is {log}{_last_lines(log)}")
    return found


def _wait(job: subprocess.Popen[bytes], limit: float | None) -> int | None:
    """The job's exit code; None if it still runs at the limit."""
    try:
        return job.wait(limit)
    except subprocess.TimeoutExpired:
        return None


def _end(job: subprocess.Popen[bytes]) -> None:
    """Kill what still runs of the job: its group, and with a launcher the ranks, which die with it."""
    if job.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)
        job.wait()
        time.sleep(POLL_SECONDS)


def _observed(folder: Path, ranks: int) -> Ran | None:
    """What the ranks wrote down; None where one of them has written nothing."""
    files = [folder / "observed" / f"rank-{rank}.json" for rank in range(ranks)]
    written = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.is_file()]
    if len(written) == ranks or any(rank["ran_out"] for rank in written):
        return Ran(tuple(written))
    return None


def _how(code: int) -> str:
    number = -code if code < 0 else code - 128
    if number == signal.SIGKILL:
        return "by SIGKILL, as where the host's memory is too small"
    return f"with exit code {code}"


def _last_lines(log: Path) -> str:
    """The end of a log, below the message."""
    text = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "".join(f"\n  {line[:200]}" for line in text[-SHOWN_LINES:])


def _die_with_parent() -> Callable[[], None] | None:
    """What the job's process runs first, so that the kernel kills it when this process dies; None but on Linux."""
    if sys.platform != "linux":
        return None
    parent, prctl = os.getpid(), ctypes.CDLL(None).prctl

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return bind
