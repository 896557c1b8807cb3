"""A measured job: what was seen beside what was predicted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hbspec.render.lines import Line
from hbspec.render.rows import Row, rows, section
from hbspec.source.excerpts import printable
from hbspec.units import Interval, bytes_text, interval_text, seconds_text, significant

if TYPE_CHECKING:
    from hbspec.measure import Measured

KINDS = ("allocated", "reserved", "process")
NOT_KNOWN = "not known on a CPU"


def measured_lines(measured: Measured, width: int | None = None) -> Iterator[Line]:
    """Where the job ran, its speed, its memory, and what it may be compared with."""
    record = measured.record
    found, predicted = record["found"], record["predicted"] or {}
    yield from section("Measured on", width, printable(_where(record)))
    yield from rows(_place(record), width)
    if found["ran_out"]:
        yield from section("Out of memory", width, printable(found["ran_out"]), "bad")
    else:
        yield from section("Speed", width)
        yield from rows(_speed(found, predicted), width)
    yield from section("Memory", width)
    yield from rows(_memory(found, predicted), width)


def _where(record: Mapping[str, Any]) -> str:
    names = record["place"]["named"]
    return f"{len(names)} x {record['place']['gpu']} ({names[0]})" if names else "the CPU"


def _place(record: Mapping[str, Any]) -> Iterator[Row]:
    place, software = record["place"], record["software"]
    if place["named"]:
        yield "driver", printable(place["driver"] or "not known"), f"CUDA {place['cuda']}" if place["cuda"] else ""
    yield "libraries", ", ".join(f"{name} {version}" for name, version in software.items()), ""
    rows_of = record["rows"]
    longest = f"longest {rows_of['longest']:,}"
    yield "tokens of a micro-batch", significant(rows_of["tokens"]), longest
    yield (
        "updates",
        f"{len(record['found']['updates'])} timed",
        f"after {record['found']['warm_up_updates']} to warm up",
    )


def _speed(found: Mapping[str, Any], predicted: Mapping[str, Any]) -> Iterator[Row]:
    seconds = [update["seconds"] for update in found["updates"]]
    ends = f"{seconds_text(min(seconds))} to {seconds_text(max(seconds))}"
    mean = f"{seconds_text(sum(seconds) / len(seconds))} ({ends})"
    yield "one update", mean, _said(predicted.get("step_seconds"), seconds_text)
    rate = predicted.get("tokens_per_second_per_gpu")
    yield "tokens per second per GPU", significant(found["tokens_per_second_per_gpu"]), _said(rate, significant)


def _memory(found: Mapping[str, Any], predicted: Mapping[str, Any]) -> Iterator[Row]:
    if not found["devices"]:
        yield "GPU memory", NOT_KNOWN, ""
    by_index = {device["index"]: device for device in predicted.get("devices") or ()}
    for device in found["devices"]:
        foreseen = by_index.get(device["index"], {})
        for kind in KINDS:
            size = bytes_text(device[f"{kind}_bytes"])
            yield f"GPU {device['index']} {kind}", size, _said(foreseen.get(f"{kind}_bytes"), bytes_text)
        if device["others_bytes"]:
            yield f"GPU {device['index']} others", bytes_text(device["others_bytes"]), "held before the job started"
    yield "host, largest process", bytes_text(found["host_bytes"]), ""


def _said(interval: Mapping[str, float] | None, text: Callable[[float], str]) -> str:
    """What was predicted, in words."""
    if interval is None:
        return "nothing is predicted for a CPU" if text is not bytes_text else ""
    return f"predicted: {interval_text(Interval(interval['low'], interval['expected'], interval['high']), text)}"
