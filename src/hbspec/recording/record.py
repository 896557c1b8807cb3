"""The whole recording of a model, as the plain data of its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from hbspec.recording.build import Built, build, shorten
from hbspec.recording.derive import derive
from hbspec.recording.fit import FittedSizes, Table, fitted
from hbspec.recording.forward import EMBEDDING, FINAL, LOGITS, Name, Point, Regime, WatchedPass
from hbspec.recording.probe import Probe
from hbspec.recording.program import RecordingError, Watched
from hbspec.recording.prune import pruned
from hbspec.recording.settle import settled
from hbspec.recording.tensors import weights_of

LONGEST = 531
"""Tokens of the longest row: more than any chunk to which code pads rows, so that a loop over chunks shows."""


class Points(NamedTuple):
    """Rows and tokens of a row. Most parts are alike for one row and for several, so that four points tell both.

    Attributes:
        together: those four.
        alone, several: of parts that differ.
        more: also needed where rows share something.
    """

    together: tuple[tuple[int, int], ...]
    alone: tuple[tuple[int, int], ...]
    several: tuple[tuple[int, int], ...]
    more: tuple[tuple[int, int], ...]

    @classmethod
    def within(cls, most: int) -> Points:
        """Rows shorter than a window or the table of positions, so that no mask is made for their length."""
        long = max(61, min(LONGEST, most - 2))
        return cls(
            ((1, 23), (1, long), (2, 29), (3, long - 12)),
            ((1, 23), (1, long), (1, 37), (1, long - 8)),
            ((2, 29), (3, long - 12), (2, 53), (5, 23)),
            ((3, 23), (5, 37), (2, long)),
        )


def shortest_limit(built: Built) -> int:
    """Tokens below which all rows are treated alike, as the config says."""
    config = built.model.config.get_text_config(decoder=True)
    names = ("sliding_window", "attention_chunk_size", "max_position_embeddings", "window_size")
    said = [getattr(config, name, None) for name in names]
    return min([value for value in said if isinstance(value, int) and value > 0], default=LONGEST)


REGIMES = (
    Regime(2, autocast=True, keeps=False),
    Regime(2, autocast=True, keeps=True),
    Regime(2, autocast=False, keeps=False),
    Regime(4, autocast=True, keeps=False),
    Regime(4, autocast=True, keeps=True),
    Regime(4, autocast=False, keeps=False),
)
HALF = 2
"""Bytes of a number of 16 bits."""

DTYPES = {2: torch.bfloat16, 4: torch.float32}


def key_of(regime: Regime, *, several: bool, masked: bool) -> str:
    """The name of a variant in the file: `2 autocast keeps several masked`."""
    words = {"autocast": regime.autocast, "keeps": regime.keeps, "several": several, "masked": masked}
    return " ".join([str(regime.stream), *(word for word, said in words.items() if said)])


def record(values: Mapping[str, Any], regimes: Sequence[Regime] | None = None) -> dict[str, Any]:
    """A model's config, weights and programs.

    Args:
        values: the fields of its config.json.
        regimes: the dtypes in which it is recorded; by default all of them.

    Raises:
        RecordingError: the model cannot be recorded.
    """
    regimes = regimes or REGIMES
    programs, ways = Table(), Table()
    found: dict[str, dict[str, Any]] = {"variants": {}, "held": {}, "missing": {}, "buffers": {}}
    described: dict[str, Any] = {}
    for stream in dict.fromkeys(regime.stream for regime in regimes):
        built = build(values, DTYPES[stream])
        described = {**weights_of(built), "attention": built.attention, "kinds": list(built.kinds)}
        buffers = sum(one.numel() * one.element_size() for one in built.model.buffers())
        fake = FakeTensorMode(allow_non_fake_inputs=True)
        shorten(built, fake)
        found["buffers"][str(stream)] = buffers + settled(built, fake)
        probe = Probe()
        narrow: set[bool] = set()
        for regime in (one for one in regimes if one.stream == stream):
            if regime.keeps and narrow == {True}:
                _same_again(found, regime)
                continue
            for masked in (False, True):
                runner = _Runner(built, fake, probe, regime, ways, masked=masked)
                for several in (False, True):
                    _add(found, runner, programs, several=several)
                if regime.autocast and not regime.keeps:
                    narrow.add(runner.narrow)
    return {**described, **found, "programs": programs.rows, "ways": ways.rows}


def _same_again(found: Mapping[str, dict[str, Any]], regime: Regime) -> None:
    """Where linear modules are given 16 bits only, those that keep the dtype put out what the others do."""
    for several in (False, True):
        for masked in (False, True):
            other = key_of(regime._replace(keeps=False), several=several, masked=masked)
            for variants in found.values():
                if other in variants:
                    variants[key_of(regime, several=several, masked=masked)] = variants[other]


def _add(found: Mapping[str, dict[str, Any]], runner: _Runner, programs: Table, *, several: bool) -> None:
    """Record a variant, or write down why it cannot be.

    Raises:
        RecordingError: it is the first, without which none is of use.
    """
    key = key_of(runner.regime, several=several, masked=runner.masked)
    try:
        parts = runner.parts(several=several)
    except RecordingError as reason:
        if not found["variants"]:
            raise
        found["missing"][key] = str(reason)
        return
    found["held"][key] = parts.pop("held")
    found["variants"][key] = {
        name: [{element: programs.add(one) for element, one in kind.items()} for kind in part]
        if isinstance(part, list)
        else programs.add(part)
        for name, part in parts.items()
    }


class _Runner:
    """Records one variant of a model, for one row and for several."""

    def __init__(
        self, built: Built, fake: FakeTensorMode, probe: Probe, regime: Regime, ways: Table, *, masked: bool
    ) -> None:
        self.built, self.fake, self.probe, self.regime, self.ways = built, fake, probe, regime, ways
        self.masked, self.points = masked, Points.within(shortest_limit(built))
        self._passes: dict[tuple[int, int], Mapping[Name, Any]] = {}
        self._together: dict[Name, dict[str, Any] | None] = {}

    def parts(self, *, several: bool) -> dict[str, Any]:
        """The parts, with the layers in the order of their kinds, and what the model's forward pass holds."""
        points = self.points.several if several else self.points.alone
        idle = {*range(len(self.built.first))} - {kind for kind, _ in self._layers}
        if idle:
            where = f"{self.built.path}.{self.built.first[min(idle)]}"
            raise RecordingError(f"{where} is not run where only text is given")
        return {
            "embedding": self._part(EMBEDDING, points),
            "layers": [
                {
                    str(element): self._part((kind, element), points)
                    for number, element in self._layers
                    if number == kind
                }
                for kind in range(len(self.built.first))
            ],
            "final": self._part(FINAL, points),
            "logits": self._part(LOGITS, points),
            "held": self._held(),
        }

    @property
    def _layers(self) -> list[tuple[int, int]]:
        """The kinds of layers, each with the bytes of a number that it is given."""
        return [name for name in self._pass(self.points.together[0]) if isinstance(name, tuple)]

    @property
    def narrow(self) -> bool:
        """Whether linear modules of layers are given 16 bits only."""
        try:
            layers = [self._pass(self.points.together[0])[name] for name in self._layers]
        except RecordingError:
            return False
        modules = (one for layer in layers for one in layer.operators if one.name == "linear")
        return all(one.metas[0].element == HALF for one in modules)

    def _held(self) -> list[int]:
        """What all layers share: as a rule it grows with the places of a row, and rows share it.

        Raises:
            RecordingError: it is not a polynomial.
        """
        try:
            return self._held_at(self.points.together)
        except RecordingError:
            return self._held_at((*self.points.together, *self.points.several[2:], *self.points.more))

    def _held_at(self, points: Sequence[tuple[int, int]]) -> list[int]:
        sizes = FittedSizes([Point(*point, self.masked) for point in points])
        return sizes.form([self._pass(point)["held"] for point in points], "what all layers share")

    def _part(self, name: Name, points: Sequence[tuple[int, int]]) -> dict[str, Any]:
        if name not in self._together:
            try:
                self._together[name] = self._fitted(name, self.points.together)
            except RecordingError:
                self._together[name] = None
        together = self._together[name]
        if together is not None:
            return together
        try:
            return self._fitted(name, points)
        except RecordingError as reason:
            if points[0][0] == 1 or "polynomial" not in str(reason):
                raise
        return self._fitted(name, [*points, *self.points.more])

    def _fitted(self, name: Name, points: Sequence[tuple[int, int]]) -> dict[str, Any]:
        parts: list[Watched] = [self._pass(point)[name] for point in points]
        derived = [derive(part, self.probe) for part in parts]
        return fitted(parts, derived, FittedSizes([Point(*point, self.masked) for point in points]), self.ways)

    def _pass(self, point: tuple[int, int]) -> Mapping[Name, Any]:
        if point not in self._passes:
            runner = WatchedPass(self.built, self.fake, self.regime)
            parts = runner.run(Point(*point, self.masked))
            parts[EMBEDDING], held = pruned(parts[EMBEDDING], point[1])
            self._passes[point] = {**parts, "held": held}
        return self._passes[point]
