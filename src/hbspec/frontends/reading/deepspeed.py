"""A DeepSpeed JSON that a foreign file names: the file itself where it is there, or else what its name says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.source.limits import MAX_ATTACHMENT_BYTES
from hbspec.source.paths import PathError, contained, project_root, read_bytes

JSON, PARALLELISM, OFFLOAD = ("instance", "deepspeed"), ("instance", "parallelism"), ("instance", "offload")
ZERO = "zero_optimization"
"""The key by which DeepSpeed's JSON is known."""
NAMED = re.compile(r"(?:zero|z)[-_]?([0-3])")


def put_deepspeed(building: Building, given: ForeignKey | None) -> bool:
    """The stage and the offload of a file, or of settings that are written in its place; whether there is one."""
    if given is None or not given.acts:
        return False
    if given.placeholder:
        building.not_filled_in(given)
        return False
    written = given.value if isinstance(given.value, dict) else _read(building.folder, given.text)
    if isinstance(written, dict):
        _put(building, given, written)
        if not isinstance(given.value, dict):
            building.put(JSON, given)
        return True
    name = Path(given.text).stem.casefold()
    stage = NAMED.search(name)
    if stage is None:
        building.unread(given, "either", f"names {given.text}, a file that is not there")
        return False
    building.put(PARALLELISM, given, _way(int(stage[1])))
    if "offload_param" in name:
        building.unread(given, "less", f"names {given.text}, which by its name moves weights to the host")
    elif "offload" in name:
        building.put(OFFLOAD, given, "all" if stage[1] == "3" else "optimizer")
    return True


def put_own_file(building: Building, settings: Foreign) -> None:
    """DeepSpeed's JSON that is itself a file beside another: its stage, and the file for the rules."""
    given = settings.peek(ZERO)
    stage = settings.inside(ZERO).get("stage")
    level = int(stage.number) if stage and stage.number in (1, 2, 3) else 0
    building.put(PARALLELISM, stage or given, _way(level))
    if level:
        building.put(JSON, given, Path(building.file).name)


def _put(building: Building, given: ForeignKey, settings: dict[str, object]) -> None:
    zero = settings.get(ZERO)
    stage = zero.get("stage", 0) if isinstance(zero, dict) else 0
    building.put(PARALLELISM, given, _way(stage if stage in (0, 1, 2, 3) else 0))


def _way(stage: int) -> str:
    return f"zero{stage}" if stage else "ddp"


def _read(folder: Path, path: str) -> object:
    """The settings; None where the file is not there, or is not JSON. Rules say what is wrong with it."""
    try:
        return json.loads(read_bytes(contained(path, folder, project_root(folder)), MAX_ATTACHMENT_BYTES))
    except (PathError, ValueError, RecursionError):
        return None
