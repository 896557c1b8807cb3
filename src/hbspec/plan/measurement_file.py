"""Reads the record of a measurement from its JSON document, and names any defect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from itertools import pairwise
from typing import Any

from hbspec.plan.measurement import MeasuredDevice, MeasuredRows, MeasuredUpdate, Measurement
from hbspec.showing.secrets import redact

FORMAT, VERSION = "hbspec_measurement", 1
"""The key that says that a file is such a record, and the version of its form."""

DIGEST = "digest"
FEWEST_UPDATES = 3
"""Timed updates of a finished job, fewer of which show no spread."""

LONGEST_TEXT, LONGEST_VERSION = 100, 40
"""Characters of a name and of a version."""

MOST_SECONDS, MOST_TOKENS, MOST_BYTES, MOST_GPUS = 10**5, 10**10, 2**43, 1024
"""More than an update takes, a micro-batch has, a GPU holds, and a host has."""


def digest_of(values: Mapping[str, Any]) -> str:
    """The digest of a record's content, whatever the order and the layout of its keys."""
    content = {key: value for key, value in values.items() if key != DIGEST}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def read_measurement(values: Any) -> Measurement:
    """A measurement from its JSON document, as `hbspec measure` writes it.

    Raises:
        ValueError: the document is not such a record, is of another version, was changed since it was written, or holds
            a number that no measurement has; the message names it.
    """
    if not isinstance(values, dict) or FORMAT not in values:
        raise ValueError(f"not a record of `hbspec measure`: it has no `{FORMAT}`")
    if values[FORMAT] != VERSION:
        raise ValueError(f"`{FORMAT}` is {str(values[FORMAT])[:20]}, but this hbspec reads version {VERSION}")
    if values.get(DIGEST) != digest_of(values):
        raise ValueError("its content is not that of its `digest`: it was changed after it was measured")
    found = _mapping(values, "found")
    rows = _mapping(values, "rows")
    ran_out = found.get("ran_out")
    if ran_out is not None and not isinstance(ran_out, str):
        raise ValueError("`found.ran_out` is neither null nor a string")
    ran_out = redact(ran_out[:LONGEST_TEXT]) if ran_out is not None else None
    return Measurement(
        day=_text(values, "day"),
        gpu=_text(_mapping(values, "place"), "gpu"),
        conditions=_mapping(values, "conditions"),
        software=_software(_mapping(values, "software")),
        rows=MeasuredRows(
            longest=int(_number(rows, "longest", MOST_TOKENS, whole=True)),
            tokens=_number(rows, "tokens", MOST_TOKENS),
            unevenness=_number(rows, "unevenness", MOST_TOKENS),
            alike=rows.get("alike") is True,
        ),
        updates=_updates(found, finished=ran_out is None),
        devices=_devices(found),
        ran_out=ran_out,
    )


def _software(versions: Mapping[str, Any]) -> Mapping[str, str]:
    """Versions by package."""
    for package, version in versions.items():
        if not isinstance(version, str) or len(version) > LONGEST_VERSION:
            raise ValueError(f"`software.{package[:LONGEST_VERSION]}` is not a version")
    return versions


def _updates(found: Mapping[str, Any], *, finished: bool) -> tuple[MeasuredUpdate, ...]:
    updates = found.get("updates")
    if not isinstance(updates, list) or not all(isinstance(update, dict) for update in updates):
        raise ValueError("`found.updates` is not a list of mappings")
    if finished and len(updates) < FEWEST_UPDATES:
        raise ValueError(f"`found.updates` holds {len(updates)} updates, and a spread needs {FEWEST_UPDATES}")
    return tuple(
        MeasuredUpdate(_number(update, "tokens", MOST_TOKENS), _number(update, "seconds", MOST_SECONDS))
        for update in updates
    )


def _devices(found: Mapping[str, Any]) -> tuple[MeasuredDevice, ...]:
    devices = found.get("devices")
    if not isinstance(devices, list) or len(devices) > MOST_GPUS or not all(isinstance(one, dict) for one in devices):
        raise ValueError("`found.devices` is not a list of mappings")
    return tuple(_device(one) for one in devices)


def _device(values: Mapping[str, Any]) -> MeasuredDevice:
    """A GPU: each kind of memory holds the one before it."""
    index, others = values.get("index"), values.get("others_bytes")
    if type(index) is not int or not 0 <= index < MOST_GPUS:
        raise ValueError("`index` of a GPU is not a whole number")
    names = ("allocated_bytes", "reserved_bytes", "process_bytes", "total_bytes")
    sizes = {name: int(_number(values, name, MOST_BYTES, whole=True)) for name in names}
    for one, other in pairwise(names):
        if sizes[one] > sizes[other]:
            raise ValueError(f"GPU {index}: `{one}` {sizes[one]:,} is above `{other}` {sizes[other]:,}")
    if others is not None and others != 0:
        others = int(_number(values, "others_bytes", MOST_BYTES, whole=True))
    allocated, reserved, process, total = sizes.values()
    return MeasuredDevice(index, total, others, allocated, reserved, process)


def _mapping(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    if not isinstance(found, dict):
        raise ValueError(f"`{key}` is not a mapping")
    return found


def _text(values: Mapping[str, Any], key: str) -> str:
    found = values.get(key)
    if not isinstance(found, str):
        raise ValueError(f"`{key}` is not a string")
    return redact(found[:LONGEST_TEXT])


def _number(values: Mapping[str, Any], key: str, most: float, *, whole: bool = False) -> float:
    """A positive number, up to one that no measurement exceeds."""
    found = values.get(key)
    kinds = (int,) if whole else (int, float)
    if found is None or type(found) not in kinds or not 0 < found <= most:
        shown = repr(found)[:20]
        raise ValueError(f"`{key}` is {shown}, which is not a {'whole ' * whole}number from 0 to {most:,}")
    return float(found)
