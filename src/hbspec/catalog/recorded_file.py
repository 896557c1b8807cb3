"""The file of a recorded model, read and checked: it may come from a stranger, and may be cut or edited."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from hbspec.catalog.architecture import Architecture
from hbspec.catalog.config_fields import MOST_LAYERS, shown
from hbspec.catalog.parameters import total_parameters
from hbspec.catalog.recorded import FORMAT, MARK, PARTS, RecordedFileError, Recording
from hbspec.catalog.recorded_architecture import recorded_architecture
from hbspec.catalog.recorded_loop import LENGTHS, number_of, program_rows

MOST_VALUES = 100_000
"""Tensors of one program."""

AGAIN = "record it again with `hbspec model add`"
"""What to do with a file that is not whole."""


def is_recorded(values: Mapping[str, Any]) -> bool:
    """Whether a JSON file is one of a recorded model, and not a config.json."""
    return MARK in values


def digest_of(values: Mapping[str, Any]) -> str:
    """The digest that a file carries of everything else in it."""
    rest = {key: value for key, value in values.items() if key != "digest"}
    return sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def architecture_of(values: Mapping[str, Any]) -> Architecture:
    """The architecture of a recorded model.

    Raises:
        RecordedFileError: the file is of another version of the format, or is not as it was written.
    """
    version = values.get(MARK)
    if type(version) is not int or version < 1:
        raise RecordedFileError(f"{MARK} is {shown(version)}, not a version of the format; {AGAIN}")
    if version != FORMAT:
        action = "upgrade hbspec" if version > FORMAT else AGAIN
        raise RecordedFileError(f"its format is {version}, and this hbspec reads format {FORMAT}; {action}")
    if values.get("digest") != digest_of(values):
        raise RecordedFileError(f"its content is not that of its digest, so that it was cut or edited; {AGAIN}")
    try:
        _check(values)
        found = recorded_architecture(Recording(values))
        _run_through(values, found)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, StopIteration) as reason:
        if isinstance(reason, RecordedFileError):
            raise
        raise RecordedFileError(f"it is not whole ({type(reason).__name__}: {shown(str(reason))}); {AGAIN}") from reason
    if total_parameters(found) != values["parameters"]:
        raise RecordedFileError(
            f"it says {values['parameters']:,} parameters, and its weights have {total_parameters(found):,}; {AGAIN}"
        )
    return found


def _check(values: Mapping[str, Any]) -> None:
    """Nothing, where lists refer to what is there."""
    layers = values["weights"]["layers"]
    if not isinstance(values["versions"]["transformers"], str):
        raise RecordedFileError(f"its version of transformers is not text; {AGAIN}")
    if not 0 < len(values["kinds"]) <= MOST_LAYERS or not all(0 <= kind < len(layers) for kind in values["kinds"]):
        raise RecordedFileError(f"it has {len(layers)} kinds of layers, and its list of kinds names others; {AGAIN}")
    for program in values["programs"]:
        for data in [program[name] for name in LENGTHS if name in program] if "chunk" in program else [program]:
            _check_program(data, len(values["ways"]))
    for name, variant in values["variants"].items():
        if len(variant["layers"]) != len(layers):
            raise RecordedFileError(f"its variant {shown(name)} lacks layers; {AGAIN}")


def _check_program(program: Mapping[str, Any], ways: int) -> None:
    known = {*([0] if "input" in program else ()), *program.get("imports", {}).values()}
    chunks = 0 if "loop" not in program else program["loop"]["chunks"] + 2
    for row in program_rows(program, chunks):
        if any(isinstance(one, int) and one not in known for one in row["inputs"]):
            raise RecordedFileError(f"{shown(row['name'])} reads what no operator made; {AGAIN}")
        if not all(0 <= index < ways for index in row.get("ways", {}).values()):
            raise RecordedFileError(f"{shown(row['name'])} has a derivative that is not there; {AGAIN}")
        for number, size, element, _ in row["outputs"]:
            if number > MOST_VALUES or not all(type(one) is int for one in (number, element, *size)):
                raise RecordedFileError(f"{shown(row['name'])} makes a tensor of no size; {AGAIN}")
            known.add(number)
    if not {number_of(program["output"], program, chunks), *program.get("exports", {}).values()} <= known:
        raise RecordedFileError(f"a program puts out what no operator made; {AGAIN}")


def _run_through(values: Mapping[str, Any], found: Architecture) -> None:
    """Read everything once."""
    recording = found.recorded
    assert recording is not None  # noqa: S101
    _ = (recording.family, recording.head, recording.attention)
    for variant in values["variants"]:
        for part in PARTS:
            recording.program(variant, part, 1)
        for kind in range(len(values["weights"]["layers"])):
            recording.layer_programs(variant, kind, 1)
            recording.before_programs(variant, kind, 1)
