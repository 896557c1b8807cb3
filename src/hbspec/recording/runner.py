"""One variant of a model, recorded part by part: the points at which each part is watched, and what they tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hbspec.catalog.recorded_loop import RAGGED
from hbspec.recording.build import Built, refuse_partly_idle
from hbspec.recording.derive import Derived, derive
from hbspec.recording.fit import Table, fitted
from hbspec.recording.forward import EMBEDDING, FINAL, LOGITS, Name, Point, Regime, WatchedPass, before_name
from hbspec.recording.known_calls import KnownCalls
from hbspec.recording.lengths import ChunkLengths, Length
from hbspec.recording.probe import Probe
from hbspec.recording.program import LongLoopError, RecordingError, Watched
from hbspec.recording.prune import makes_mask, pruned
from hbspec.recording.rolled import loops, without_views
from hbspec.recording.sizes import FittedSizes

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

    @classmethod
    def short(cls) -> Points:
        """Rows so short that a loop over their tokens can be followed."""
        return cls(
            ((1, 6), (1, 13), (2, 7), (3, 11)),
            ((1, 6), (1, 13), (1, 8), (1, 11)),
            ((2, 7), (3, 11), (2, 9), (5, 6)),
            ((3, 6), (5, 8), (2, 13)),
        )


def shortest_limit(built: Built) -> int:
    """Tokens below which all rows are treated alike, as the config says."""
    config = built.model.config.get_text_config(decoder=True)
    names = ("sliding_window", "attention_chunk_size", "max_position_embeddings", "window_size")
    said = [getattr(config, name, None) for name in names]
    return min([value for value in said if isinstance(value, int) and value > 0], default=LONGEST)


HALF = 2
"""Bytes of a number of 16 bits."""


class PartRunner:
    """Records one variant of a model, for one row and for several.

    Attributes:
        masks: whether the model was seen to make a mask for its layers.
    """

    def __init__(
        self,
        built: Built,
        calls: KnownCalls,
        probe: Probe,
        regime: Regime,
        ways: Table,
        lengths: ChunkLengths,
        *,
        masked: bool,
    ) -> None:
        self.built, self.calls, self.probe, self.regime, self.ways = built, calls, probe, regime, ways
        self.masked, self.lengths = masked, lengths
        self.masks = False
        self._passes: dict[tuple[int, int], Any] = {}
        self._together: dict[Any, dict[str, Any] | None] = {}

    def parts(self, *, several: bool) -> dict[str, Any]:
        """The parts, with the layers in the order of their kinds, and what the model's forward pass holds."""
        try:
            return self._parts(several=several)
        except LongLoopError:
            if self.lengths.by_token:
                raise
        self.lengths.by_token = True
        self._together.clear()
        return self._parts(several=several)

    def _parts(self, *, several: bool) -> dict[str, Any]:
        points = self.points.several if several else self.points.alone
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
            **self._before(points),
            "final": self._part(FINAL, points),
            "logits": self._part(LOGITS, points),
            "held": self._held(points),
        }

    def _before(self, points: Sequence[tuple[int, int]]) -> dict[str, Any]:
        """What runs before layers of each kind and outside them, where anything does that they read."""
        ran = self._pass(self.points.together[0])
        found: list[dict[str, Any]] = [{} for _ in self.built.first]
        for kind, element in self._layers:
            name = before_name((kind, element))
            if name in ran and ran[name].operators:
                found[kind][str(element)] = self._part(name, points)
        return {"before": found} if any(found) else {}

    @property
    def points(self) -> Points:
        """Where parts are watched that all lengths share."""
        return Points.short() if self.lengths.by_token else Points.within(shortest_limit(self.built))

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

    def _held(self, points: Sequence[tuple[int, int]]) -> list[int]:
        """What all layers share: as a rule it grows with the places of a row, and rows share it.

        Raises:
            RecordingError: it is not a polynomial.
        """
        every = *self.points.together, *self.points.several[2:], *self.points.more
        tried = self.points.together, every, points, (*points, *self.points.more)
        for chosen in tried if points[0][0] > 1 else tried[:-1]:
            try:
                return self._held_at(chosen)
            except RecordingError as reason:
                refused = reason
        raise refused

    def _held_at(self, points: Sequence[tuple[int, int]]) -> list[int]:
        sizes = FittedSizes([Point(*point, self.masked) for point in points])
        return sizes.form([self._pass(point)["held"] for point in points], "what all layers share")

    def _part(self, name: Name, points: Sequence[tuple[int, int]]) -> dict[str, Any]:
        """A part at all lengths alike, or by the class of its length."""
        refused: RecordingError | None = None
        if not self.lengths.differ(name):
            try:
                return self._at_all(name, points)
            except RecordingError as reason:
                if isinstance(reason, LongLoopError) or not isinstance(name, tuple):
                    raise
                refused = reason
        for chunk in self.lengths.tried(name):
            try:
                found = self._by_length(name, chunk, several=points[0][0] > 1)
            except RecordingError as reason:
                refused = refused or reason
                continue
            self.lengths.found(name, chunk)
            return found
        raise refused or RecordingError("no chunk")

    def _by_length(self, name: Name, chunk: int, *, several: bool) -> dict[str, Any]:
        """A part by the class of its length, with the loops over its chunks.

        Raises:
            RecordingError: it is not one program in each class.
        """
        found: dict[str, Any] = {"chunk": chunk}
        for length in self.lengths.classes(chunk):
            try:
                found[length.name] = self._of_length(name, length, several=several)
            except RecordingError:
                if not length.parted:
                    raise
                found |= {one.name: self._of_length(name, one, several=several) for one in length.parted}
        return found

    def _of_length(self, name: Name, length: Length, *, several: bool) -> dict[str, Any]:
        """A part in a class of lengths.

        Raises:
            RecordingError: it is not one program.
        """
        key = name, length
        if key not in self._together and self.lengths.together(name):
            try:
                self._together[key] = self._fitted(name, length.together, length)
            except RecordingError:
                self._together[key] = None
                self.lengths.apart.add(name)
        return self._together.get(key) or self._fitted(name, length.several if several else length.alone, length)

    def _at_all(self, name: Name, points: Sequence[tuple[int, int]]) -> dict[str, Any]:
        if name not in self._together:
            try:
                self._together[name] = self._fitted(name, self.points.together)
            except LongLoopError:
                raise
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

    def _fitted(self, name: Name, points: Sequence[tuple[int, int]], length: Length | None = None) -> dict[str, Any]:
        parts: list[Watched] = [self._pass(point)[name] for point in points]
        derived = [derive(part, self.probe) for part in parts]
        chunk = length.chunk if length is not None and length.name == RAGGED else None
        sizes = FittedSizes([Point(*point, self.masked) for point in points], length and length.counted(points), chunk)
        chunks = length.chunks(points) if length is not None else [1]
        if len({*chunks}) > 1 and len({len(part.operators) for part in parts}) > 1:
            return self._in_a_loop(parts, derived, sizes, chunks)
        return fitted(parts, derived, sizes, self.ways)

    def _in_a_loop(
        self,
        parts: Sequence[Watched],
        derived: Sequence[Sequence[Derived]],
        sizes: FittedSizes,
        chunks: Sequence[int],
    ) -> dict[str, Any]:
        """A part with the first loop whose sizes fit, of those that it may run."""
        plain = [without_views(*one) for one in zip(parts, derived, strict=True)]
        refused: RecordingError | None = None
        for tried, ways in ((parts, derived), ([one for one, _ in plain], [one for _, one in plain])):
            for loop in loops(tried, chunks):
                known = len(self.ways.rows)
                try:
                    return fitted(tried, ways, sizes, self.ways, loop)
                except RecordingError as reason:
                    if refused is not None:
                        self.ways.forget(known)
                    refused = refused or reason
        where = parts[0].where or "the model"
        unlike = f"{where} runs other operators at other lengths, and not in one loop"
        raise refused or RecordingError(unlike)

    def _pass(self, point: tuple[int, int]) -> Mapping[Name, Any]:
        if isinstance(self._passes.get(point), RecordingError):
            raise self._passes[point]
        if point not in self._passes:
            runner = WatchedPass(self.built, self.calls, self.regime)
            try:
                parts = runner.run(Point(*point, self.masked))
            except RecordingError as reason:
                self._passes[point] = reason
                raise
            refuse_partly_idle(self.built, runner.ran)
            for name in [*parts]:
                if isinstance(name, str) and name.startswith(before_name()):
                    parts[name], _ = pruned(parts[name], point[1])
            self.masks = self.masks or makes_mask(parts[EMBEDDING], point[1])
            parts[EMBEDDING], held = pruned(parts[EMBEDDING], point[1])
            self._passes[point] = {**parts, "held": held}
        found: Mapping[Name, Any] = self._passes[point]
        return found
