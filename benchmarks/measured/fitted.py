"""The observations that the shipped constants are fitted to, on disk, and the constants without one source."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from hbspec.estimators.constants import MemoryConstants, StepConstants
from hbspec.estimators.serving.constants import ServingConstants
from measured import fitting, serving_fit, speed
from measured.row import Row
from measured.served_fit import fitted_served

MEMORY, SPEED, SERVING = (Path(__file__).with_name(f"fitted_{what}.json") for what in ("memory", "speed", "serving"))

T = TypeVar("T")


class Observation(Protocol):
    """One row's word on what is fitted."""

    @property
    def source(self) -> str:
        """Who measured."""

    def to_dict(self) -> dict[str, Any]:
        """As on disk."""


S = TypeVar("S", bound=Observation)


class Observed(NamedTuple):
    """Observations of every kind."""

    memory: tuple[fitting.Observation, ...]
    speed: tuple[speed.Observation, ...]
    serving: tuple[serving_fit.Observation, ...]


class Constants(NamedTuple):
    """Everything that is fitted."""

    memory: MemoryConstants
    step: StepConstants
    serving: ServingConstants


def observed(rows: Sequence[Row]) -> Observed:
    """What some rows say."""
    return Observed(fitting.observations(rows), speed.observations(rows), serving_fit.observations(rows))


def fit(found: Observed) -> Constants:
    """The constants that some observations give."""
    return Constants(_memory(tuple(found.memory)), _step(tuple(found.speed)), _serving(tuple(found.serving)))


# the same observations are fitted again and again, whole or without a source that has no part in them
_memory, _step, _serving = (lru_cache(maxsize=64)(one.fit) for one in (fitting, speed, serving_fit))


def recorded() -> Observed:
    """The observations that the shipped constants are fitted to."""
    return Observed(
        tuple(fitting.Observation(**entry) for entry in _read(MEMORY)),
        tuple(speed.Observation.of(entry) for entry in _read(SPEED)),
        tuple(serving_fit.Observation.of(entry) for entry in _read(SERVING)),
    )


def record(found: Observed) -> None:
    """Writes the observations, one a line; of a kind that was not observed, those on disk stay."""
    kinds: tuple[tuple[Path, Sequence[Observation]], ...] = (
        (MEMORY, found.memory),
        (SPEED, found.speed),
        (SERVING, found.serving),
    )
    for path, observations in kinds:
        if observations:
            _write(path, (one.to_dict() for one in observations))


def left_out(found: Observed) -> Callable[[str], Constants]:
    """For each source, the constants fitted to all others; sources without a part in a kind share one fit of it."""
    memory = _without(found.memory, _memory)
    step = _without(found.speed, _step)
    serving = _without(found.serving, _serving)
    return lambda source: Constants(
        memory(source), step(source), serving(source)._replace(served=fitted_served(source))
    )


def _without(found: Sequence[S], fitted: Callable[[Sequence[S]], T]) -> Callable[[str], T]:
    sources = {one.source for one in found}

    def without(source: str) -> T:
        return fitted(tuple(one for one in found if one.source != source) if source in sources else tuple(found))

    return without


def _read(path: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return entries


def _write(path: Path, entries: Iterable[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
