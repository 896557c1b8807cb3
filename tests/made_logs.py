"""Logs as the shipped script would print them on a GPU that is not here: its own lines, with made-up numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from hbspec.api import Estimates, estimate
from hbspec.watching import LogLine, WatchedLog, lines_of, watch_log
from hbspec.watching.lines import LogBlock

LOGS = Path(__file__).parent / "watching" / "logs"

_spec = spec_from_file_location("hbspec_template_metrics", Path(__file__).parents[1] / "templates" / "metrics.py")
assert _spec is not None
assert _spec.loader is not None
metrics = module_from_spec(_spec)
_spec.loader.exec_module(metrics)

SPEC: Mapping[str, Any] = {
    "hbspec": 1,
    "name": "bot",
    "model": {"id": "Qwen/Qwen2.5-0.5B"},
    "data": {"train": {"examples": 1000}, "tokens": {"mean": 300, "max": 300}},
    "instance": {
        "type": "ml.g5.xlarge",
        "region": "us-east-1",
        "parallelism": "single",
        "price": "1.408 USD/h",
        "max_runtime": "1h",
    },
    "hyperparameters": {
        "method": "lora",
        "learning_rate": 2e-4,
        "max_steps": 60,
        "per_device_batch_size": 2,
        "max_length": 512,
        "save_steps": 20,
    },
}
SETTINGS = {"MODEL_ID": "Qwen/Qwen2.5-0.5B", "METHOD": "lora", "LEARNING_RATE": 0.0002, "MAX_LENGTH": 512}
A10G = {"name": "NVIDIA A10G", "total_bytes": 23_600_000_000}
SOFTWARE = {"torch": "2.13.0", "transformers": "5.23.0", "trl": "1.16.0", "peft": "0.21.2"}


def run_line(**other: Any) -> str:
    """The line with which the job of `SPEC` begins to train."""
    values = {
        "job": None,
        "mark": "0123456789abcdef",
        "tiny": False,
        "settings": SETTINGS,
        "software": SOFTWARE,
        "updates": 60,
        "after": 0,
        "ranks": 1,
        "micro_batch": 2,
        "accumulation": 1,
        "gpus": [A10G],
    }
    return str(metrics.run({**values, **other}))


def update_line(step: int, **other: Any) -> str:
    """A metric line of training; a value of None leaves its field out."""
    values = {
        "loss": 3 - 0.01 * step,
        "grad_norm": 0.9,
        "learning_rate": 1e-4,
        "epoch": step / 500,
        "step_seconds": 0.15,
        "gpu_memory_bytes": 1_900_000_000,
        "gpu_peak_allocated_bytes": 1_225_000_000,
        "gpu_reserved_bytes": 1_310_000_000,
        "tokens": 600.0,
        "longest": 300,
        "unevenness": 1.0,
    }
    return str(metrics.line(step, {name: value for name, value in (values | other).items() if value is not None}))


def done_line(last: int, stopped_by: str | None = None, updates: int | None = None) -> str:
    """The line with which a start of the job ends."""
    count = updates if updates is not None else last
    return str(
        metrics.done({"updates": count, "last_step": last, "stopped_by": stopped_by, "examples_consumed": 2 * count})
    )


def whole_log(**other: Any) -> list[str]:
    """A job from its first line to its last."""
    return [run_line(), *(update_line(step, **other) for step in range(1, 61)), done_line(60)]


def stamped(lines: Iterable[str], start: int = 0, every: float = 1.0) -> Iterator[str]:
    """Lines with times, as `aws logs tail` prints them."""
    for number, line in enumerate(lines):
        seconds = start + number * every
        yield f"2026-12-01T10:{int(seconds // 60):02d}:{seconds % 60:06.3f}+00:00 algo-1 {line}"


def estimates_of(**sections: Any) -> Estimates:
    """The estimates of `SPEC` with other sections."""
    return estimate({**SPEC, **sections})


def parsed(text: str | bytes, chunk: int = 1 << 16) -> list[LogLine]:
    """The lines of a text that comes in chunks."""
    raw = text.encode() if isinstance(text, str) else text
    pieces = (raw[at : at + chunk] for at in range(0, len(raw), chunk))
    return [line for part in lines_of(pieces) for line in (part.lines() if isinstance(part, LogBlock) else [part])]


def seen(lines: Iterable[str] | bytes, estimates: Estimates | None = None) -> WatchedLog:
    """A log beside the estimates of `SPEC`."""
    raw = lines if isinstance(lines, bytes) else "".join(f"{line}\n" for line in lines).encode()
    return watch_log(estimates or estimates_of(), iter(parsed(raw)), "job.log")


def as_json(watched: WatchedLog) -> Any:
    """What `--format json` prints, read again; fails where JSON has no such number."""
    return json.loads(json.dumps(watched.to_dict(), allow_nan=False))
