"""The calibration record of a job, from its log: in the form of `hbspec measure`, as far as the log holds it.

Speed needs lines of single updates with the tokens computed in them. Memory needs one GPU, and rows of one length: in
another order rows of different lengths may reserve more than was reserved here, which `hbspec measure` provokes and a
real job does not. The first updates of each start, and all but the last `KEPT_UPDATES`, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from hbspec import __version__
from hbspec.api import Estimates
from hbspec.catalog.gpu_names import gpu_of_driver
from hbspec.plan import Plan
from hbspec.plan.calibration import conditions_of, gpus_used, longest_row
from hbspec.plan.measurement_file import (
    DIGEST,
    FEWEST_UPDATES,
    FORMAT,
    MOST_BYTES,
    VERSION,
    digest_of,
    read_measurement,
)
from hbspec.watching.events import LONGEST_ROW, TOKENS, UNEVENNESS, Raw
from hbspec.watching.tally import WARM_UP, LogTally
from hbspec.watching.watched import WatchedLog

SHIPPED = True
"""Only the shipped script prints what a record needs."""
UNEVEN = (
    "memory: rows differ in length, and in another order the allocator may reserve more (`hbspec measure` tries the "
    "order in which it reserves most)"
)


class Recorded(NamedTuple):
    """A record, or None where the log lacks what every record needs; and all that is lacking."""

    values: Mapping[str, Any] | None
    lacking: tuple[str, ...]


def recorded(estimates: Estimates, watched: WatchedLog) -> Recorded:
    """The calibration record of a log, in the form that `calibration.record` names.

    Args:
        estimates: of the spec, which says under what conditions the job ran.
        watched: the log beside them.
    """
    lacking = tuple(_why_not(estimates, watched))
    run = watched.tally.run
    if lacking or run is None or not run.gpus:
        return Recorded(None, lacking)
    plan, timed = estimates.plan, _updates(watched.tally)
    without = tuple(_why_no_memory(plan, watched.tally))
    name, total = run.gpus[0]
    gpu = gpu_of_driver(name, total, estimates.analysis.catalog.gpus)
    called = gpu.name if gpu is not None else name
    rows = _rows(plan, timed)
    record: dict[str, Any] = {
        FORMAT: VERSION,
        "hbspec": __version__,
        "day": _day(watched.tally).isoformat(),
        "model": plan.model,
        "place": {"gpu": called, "named": [gpu for gpu, _ in run.gpus], "driver": None, "cuda": None},
        "software": dict(run.software),
        "conditions": conditions_of(plan, shipped=SHIPPED, gpu=called),
        "rows": {**rows, "alike": watched.tally.alike},
        "found": {
            "ran_out": None,
            "warm_up_updates": WARM_UP,
            "updates": timed,
            "tokens_per_second_per_gpu": None,
            "devices": [] if without else [_device(watched.tally, total)],
            "host_bytes": None,
        },
        "predicted": None,
    }
    values = {**record, DIGEST: digest_of(record)}
    try:
        read_measurement(values)  # the form has one judge
    except ValueError as reason:
        return Recorded(None, (str(reason),))
    return Recorded(values, without)


def _why_not(estimates: Estimates, watched: WatchedLog) -> Iterator[str]:
    """What every record needs, and the log does not hold."""
    tally, run = watched.tally, watched.tally.run
    yield from (f"the log is of another job: {text}" for text in watched.differences)
    if run is None or not run.software or not run.settings:
        yield "the line `hbspec: run {…}` with the settings, the GPUs and the libraries of the run"
    elif not run.gpus:
        yield "a GPU: the job ran on a CPU"
    if not estimates.analysis.spec.shipped:
        yield "the shipped script: the spec names its own"
    if tally.grouped:
        yield "single updates: metric lines are means of several (set hyperparameters.logging_steps to 1)"
    if tally.pace.updates and not tally.timed and not tally.grouped:
        yield "the tokens computed in an update (`tokens=`), or updates after the first ones of a start"
    elif len(tally.timed) < FEWEST_UPDATES and not tally.grouped:
        yield f"at least {FEWEST_UPDATES} timed updates after {WARM_UP} to warm up: it holds {len(tally.timed)}"
    if any(not _is_whole(update.raw) for update in tally.timed):
        yield "numbers of tokens that can be read"


def _is_whole(raw: Raw) -> bool:
    """Whether the fields on the rows are numbers that a measurement has."""
    try:
        tokens, longest, unevenness = (float(raw[at] or 0) for at in (TOKENS, LONGEST_ROW, UNEVENNESS))
    except ValueError:
        return False
    return 0 < tokens < MOST_BYTES and 0 < longest <= tokens and 1 - 1e-4 <= unevenness < MOST_BYTES


def _why_no_memory(plan: Plan, tally: LogTally) -> Iterator[str]:
    """Why the memory of GPUs is not recorded, though speed is."""
    if not (tally.memory and tally.allocated and tally.reserved):
        yield "memory: the log does not hold what is in use, allocated and reserved"
    elif gpus_used(plan) != 1:
        yield f"memory: the log holds the fullest GPU only, and the job uses {gpus_used(plan)} of a host"
    if not tally.alike:
        yield UNEVEN
    elif tally.timed and int(tally.timed[-1].raw[LONGEST_ROW] or 0) != longest_row(plan):
        longest = int(tally.timed[-1].raw[LONGEST_ROW] or 0)
        yield f"memory: rows have {longest:,} tokens, and those of the spec up to {longest_row(plan):,}"


def _updates(tally: LogTally) -> list[dict[str, float]]:
    return [
        {
            "seconds": update.seconds,
            "tokens": float(update.raw[TOKENS] or 0),
            "longest": int(update.raw[LONGEST_ROW] or 0),
            "unevenness": float(update.raw[UNEVENNESS] or 0),
        }
        for update in tally.timed
    ]


def _rows(plan: Plan, timed: Sequence[dict[str, float]]) -> dict[str, float]:
    """The rows of the timed updates.

    An update's mean square is its unevenness x the square of its mean, and all updates have as many rows: so the
    unevenness of all is their number x the sum of these squares over the square of the sum of the means.
    """
    unevenness = [update.pop("unevenness") for update in timed]
    tokens = [update["tokens"] for update in timed]
    squares = sum(one * held**2 for one, held in zip(unevenness, tokens, strict=True))
    whole = sum(tokens)
    return {
        "longest": int(max(update["longest"] for update in timed)),
        "tokens": whole / (len(timed) * plan.training.gradient_accumulation),
        "unevenness": 1.0 if plan.training.packing else max(1.0, len(timed) * squares / whole**2),
    }


def _device(tally: LogTally, total: int) -> dict[str, int | None]:
    """The one GPU of the job; what others held of it before is not known."""
    return {
        "index": 0,
        "total_bytes": total,
        "allocated_bytes": tally.allocated,
        "reserved_bytes": tally.reserved,
        "process_bytes": max(tally.memory, tally.reserved),
        "others_bytes": None,
    }


def _day(tally: LogTally) -> date:
    """The day of the last line; today where lines have no times."""
    if tally.clock.last is not None:
        return datetime.fromtimestamp(tally.clock.last, UTC).date()
    return date.today()  # noqa: DTZ011 - a calendar day, where the user is
