"""The parts of a recorded model, in a program's dtypes and with its adapters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hbspec.catalog import Architecture
from hbspec.catalog.recorded import Recording
from hbspec.catalog.recorded_program import Steps
from hbspec.catalog.roles import TRAINED
from hbspec.catalog.weight import Weight
from hbspec.estimators.step.lifetimes.autograd import ParameterTensor
from hbspec.estimators.step.lifetimes.build import Builder
from hbspec.estimators.step.lifetimes.embedding import Embedding
from hbspec.estimators.step.lifetimes.modules import Linear
from hbspec.estimators.step.lifetimes.program import Program, mask_of
from hbspec.estimators.step.lifetimes.recorded import ANY, RecordedPart

NOTHING_RUN = Steps((), 0, None, None)
"""The program of a layer that does not run: it puts out what it is given."""


class RecordedBuilder(Builder):
    """Makes parts whose operators were recorded."""

    def __init__(self, architecture: Architecture, program: Program, recording: Recording) -> None:
        super().__init__(architecture, program)
        self.recording = recording

    def embedding(self) -> RecordedPart:
        """What comes before the layers."""
        return self._part({ANY: self._steps("embedding")}, self._outside("embedding"), self.table())

    @property
    def table_width(self) -> int:
        """Columns of the table, which may be others than those of the residual stream."""
        return self.recording.head.columns

    def table(self) -> Embedding:
        """The table of the tokens' vectors; positions are weights of the part."""
        return super().table()._replace(scaled="", dropped=False, positions=None, shared=1)

    def final(self) -> RecordedPart:
        """What comes between the layers and the head."""
        return self._part({ANY: self._steps("final")}, self._outside("final"))

    def after_head(self) -> RecordedPart | None:
        """What is done to logits; None where nothing is."""
        steps = self._steps("logits")
        return self._part({ANY: steps}, self._outside("logits")) if steps.steps else None

    def layer(self, index: int) -> RecordedPart:
        """A layer of the kind of the model's layer of that index."""
        kind = self.recording.kinds[index]
        if kind in self.recording.idle:
            return RecordedPart({ANY: NOTHING_RUN}, {}, {})
        masked = (
            self.program.attention == "eager" or mask_of(self.program, self.architecture.layer_types[index]) is not None
        )
        variant, program = variant_of(self.program, masked=masked), self.program
        shape = variant, kind, program.rows, program.length
        there = self.recording.shared_weights(kind) if self.recording.shares_later(index) else frozenset()
        weights, unread = self.recording.layer_weights(kind), self.recording.unread_paths[kind]
        found = self._part(self.recording.layer_programs(*shape), weights, there=there, unread=unread)
        before = self.recording.before_programs(*shape)
        return found._replace(before=self._part(before, ())) if before else found

    def _steps(self, part: str) -> Steps:
        program = self.program
        return self.recording.program(variant_of(program, masked=False), part, program.rows, program.length)

    def _outside(self, part: str) -> list[tuple[str, Weight]]:
        """The weights that a part outside the layers reads, by their paths."""
        steps = self._steps(part).steps
        used = {name.removesuffix(".weight") for step in steps for name in step.inputs if isinstance(name, str)}
        modules = {step.module for step in steps if step.name == "linear"}
        return [
            (path, weight)
            for path, weight in self.recording.outside
            if path in used or path.removesuffix(".bias") in modules
        ]

    def _part(
        self,
        programs: Mapping[int, Steps],
        weights: Sequence[tuple[str, Weight]],
        table: Embedding | None = None,
        *,
        there: Collection[str] = (),
        unread: Collection[str] = (),
    ) -> RecordedPart:
        """A part.

        Args:
            programs: what it runs, by the bytes of a number that it is given.
            weights: its weights by their paths.
            table: the embedding, in the part that has it.
            there: weights that a layer behind it has too, and has sent gradients to before.
            unread: weights that it only holds: no gradient reaches them.
        """
        called = {step.module for steps in programs.values() for step in steps.steps if step.name == "linear"}
        biased = {path for path, weight in weights if path.endswith(".bias")}
        linears: dict[str, Linear] = {}
        parameters: dict[str, ParameterTensor] = {}
        for path, weight in weights:
            if path in called:
                linears[path] = self._linear(weight, biased=f"{path}.bias" in biased)
            elif path.removesuffix(".bias") not in called:
                numel = weight.rows * weight.columns * weight.copies
                element = weight.element(self.program.stream)
                trained = self.roles[weight.name] == TRAINED and path not in unread
                parameters[path] = self.parameter(numel, trained, element)
        for path in there:  # of linear modules, not their adapters, which every layer has for itself
            module = linears.get(path.removesuffix(".bias"))
            own = None if module is None else module.bias if path.endswith(".bias") else module.weight
            shared = parameters.get(path, own)
            if shared is not None:
                shared.share()
        return RecordedPart(programs, linears, parameters, table)

    def _linear(self, weight: Weight, *, biased: bool) -> Linear:
        """A linear module; bitsandbytes leaves a subclass as it is."""
        made = self.linear(weight.name, weight.columns, weight.rows)
        if weight.kind == "own_linear" and made.quantized and not self.program.subclasses_quantised:
            whole = self.parameter(weight.columns * weight.rows, trained=made.weight.trained)
            made = made._replace(quantized="", weight=whole)
        return made if biased else made._replace(bias=None)


def variant_of(program: Program, *, masked: bool) -> str:
    """The name of the variant that a program runs, as `hbspec.recording.record.key_of` makes it."""
    keeps = program.autocast and program.quantization is not None
    said = {"autocast": program.autocast, "keeps": keeps, "several": program.several_rows, "masked": masked}
    return " ".join([str(program.stream), *(word for word, yes in said.items() if yes)])
