"""`trainer_state.json`, which transformers writes into each checkpoint, as the events that a log would hold.

It has the losses, but neither the seconds of an update nor memory. Source: transformers 5.23.0, `TrainerState`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import nan
from pathlib import Path
from typing import Any

from hbspec.watching.events import Event, LoggedEvaluation, LoggedRun, LoggedUpdate, finite_of, whole_of
from hbspec.watching.lines import NotALogError

MOST_BYTES = 512 << 20
"""Of a file that is read as one; a state has some 250 bytes for each metric line."""
HISTORY = "log_history"


def is_state(path: Path) -> bool:
    """Whether a file looks like one JSON document, and not like a log.

    Raises:
        OSError: it cannot be read.
    """
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(64).lstrip()[:1] == b"{" and path.suffix == ".json"


def read_state(path: Path) -> Mapping[str, Any]:
    """The content of a `trainer_state.json`.

    Raises:
        NotALogError: it is another file; the message says what is wrong with it.
        OSError: it cannot be read.
    """
    if path.stat().st_size > MOST_BYTES:
        raise NotALogError(f"is larger than {MOST_BYTES >> 20} MiB, more than any trainer_state.json")
    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise NotALogError("is not JSON: it was cut off, or is another file") from None
    if not isinstance(values, dict) or not isinstance(values.get(HISTORY), list):
        raise NotALogError(f"is not a trainer_state.json: it has no list `{HISTORY}`")
    return values


def events_of_state(values: Mapping[str, Any]) -> Iterator[Event]:
    """The run, and each update and evaluation that was logged; entries of another form are passed over."""
    yield LoggedRun(
        job=None,
        mark=None,
        updates=whole_of(values.get("max_steps")) or None,
        after=0,
        ranks=None,
        micro_batch=whole_of(values.get("train_batch_size")) or None,
        accumulation=None,
        gpus=None,
        software={},
        settings={},
        tiny=False,
    )
    for entry in values[HISTORY]:
        step = whole_of(entry.get("step")) if isinstance(entry, dict) else None
        if step is None:
            continue
        if "loss" in entry:
            gradient = entry.get("grad_norm")
            norm = None if gradient is None else _number(gradient)
            yield LoggedUpdate(step, _number(entry["loss"]), norm, None, (), 0)
        elif "eval_loss" in entry:
            yield LoggedEvaluation(step, _number(entry["eval_loss"]), finite_of(entry.get("eval_runtime")))


def runtime_of(values: Mapping[str, Any]) -> float | None:
    """Seconds of training with evaluations and saves, which the state has once training has ended; else None."""
    last = values[HISTORY][-1] if values[HISTORY] else None
    return finite_of(last.get("train_runtime")) if isinstance(last, dict) else None


def _number(value: Any) -> float:
    """A number; NaN for anything else, as a loss that is not a number is written."""
    return float(value) if type(value) in (int, float) and abs(value) < 1e300 else nan
